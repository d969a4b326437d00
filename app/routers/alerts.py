"""Alerts: what a person must look at."""

from typing import Annotated

from fastapi import APIRouter

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.enums import AlertKind, AlertStatus
from app.domain.permissions import Permission
from app.schemas.alerts import AlertView, ResolveBody
from app.schemas.fields import Id, UnitCode
from app.services import alerts

router = APIRouter(prefix="/v1/alerts", tags=["quarantine"], route_class=StrictRoute)


@router.get("")
async def list_alerts(
    work: Annotated[Work, allow(Permission.ALERTS_READ)],
    paging: Paged,
    status: AlertStatus | None = None,
    kind: AlertKind | None = None,
    unit_code: UnitCode | None = None,
) -> Page[AlertView]:
    """List alerts, the latest raised first. The clinic gets fevers and symptoms, a checkpoint's staff the breaches
    at their checkpoints, without the person."""
    return await alerts.list_alerts(work, paging, status, kind, unit_code)


@router.post("/{alert_id}/resolve", responses={409: {"description": "Resolved before, with another note."}})
async def resolve_alert(
    work: Annotated[Work, allow(Permission.ALERTS_WRITE)], alert_id: Id, body: ResolveBody
) -> AlertView:
    """Say that an alert has been looked after, and how. The same again changes nothing."""
    return await alerts.resolve_alert(work, alert_id, body)
