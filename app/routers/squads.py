"""Squads (突击小分队)."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.duty import SquadBody, SquadView
from app.services import squads

router = APIRouter(prefix="/v1/squads", tags=["outcomes"], route_class=StrictRoute)


@router.get("")
async def list_squads(work: Annotated[Work, allow(Permission.SQUADS_READ)], paging: Paged) -> Page[SquadView]:
    """List the township's squads, newest first."""
    return await squads.list_squads(work, paging)


@router.post("", status_code=201)
async def create_squad(
    work: Annotated[Work, allow(Permission.SQUADS_WRITE)], body: SquadBody, response: Response
) -> SquadView:
    """Make a squad."""
    return created(response, (await squads.create_squads(work, [body]))[0])
