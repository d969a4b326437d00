"""The daily meeting: its page, and its minutes (每日会商)."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.access import allow, allow_late, in_townships_name
from app.core.kit import Kit
from app.core.strict_route import StrictRoute
from app.core.work import OpenWork, Work
from app.domain.enums import Role
from app.domain.permissions import Permission, holds
from app.routers.answers import created
from app.schemas.briefings import BriefingView, MinutesBody, MinutesView
from app.schemas.fields import Day
from app.services import briefing_pages, briefings, rankings

router = APIRouter(prefix="/v1/briefings", tags=["command"], route_class=StrictRoute)

Reader = Annotated[OpenWork, allow_late(Permission.BRIEFINGS_READ)]
_STYLED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


async def _briefing(open_work: OpenWork, request: Request, day: date) -> BriefingView:
    """The page in the caller's scope; a unit's rank is among all, so the ranking is made in the township's name."""
    kit: Kit = request.app.state.kit
    async with open_work() as work:
        view, caller, township = await briefings.briefing(work, day), work.caller, work.township_code
    if holds(Role(caller.role), Permission.RANKINGS_READ):
        async with in_townships_name(kit, township) as work:
            found = await rankings.ranked(work, day, rankings.visible(caller.role))
        view.ranking = rankings.ranking_view(day, found, caller.scope)
    return view


@router.get("/{day}", response_model_exclude_unset=True)
async def show_briefing(open_work: Reader, request: Request, day: Day) -> BriefingView:
    """The meeting's page of a day: totals against yesterday, units without report, open alerts, orders that are not
    acknowledged, the ranking, the minutes. Alerts and orders are shown as they stand now."""
    return await _briefing(open_work, request, day)


@router.get("/{day}/page", response_class=HTMLResponse)
async def print_briefing(open_work: Reader, request: Request, day: Day) -> HTMLResponse:
    """The same as a page to print on A4, with charts."""
    view = await _briefing(open_work, request, day)
    async with open_work() as work:
        return HTMLResponse(briefing_pages.briefing_page(work, view), headers=_STYLED)


@router.post("/{day}/minutes", status_code=201)
async def write_minutes(
    work: Annotated[Work, allow(Permission.BRIEFINGS_WRITE)], day: Day, body: MinutesBody, response: Response
) -> MinutesView:
    """Write the minutes. Each decision becomes a draft order that the clock issues at `orders_issued` of that day."""
    return created(response, await briefings.write_minutes(work, day, body))
