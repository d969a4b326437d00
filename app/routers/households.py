"""Households, and how far the checks at their doors have come (上门排查)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.coverage import CoverageView
from app.schemas.fields import Id, ScopeCode, UnitCode
from app.schemas.households import HouseholdBody, HouseholdPatch, HouseholdView, PersonBody, PersonView
from app.services import coverage, household_edits, households, register_search
from app.services.household_members import NewMember, register_members

router = APIRouter(prefix="/v1", tags=["households"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.HOUSEHOLDS_READ)]
Writer = Annotated[Work, allow(Permission.HOUSEHOLDS_WRITE)]
Sought = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    Query(description="A part of a name, address or register number, or a whole ID number or phone."),
]


@router.post("/households", status_code=201)
async def register_household(work: Writer, body: HouseholdBody, response: Response) -> HouseholdView:
    """Register a household with its people; the head is a registered person like the members.

    409 `person-registered`: an ID number of it is in the township's register already, in whichever unit.
    """
    return created(response, (await households.register_households(work, [body]))[0])


@router.get("/households")
async def list_households(
    work: Reader,
    paging: Paged,
    unit_code: Annotated[UnitCode | None, Query()] = None,
    checked: Annotated[
        Literal["true", "false"] | None, Query(description="Whether the household was ever checked.")
    ] = None,
    q: Sought | None = None,
) -> Page[HouseholdView]:
    """Households by unit."""
    return await register_search.list_households(
        work, paging, unit_code, None if checked is None else checked == "true", q
    )


@router.get("/households/{household_id}")
async def show_household(work: Reader, household_id: Id) -> HouseholdView:
    """A household with its people."""
    return await households.show_household(work, household_id)


@router.patch("/households/{household_id}")
async def edit_household(work: Writer, household_id: Id, body: HouseholdPatch) -> HouseholdView:
    """Change a household; what is left out stays. Another `unit_code` moves it, which is the township's act (403).

    409 `stale-revision`: somebody edited it after `base_rev`.
    """
    return await household_edits.edit_household(work, household_id, body)


@router.post("/households/{household_id}/members", status_code=201)
async def register_member(work: Writer, household_id: Id, body: PersonBody, response: Response) -> PersonView:
    """Register a further person in a household."""
    return created(response, (await register_members(work, [NewMember(household_id, body)]))[0])


@router.get("/coverage")
async def show_coverage(
    work: Reader,
    code: Annotated[ScopeCode | None, Query(description="Default: the caller's whole scope.")] = None,
) -> CoverageView:
    """How far the checks have come, unit by unit, with the never-checked households as a work list."""
    return await coverage.coverage(work, code)
