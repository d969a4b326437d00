"""Checks at households' doors (上门排查)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.routers.answers import created
from app.routers.households import Reader, Writer
from app.schemas.fields import Day, Id, UnitCode
from app.schemas.household_checks import CheckBody, CheckView
from app.services import check_views, household_checks

router = APIRouter(prefix="/v1", tags=["households"], route_class=StrictRoute)


@router.post("/household-checks", status_code=201)
async def record_check(work: Writer, body: CheckBody, response: Response) -> CheckView:
    """Record a check. An exposure other than `none` on somebody at home or returned opens a quarantine order at once.

    `unaccounted` lists the registered people whom no line names, `quarantine_orders` the orders that it opened; a
    person who is under quarantine already gets no further one.
    """
    return created(response, (await household_checks.record_checks(work, [body]))[0])


@router.get("/household-checks")
async def list_checks(
    work: Reader,
    paging: Paged,
    household_id: Annotated[Id | None, Query()] = None,
    unit_code: Annotated[UnitCode | None, Query()] = None,
    day: Annotated[Day | None, Query(description="In the township's zone.")] = None,
) -> Page[CheckView]:
    """Checks, the latest first."""
    return await check_views.list_checks(work, paging, household_id, unit_code, day)


@router.get("/household-checks/{check_id}")
async def show_check(work: Reader, check_id: Id) -> CheckView:
    """A check with its lines and the orders that it opened."""
    return await check_views.show_check(work, check_id)
