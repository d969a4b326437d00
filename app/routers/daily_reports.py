"""Units' daily reports (日报)."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.daily_reports import DailyReportsView, DailyReportView, SubmitBody
from app.schemas.fields import Day, UnitCode
from app.services import daily_reports

router = APIRouter(prefix="/v1", tags=["command"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.DAILY_REPORTS_READ)]


@router.get("/daily-reports")
async def list_reports(work: Reader, day: Day | None = None) -> DailyReportsView:
    """List which units have reported: on time, late, missing; by default of today."""
    return await daily_reports.list_reports(work, day)


@router.get("/units/{unit_code}/daily-reports/{day}")
async def show_report(work: Reader, unit_code: UnitCode, day: Day) -> DailyReportView:
    """Show a unit's report of a day, filled in from its own records: what is right need not be typed."""
    return await daily_reports.show_report(work, unit_code, day)


@router.post("/units/{unit_code}/daily-reports/{day}/submit", status_code=201)
async def submit_report(
    work: Annotated[Work, allow(Permission.DAILY_REPORTS_WRITE)],
    unit_code: UnitCode,
    day: Day,
    body: SubmitBody,
    response: Response,
) -> DailyReportView:
    """Report for a day. A further report corrects the first, which says whether the unit was on time."""
    return created(response, await daily_reports.submit_report(work, unit_code, day, body))
