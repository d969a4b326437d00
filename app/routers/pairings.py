"""Pairing: 党员干部对邻近群众一带一、一带多."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Id, ScopeCode
from app.schemas.pairings import PairingBody, PairingCoverage, PairingPatch, PairingView
from app.services import pairing_coverage, pairings, records

router = APIRouter(prefix="/v1/pairings", tags=["publicity"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.PAIRINGS_READ)]
Writer = Annotated[Work, allow(Permission.PAIRINGS_WRITE)]


@router.get("")
async def list_pairings(
    work: Reader,
    paging: Paged,
    code: ScopeCode | None = None,
    staff_id: Id | None = None,
    ended: bool | None = None,
) -> Page[PairingView]:
    """List pairings, newest first."""
    return await records.page(work, pairings.PAIRINGS, paging, code=code, staff_id=staff_id, ended=ended)


@router.post("", status_code=201)
async def create_pairing(work: Writer, body: PairingBody, response: Response) -> PairingView:
    """Give households to somebody who serves in their unit. A household may have several people."""
    items = await pairings.store_pairings(work, [body])
    return created(response, (await records.outcomes(work, pairings.PAIRINGS, items))[0])


@router.get("/coverage")
async def show_coverage(
    work: Annotated[Work, allow(Permission.HOUSEHOLDS_READ)],
    paging: Paged,
    code: Annotated[ScopeCode | None, Query(description="Default: the caller's whole scope.")] = None,
) -> PairingCoverage:
    """How many households have somebody, unit by unit, and a page of those with nobody."""
    return await pairing_coverage.pairing_coverage(work, paging, code)


@router.get("/{pairing_id}")
async def show_pairing(work: Reader, pairing_id: Id) -> PairingView:
    """Show one pairing."""
    return await records.show(work, pairings.PAIRINGS, pairing_id)


@router.patch("/{pairing_id}")
async def change_pairing(work: Writer, pairing_id: Id, body: PairingPatch) -> PairingView:
    """Give a pairing other households of its unit, or somebody else, or end it."""
    return await pairings.change_pairing(work, pairing_id, body)
