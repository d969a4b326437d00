"""Edits of a person."""

from typing import Any
from uuid import UUID

import asyncpg

from app.core.field_texts import FIELD_TEXTS
from app.core.problems import FieldError, Invalid, NotFound
from app.core.work import Work
from app.domain.feed import RecordKind
from app.schemas.households import PersonPatch, PersonView
from app.services.household_edits import changed, check_revision
from app.services.person_registration import PersonRegistered, read_identity
from app.services.persons import show_person
from app.services.sealing import id_fingerprint, phone_fingerprint, seal, unseal

_LOCK = """
SELECT name, relation, sex, birth_date, id_sealed, phone_sealed, rev, edited_rev FROM people
WHERE township_code = $1 AND id = $2 FOR UPDATE
"""

_EDIT = """
UPDATE people SET name = $3, relation = $4, sex = $5, birth_date = $6, id_sealed = $7, id_fingerprint = $8,
    phone_sealed = $9, phone_fingerprint = $10, rev = rev + 1, edited_rev = rev + 1
WHERE township_code = $1 AND id = $2
"""


async def edit_person(work: Work, person_id: UUID, body: PersonPatch) -> PersonView:
    """Change what was sent and differs; a new ID number brings its sex and birth date with it.

    Raises:
        NotFound: no such person, or not for this caller.
        Invalid: a wrong ID number, or a sex or birth date that contradicts the one in force.
        StaleRevision: somebody edited the person after `base_rev`.
        PersonRegistered: somebody else has the new ID number.
    """
    row = await work.sql.fetchrow(_LOCK, work.township_code, person_id)
    if row is None:
        raise NotFound
    stored = dict(row)
    stored["id_number"] = unseal(work, "people.id_number", person_id, row["id_sealed"])
    stored["phone"] = unseal(work, "people.phone", person_id, row["phone_sealed"])
    changes = changed(stored, _sent(work, body, stored))
    if changes:
        check_revision(stored, body.base_rev)
        await _store(work, person_id, {**stored, **changes})
    return await show_person(work, person_id)


def _sent(work: Work, body: PersonPatch, stored: dict[str, Any]) -> dict[str, Any]:
    """Return the members that were sent, checked against the ID number that is then in force."""
    sent = body.model_dump(exclude_unset=True, exclude={"base_rev"})
    in_force = sent.get("id_number", stored["id_number"])
    number, faults = read_identity(in_force, sent.get("sex"), sent.get("birth_date"), "", work.today)
    if faults:
        raise Invalid(faults)
    if number is not None:
        sent |= {"sex": number.sex, "birth_date": number.birth_date}
        if "id_number" in sent:
            sent["id_number"] = number.value
    return sent


async def _store(work: Work, person_id: UUID, person: dict[str, Any]) -> None:
    """Store an edit; a number that is somebody else's takes only the edit back, not the work around it."""
    await work.sql.execute("SAVEPOINT edit")
    try:
        await work.sql.execute(
            _EDIT,
            work.township_code,
            person_id,
            person["name"],
            person["relation"],
            person["sex"],
            person["birth_date"],
            seal(work, "people.id_number", person_id, person["id_number"]),
            id_fingerprint(work, person["id_number"]),
            seal(work, "people.phone", person_id, person["phone"]),
            phone_fingerprint(work, person["phone"]),
        )
    except asyncpg.UniqueViolationError:
        await work.sql.execute("ROLLBACK TO SAVEPOINT edit")
        code = PersonRegistered.code
        raise PersonRegistered([FieldError("/id_number", code, FIELD_TEXTS[code])]) from None
    await work.sql.execute("RELEASE SAVEPOINT edit")
    work.touch(RecordKind.PERSON, [person_id])
