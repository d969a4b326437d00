"""Closures, venues and inspections: 关停、限行."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.closures import Found, VenueKind
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.closures import (
    ClosureBody,
    ClosurePatch,
    ClosureView,
    InspectionBody,
    InspectionView,
    VenueBody,
    VenuePatch,
    VenueView,
)
from app.schemas.fields import Day, Id, ScopeCode
from app.services import closures, inspections, records, venues

router = APIRouter(prefix="/v1", tags=["closures"], route_class=StrictRoute)

VenueReader = Annotated[Work, allow(Permission.VENUES_READ)]
VenueWriter = Annotated[Work, allow(Permission.VENUES_WRITE)]
Reader = Annotated[Work, allow(Permission.CLOSURES_READ)]
Closer = Annotated[Work, allow(Permission.CLOSURES_WRITE)]
InspectionReader = Annotated[Work, allow(Permission.INSPECTIONS_READ)]
OnDay = Annotated[Day | None, Query(description="The day on which it is seen; default: today.")]


@router.get("/venues")
async def list_venues(
    work: VenueReader,
    paging: Paged,
    code: ScopeCode | None = None,
    kind: VenueKind | None = None,
    active: bool | None = None,
) -> Page[VenueView]:
    """List venues, newest first."""
    return await records.page(work, venues.VENUES, paging, code=code, kind=kind, active=active)


@router.post("/venues", status_code=201)
async def register_venue(work: VenueWriter, body: VenueBody, response: Response) -> VenueView:
    """Register a venue."""
    items = await venues.store_venues(work, [body])
    return created(response, (await records.outcomes(work, venues.VENUES, items))[0])


@router.get("/venues/{venue_id}")
async def show_venue(work: VenueReader, venue_id: Id) -> VenueView:
    """Show one venue."""
    return await records.show(work, venues.VENUES, venue_id)


@router.patch("/venues/{venue_id}")
async def change_venue(work: VenueWriter, venue_id: Id, body: VenuePatch) -> VenueView:
    """Change a venue: its name, its kind, whether it is essential, whether it still exists."""
    return await venues.change_venue(work, venue_id, body)


@router.get("/closures")
async def list_closures(
    work: Reader, paging: Paged, code: ScopeCode | None = None, day: OnDay = None
) -> Page[ClosureView]:
    """List what is shut on a day, newest first, each with its state by that day's inspections.

    With a unit's code: what is shut there, and in the township as a whole.
    """
    return await closures.list_closures(work, paging, code, day)


@router.post("/closures", status_code=201)
async def create_closure(work: Closer, body: ClosureBody, response: Response) -> ClosureView:
    """Shut a venue, call off the market days of a place, or close a road."""
    return created(response, (await closures.create_closures(work, [body]))[0])


@router.get("/closures/{closure_id}")
async def show_closure(work: Reader, closure_id: Id, day: OnDay = None) -> ClosureView:
    """Show one closure."""
    return await closures.show_closure(work, closure_id, day)


@router.patch("/closures/{closure_id}")
async def change_closure(work: Closer, closure_id: Id, body: ClosurePatch) -> ClosureView:
    """Change a closure's last day or its notice."""
    return await closures.change_closure(work, closure_id, body)


@router.get("/inspections")
async def list_inspections(
    work: InspectionReader,
    paging: Paged,
    day: Day | None = None,
    code: ScopeCode | None = None,
    venue_id: Id | None = None,
    found: Found | None = None,
    breach: Annotated[bool | None, Query(description="Only what should not be, or only the rest.")] = None,
) -> Page[InspectionView]:
    """List inspections, newest first."""
    wanted = {"day": day, "venue_id": venue_id, "found": found, "breach": breach}
    return await records.page(work, inspections.INSPECTIONS, paging, code=code, **wanted)


@router.post("/inspections", status_code=201)
async def record_inspection(
    work: Annotated[Work, allow(Permission.INSPECTIONS_WRITE)], body: InspectionBody, response: Response
) -> InspectionView:
    """Record how a venue was found."""
    items = await inspections.store_inspections(work, [body])
    return created(response, (await records.outcomes(work, inspections.INSPECTIONS, items))[0])


@router.get("/inspections/{inspection_id}")
async def show_inspection(work: InspectionReader, inspection_id: Id) -> InspectionView:
    """Show one inspection."""
    return await records.show(work, inspections.INSPECTIONS, inspection_id)
