"""Edits of a person: who they are, and what was learned of their exposure since the last check."""

from typing import Any
from uuid import UUID, uuid5

import asyncpg

from app.core.field_texts import FIELD_TEXTS
from app.core.problems import FieldError, Invalid, NotFound
from app.core.work import Work
from app.domain.enums import Exposure, Whereabouts
from app.domain.feed import RecordKind
from app.domain.quarantine import opens_order
from app.schemas.households import PersonPatch, PersonView
from app.services.edits import Edit, Edited, noted, weigh
from app.services.passes import revoke_passes_of
from app.services.person_registration import PersonRegistered, read_identity
from app.services.persons import show_person
from app.services.quarantine_orders import AlreadyQuarantined, NewOrder, open_orders
from app.services.sealing import id_fingerprint, phone_fingerprint, seal, unseal

_LOCK = """
SELECT unit_code, name, relation, sex, birth_date, id_sealed, phone_sealed, exposure, symptoms, whereabouts, rev,
    field_revs, content_hash
FROM people WHERE township_code = $1 AND id = $2 FOR UPDATE
"""

_EDIT = """
UPDATE people SET name = $3, relation = $4, sex = $5, birth_date = $6, id_sealed = $7, id_fingerprint = $8,
    phone_sealed = $9, phone_fingerprint = $10, exposure = $11, symptoms = $12, field_revs = $13, rev = rev + 1,
    edited_rev = rev + 1
WHERE township_code = $1 AND id = $2
"""


async def edit_person(work: Work, person_id: UUID, body: PersonPatch) -> PersonView:
    """Change what was sent and differs, field by field; a new ID number brings its sex and birth date with it.

    Raises:
        StaleRevision: somebody changed one of these fields after `base_rev`.
        NotFound, Invalid, PersonRegistered: as `merge_person`.
    """
    await merge_person(work, person_id, body, Edit(body.base_rev, work.now, work.caller.device_id))
    return await show_person(work, person_id)


async def merge_person(work: Work, person_id: UUID, body: PersonPatch, edit: Edit) -> Edited:
    """Bring an edit together with what others changed meanwhile; who is found exposed at home is quarantined at once.

    Raises:
        NotFound: no such person, or not for this caller.
        Invalid: a wrong ID number, or a sex or birth date that contradicts the one in force.
        PersonRegistered: somebody else has the new ID number.
        StaleRevision, PredecessorMissing: see `edits.weigh`.
    """
    row = await work.sql.fetchrow(_LOCK, work.township_code, person_id)
    if row is None:
        raise NotFound
    stored = dict(row)
    stored["id_number"] = unseal(work, "people.id_number", person_id, row["id_sealed"])
    stored["phone"] = unseal(work, "people.phone", person_id, row["phone_sealed"])
    result = weigh(edit, stored, _sent(work, body, stored))
    changes = _with_identity(work, stored, result.changes)
    if changes:
        await _store(work, person_id, {**stored, **changes}, noted(stored, changes, edit, result.seen))
    if "id_number" in changes:
        await revoke_passes_of(work, [person_id], "id-number")
    if "exposure" in changes:
        await _quarantine(work, person_id, stored, changes["exposure"])
    return Edited(
        stored["unit_code"],
        result.met_others,
        result.conflicts,
        {name: stored[name] for name in result.changes},
    )


def _sent(work: Work, body: PersonPatch, stored: dict[str, Any]) -> dict[str, Any]:
    """Return the members that were sent, checked against the ID number that is then in force."""
    sent = body.model_dump(exclude_unset=True, exclude={"base_rev"})
    in_force = sent.get("id_number", stored["id_number"])
    number, faults = read_identity(in_force, sent.get("sex"), sent.get("birth_date"), "", work.today)
    if faults:
        raise Invalid(faults)
    if number is not None:  # sex and birth date follow from the number, and are no edit of their own
        sent.pop("sex", None)
        sent.pop("birth_date", None)
        if "id_number" in sent:
            sent["id_number"] = number.value
    return sent


def _with_identity(work: Work, stored: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes with the sex and birth date that follow from a new ID number."""
    if changes.get("id_number") is None:
        return changes
    number, _ = read_identity(changes["id_number"], None, None, "", work.today)
    assert number is not None
    follows = {"sex": number.sex, "birth_date": number.birth_date}
    return changes | {name: value for name, value in follows.items() if value != stored[name]}


async def _store(work: Work, person_id: UUID, person: dict[str, Any], field_revs: str) -> None:
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
            person["exposure"],
            person["symptoms"],
            field_revs,
        )
    except asyncpg.UniqueViolationError:
        await work.sql.execute("ROLLBACK TO SAVEPOINT edit")
        code = PersonRegistered.code
        raise PersonRegistered([FieldError("/id_number", code, FIELD_TEXTS[code])]) from None
    await work.sql.execute("RELEASE SAVEPOINT edit")
    work.touch(RecordKind.PERSON, [person_id])


async def _quarantine(work: Work, person_id: UUID, stored: dict[str, Any], exposure: Exposure) -> None:
    """Open an order for somebody exposed who is there, as a check would; who has one keeps it."""
    if stored["whereabouts"] is None:
        return
    reason = opens_order(exposure, Whereabouts(stored["whereabouts"]))
    if reason is None:
        return
    id_ = uuid5(person_id, f"exposure/{stored['rev'] + 1}")
    order = NewOrder(
        id_, person_id, reason, work.today, work.account_id, None, [], bytes(stored["content_hash"])
    )
    (outcome,) = await open_orders(work, [order])
    if outcome.problem is not None and not isinstance(outcome.problem, AlreadyQuarantined):
        raise outcome.problem
