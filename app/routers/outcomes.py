"""Tips, incidents, bulletins: 举报、现场处置、公开."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.outcomes import IncidentKind, TipSource, TipStatus
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Day, Id, ScopeCode
from app.schemas.outcomes import (
    BulletinView,
    ClosingBody,
    DispatchBody,
    IncidentBody,
    IncidentView,
    TipBody,
    TipView,
)
from app.services import bulletins, incidents, records, tips

router = APIRouter(prefix="/v1", tags=["outcomes"], route_class=StrictRoute)

TipReader = Annotated[Work, allow(Permission.TIPS_READ)]
TipWriter = Annotated[Work, allow(Permission.TIPS_WRITE)]
IncidentReader = Annotated[Work, allow(Permission.INCIDENTS_READ)]


@router.get("/tips")
async def list_tips(
    work: TipReader,
    paging: Paged,
    status: TipStatus | None = None,
    source: TipSource | None = None,
    day: Day | None = None,
    code: ScopeCode | None = None,
) -> Page[TipView]:
    """List tips, newest first. A unit's cadres see the tips of their units."""
    return await records.page(work, tips.TIPS, paging, code=code, status=status, source=source, day=day)


@router.post("/tips", status_code=201)
async def record_tip(work: TipWriter, body: TipBody, response: Response) -> TipView:
    """Take down a tip that came by telephone (举报电话)."""
    items = await tips.store_tips(work, [body])
    return created(response, (await records.outcomes(work, tips.TIPS, items))[0])


@router.get("/tips/{tip_id}")
async def show_tip(work: TipReader, tip_id: Id) -> TipView:
    """Show one tip."""
    return await records.show(work, tips.TIPS, tip_id)


@router.post("/tips/{tip_id}/dispatch")
async def dispatch_tip(
    work: Annotated[Work, allow(Permission.TIPS_DISPATCH)], tip_id: Id, body: DispatchBody
) -> TipView:
    """Send a squad (派单). A closed tip is 409."""
    return await tips.dispatch_tip(work, tip_id, body.squad_id)


@router.post("/tips/{tip_id}/close")
async def close_tip(work: TipWriter, tip_id: Id, body: ClosingBody) -> TipView:
    """Close a tip of which nothing came, and say why."""
    return await tips.close_tip(work, tip_id, body.note)


@router.get("/incidents")
async def list_incidents(
    work: IncidentReader,
    paging: Paged,
    kind: IncidentKind | None = None,
    day: Day | None = None,
    code: ScopeCode | None = None,
) -> Page[IncidentView]:
    """List incidents, newest first."""
    return await records.page(work, incidents.INCIDENTS, paging, code=code, kind=kind, day=day)


@router.post("/incidents", status_code=201)
async def record_incident(
    work: Annotated[Work, allow(Permission.INCIDENTS_WRITE)], body: IncidentBody, response: Response
) -> IncidentView:
    """Record what was met and done. It closes its tip; with `publish` all units read of it at once."""
    items = await incidents.store_incidents(work, [body])
    return created(response, (await records.outcomes(work, incidents.INCIDENTS, items))[0])


@router.get("/incidents/{incident_id}")
async def show_incident(work: IncidentReader, incident_id: Id) -> IncidentView:
    """Show one incident."""
    return await records.show(work, incidents.INCIDENTS, incident_id)


@router.get("/bulletins")
async def list_bulletins(
    work: Annotated[Work, allow(Permission.BULLETINS_READ)], paging: Paged, day: Day | None = None
) -> Page[BulletinView]:
    """List what was published to all units, newest first: names, phones and ID numbers masked."""
    return await records.page(work, bulletins.BULLETINS, paging, day=day)
