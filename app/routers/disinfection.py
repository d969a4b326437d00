"""Disinfection sites and logs."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.disinfection import LogBody, LogView, SiteBody, SitePatch, SiteView
from app.schemas.fields import Day, Id, UnitCode
from app.services import disinfection_logs, disinfection_sites
from app.services.disinfection_logs import LogFilter
from app.services.disinfection_sites import SiteFilter

router = APIRouter(prefix="/v1", tags=["disinfection"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.SITES_READ)]
Writer = Annotated[Work, allow(Permission.SITES_WRITE)]


@router.get("/disinfection-sites")
async def list_sites(
    work: Reader,
    paging: Paged,
    unit_code: UnitCode | None = None,
    active: bool | None = None,
    due: Annotated[
        bool | None, Query(description="Only sites that on `day` still need it, or only the others.")
    ] = None,
    day: Annotated[
        Day | None, Query(description="The day that `done` and `due` speak of; today if left out.")
    ] = None,
) -> Page[SiteView]:
    """List the sites in the caller's scope, by unit: the work list of a day with `due=true`."""
    wanted = SiteFilter(int(unit_code) if unit_code else None, active, due, day)
    return await disinfection_sites.list_sites(work, wanted, paging)


@router.post("/disinfection-sites", status_code=201)
async def create_site(work: Writer, body: SiteBody, response: Response) -> SiteView:
    """Make a place a site from today on. Homes in quarantine become sites by themselves."""
    return created(response, await disinfection_sites.create_site(work, body))


@router.get("/disinfection-sites/{site_id}")
async def show_site(work: Reader, site_id: Id, day: Day | None = None) -> SiteView:
    """Show one site, as it stands today or on a day."""
    return await disinfection_sites.show_site(work, site_id, day)


@router.patch("/disinfection-sites/{site_id}")
async def change_site(work: Writer, site_id: Id, body: SitePatch) -> SiteView:
    """Change a site; what it owes changes from today, save what was already done today."""
    return await disinfection_sites.change_site(work, site_id, body)


@router.get("/disinfection-logs")
async def list_logs(
    work: Annotated[Work, allow(Permission.DISINFECTION_READ)],
    paging: Paged,
    site_id: Id | None = None,
    day: Day | None = None,
) -> Page[LogView]:
    """List disinfections in the caller's scope, newest first."""
    return await disinfection_logs.list_logs(work, LogFilter(site_id, day), paging)


@router.post("/disinfection-logs", status_code=201)
async def record_log(
    work: Annotated[Work, allow(Permission.DISINFECTION_WRITE)], body: LogBody, response: Response
) -> LogView:
    """Record one disinfection. More than a site requires on a day are kept, and count once."""
    outcomes = await disinfection_logs.record_logs(work, [body])
    return created(response, outcomes[0])
