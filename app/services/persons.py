"""Registered people as they are shown: the ID number masked, the phone in full, and what the last check found."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from app.core.field_texts import FIELD_TEXTS, declare
from app.core.problems import NotFound
from app.core.work import Work
from app.domain.identity import REGION_UNKNOWN, is_region_known, mask_id_number
from app.schemas.households import PersonView, WarningView
from app.services.sealing import unseal

declare(
    REGION_UNKNOWN,
    "身份证号码的地区代码不在代码表中,请核对。",
    "The region of this ID number is not in the table; please look at it again.",
)

_SELECT = """
SELECT id, household_id, unit_code, name, id_sealed, sex, birth_date, phone_sealed, relation, whereabouts, exposure,
    symptoms, away_to, returned_from, returned_on, checked_at, quarantine_order_id, recorded_at, rev
FROM people WHERE township_code = $1 AND
"""
_BY_ID = _SELECT + "id = ANY($2)"
_BY_HOUSEHOLD = _SELECT + "household_id = ANY($2) ORDER BY recorded_at, id"


async def person_views(work: Work, ids: Iterable[UUID]) -> dict[UUID, PersonView]:
    """Return the people among these ids that the caller may see."""
    rows = await work.sql.fetch(_BY_ID, work.township_code, list(ids))
    return {row["id"]: _view(work, row) for row in rows}


async def people_of(work: Work, household_ids: Iterable[UUID]) -> dict[UUID, list[PersonView]]:
    """Return the people of households, in the order of their registration."""
    rows = await work.sql.fetch(_BY_HOUSEHOLD, work.township_code, list(household_ids))
    people: dict[UUID, list[PersonView]] = {}
    for row in rows:
        people.setdefault(row["household_id"], []).append(_view(work, row))
    return people


async def show_person(work: Work, person_id: UUID) -> PersonView:
    """Return one person.

    Raises:
        NotFound: there is none, or not for this caller.
    """
    views = await person_views(work, [person_id])
    if person_id not in views:
        raise NotFound
    return views[person_id]


def warnings_of(work: Work, id_number: str | None) -> list[WarningView]:
    """Return what is odd about a valid ID number: a region that is not in the table."""
    if id_number is None or is_region_known(id_number):
        return []
    message = FIELD_TEXTS[REGION_UNKNOWN].say(work.language)
    return [WarningView(pointer="/id_number", code=REGION_UNKNOWN, message=message)]


def moved(warnings: Iterable[WarningView], pointer: str) -> list[WarningView]:
    """Return warnings with pointers into an object that holds theirs at `pointer`."""
    return [WarningView(pointer=pointer + w.pointer, code=w.code, message=w.message) for w in warnings]


def _view(work: Work, row: asyncpg.Record) -> PersonView:
    number = unseal(work, "people.id_number", row["id"], row["id_sealed"])
    return PersonView(
        id=row["id"],
        household_id=row["household_id"],
        unit_code=row["unit_code"],
        name=row["name"],
        id_number=number and mask_id_number(number),
        sex=row["sex"],
        birth_date=row["birth_date"],
        phone=unseal(work, "people.phone", row["id"], row["phone_sealed"]),
        relation=row["relation"],
        whereabouts=row["whereabouts"],
        exposure=row["exposure"],
        symptoms=row["symptoms"],
        away_to=row["away_to"],
        returned_from=row["returned_from"],
        returned_on=row["returned_on"],
        checked_at=row["checked_at"],
        quarantined=row["quarantine_order_id"] is not None,
        quarantine_order_id=row["quarantine_order_id"],
        created_at=row["recorded_at"],
        rev=row["rev"],
        warnings=warnings_of(work, number),
    )
