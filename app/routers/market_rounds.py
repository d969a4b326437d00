"""Village sales: 流动售卖."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator

from app.access import allow
from app.core.paging import Page, Paged, ascii_number
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Day, Id, ScopeCode
from app.schemas.market_rounds import GapsView, RoundBody, RoundPatch, RoundView
from app.services import market_rounds, records

router = APIRouter(prefix="/v1/market-rounds", tags=["closures"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.MARKET_ROUNDS_READ)]
Writer = Annotated[Work, allow(Permission.MARKET_ROUNDS_WRITE)]
Days = Annotated[int, BeforeValidator(ascii_number), Query(ge=1, le=60, description="Days, today included.")]


@router.get("")
async def list_rounds(
    work: Reader,
    paging: Paged,
    day: Day | None = None,
    code: Annotated[ScopeCode | None, Query(description="Only rounds that stop there.")] = None,
) -> Page[RoundView]:
    """List the township's rounds, newest first. Every unit reads all of them."""
    return await market_rounds.list_rounds(work, paging, day, code)


@router.post("", status_code=201)
async def create_round(work: Writer, body: RoundBody, response: Response) -> RoundView:
    """Arrange a round through villages."""
    return created(response, (await market_rounds.create_rounds(work, [body]))[0])


@router.get("/gaps")
async def show_gaps(work: Reader, days: Days = 3, code: ScopeCode | None = None) -> GapsView:
    """The units where no vendor has stopped in the last days."""
    return await market_rounds.gaps(work, days, code)


@router.get("/{round_id}")
async def show_round(work: Reader, round_id: Id) -> RoundView:
    """Show one round."""
    return await records.show(work, market_rounds.ROUNDS, round_id)


@router.patch("/{round_id}")
async def change_round(work: Writer, round_id: Id, body: RoundPatch) -> RoundView:
    """Call a round off, or let it take place after all."""
    return await market_rounds.change_round(work, round_id, body)
