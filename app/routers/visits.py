"""Visits to quarantined persons."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Day, Id
from app.schemas.visits import VisitBody, VisitView
from app.services import visits

router = APIRouter(prefix="/v1/visits", tags=["quarantine"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.VISITS_READ)]


@router.post("", status_code=201, responses={409: {"description": "The id was used for another visit."}})
async def record_visit(
    work: Annotated[Work, allow(Permission.VISITS_WRITE)], body: VisitBody, response: Response
) -> VisitView:
    """Record a visit: services are the cadres', temperatures the clinic's or the cadres'. A visit that is told late
    counts for the day and half day in which it was made."""
    return created(response, (await visits.record_visits(work, [body]))[0])


@router.get("")
async def list_visits(work: Reader, paging: Paged, order_id: Id, day: Day | None = None) -> Page[VisitView]:
    """List the visits of an order, the latest first."""
    return await visits.list_visits(work, paging, order_id, day)


@router.get("/{visit_id}")
async def show_visit(work: Reader, visit_id: Id) -> VisitView:
    """Show a visit."""
    return await visits.show_visit(work, visit_id)
