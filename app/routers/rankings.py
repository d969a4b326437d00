"""The units' ranking (评比)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.access import allow, allow_late, in_townships_name
from app.core.kit import Kit
from app.core.scope import Scope
from app.core.strict_route import StrictRoute
from app.core.work import OpenWork, Work
from app.domain.permissions import Permission
from app.schemas.fields import Day, ScopeCode
from app.schemas.rankings import FormulaView, RankingView
from app.services import rankings

router = APIRouter(prefix="/v1/rankings", tags=["command"], route_class=StrictRoute)


@router.get("")
async def show_ranking(
    open_work: Annotated[OpenWork, allow_late(Permission.RANKINGS_READ)],
    request: Request,
    day: Annotated[Day | None, Query(description="Default: today in the township's zone.")] = None,
    code: Annotated[ScopeCode | None, Query(description="Which township; default: the caller's.")] = None,
) -> RankingView:
    """Rank the units of the township by the published formula; shown are those in the caller's scope, with their rank
    among all. A finished day keeps its ranking. The clinic's rests on quarantine alone."""
    kit: Kit = request.app.state.kit
    async with open_work() as work:
        caller, township, day = work.caller, rankings.township_of(work, code), day or work.today
    # A rank is among all units, of which this caller may see a part.
    async with in_townships_name(kit, township) as work:
        found = await rankings.ranked(work, day, rankings.visible(caller.role))
    return rankings.ranking_view(day, found, Scope((code,)) if code else caller.scope)


@router.get("/formula")
async def show_formula(work: Annotated[Work, allow(Permission.RANKINGS_READ)]) -> FormulaView:
    """The formula in words, its constants, and the township's weights."""
    return rankings.formula(work)
