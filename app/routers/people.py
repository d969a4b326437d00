"""Registered people: the 外出返乡 register, edits, and the logged look at an ID number."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.domain.enums import Exposure, Whereabouts
from app.routers.answers import created
from app.routers.households import Reader, Sought, Writer
from app.schemas.fields import Id, UnitCode
from app.schemas.households import PersonPatch, PersonView, RevealBody, RevealLogView, RevealView
from app.services import person_edits, persons, register_search, reveals

router = APIRouter(prefix="/v1", tags=["households"], route_class=StrictRoute)


@router.get("/people")
async def list_people(
    work: Reader,
    paging: Paged,
    unit_code: Annotated[UnitCode | None, Query()] = None,
    whereabouts: Annotated[Whereabouts | None, Query(description="As the last check found.")] = None,
    exposure: Annotated[Exposure | None, Query(description="As the last check found.")] = None,
    q: Sought | None = None,
) -> Page[PersonView]:
    """People by unit, as the last check found them."""
    return await register_search.list_people(work, paging, unit_code, whereabouts, exposure, q)


@router.get("/people/{person_id}")
async def show_person(work: Reader, person_id: Id) -> PersonView:
    """A person, with the ID number masked."""
    return await persons.show_person(work, person_id)


@router.patch("/people/{person_id}")
async def edit_person(work: Writer, person_id: Id, body: PersonPatch) -> PersonView:
    """Change a person; what is left out stays, null clears. A new ID number brings sex and birth date with it.

    409 `stale-revision`: somebody edited the person after `base_rev`. What checks find is not edited here.
    """
    return await person_edits.edit_person(work, person_id, body)


@router.post("/people/{person_id}/reveal", status_code=201)
async def reveal_id_number(work: Writer, person_id: Id, body: RevealBody, response: Response) -> RevealView:
    """Show a full ID number. Who looked, when and what for is logged."""
    return created(response, await reveals.reveal(work, person_id, body))


@router.get("/people/{person_id}/reveals")
async def list_reveals(work: Reader, person_id: Id, paging: Paged) -> Page[RevealLogView]:
    """Who looked at a person's ID number, and what for; the latest first."""
    return await reveals.list_reveals(work, person_id, paging)
