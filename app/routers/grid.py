"""The grid: the caller's township, its units and their rosters."""

from typing import Annotated

from fastapi import APIRouter

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.schemas.fields import TownshipCode, UnitCode
from app.schemas.townships import TownshipPatch, TownshipView
from app.schemas.units import RosterView, UnitView
from app.services import rosters, townships, units

router = APIRouter(prefix="/v1", tags=["grid"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.GRID_READ)]


@router.get("/townships")
async def list_townships(work: Reader, paging: Paged) -> Page[TownshipView]:
    """List the townships that the caller belongs to: one."""
    return await townships.list_townships(work, paging)


@router.get("/townships/{code}")
async def show_township(work: Reader, code: TownshipCode) -> TownshipView:
    """Show the caller's township with its settings."""
    return await townships.show_township(work, int(code))


@router.patch("/townships/{code}")
async def change_township(
    work: Annotated[Work, allow(Permission.GRID_WRITE)], code: TownshipCode, body: TownshipPatch
) -> TownshipView:
    """Change the name or some of the settings; what is left out stays. The zone cannot be changed."""
    return await townships.change_township(work, int(code), body)


@router.get("/units")
async def list_units(work: Reader, paging: Paged) -> Page[UnitView]:
    """List the units in the caller's scope, by code."""
    return await units.list_units(work, paging)


@router.get("/units/{unit_code}")
async def show_unit(work: Reader, unit_code: UnitCode) -> UnitView:
    """Show one unit."""
    return await units.show_unit(work, int(unit_code))


@router.get("/units/{unit_code}/roster")
async def show_roster(work: Reader, unit_code: UnitCode) -> RosterView:
    """Show a unit's active staff by team and position, and what the unit lacks."""
    return await rosters.roster_of(work, int(unit_code))
