"""The lines of a check as they are read: whom each one names, and who is new."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from app.core.field_texts import FIELD_TEXTS
from app.core.problems import FieldError, Invalid
from app.core.work import Work
from app.domain.coverage import unaccounted
from app.domain.days import local_day
from app.domain.identity import InvalidIdNumber, parse_id_number
from app.domain.op_time import Moment
from app.schemas.household_checks import CheckBody, LineBody
from app.schemas.households import PersonBody
from app.services.batch import Item
from app.services.person_registration import NewPerson, read_people
from app.services.sealing import id_fingerprint


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is registered in the household."""

    id: UUID
    fingerprint: bytes | None


@dataclass(frozen=True, slots=True)
class Found:
    """A line whose person is known."""

    person_id: UUID
    body: LineBody


@dataclass(slots=True)
class Check:
    """A check that is in order and about to be stored."""

    id: UUID
    body: CheckBody
    content_hash: bytes
    moment: Moment
    unit_code: int
    day: date
    lines: list[Found]
    newcomers: list[NewPerson]
    unaccounted: list[UUID]
    order_ids: dict[UUID, UUID] = field(default_factory=dict)
    """By person: the quarantine orders that it opened."""


_MEMBERS = """
SELECT id, household_id, id_fingerprint FROM people
WHERE township_code = $1 AND household_id = ANY($2) ORDER BY id FOR UPDATE
"""


async def lock_members(work: Work, household_ids: Iterable[UUID]) -> dict[UUID, list[Member]]:
    """Lock the people of households and return them."""
    members: dict[UUID, list[Member]] = {id_: [] for id_ in household_ids}
    for row in await work.sql.fetch(_MEMBERS, work.township_code, list(members)):
        members[row["household_id"]].append(Member(row["id"], row["id_fingerprint"]))
    return members


def read_check(work: Work, item: Item[CheckBody], unit_code: int, members: Sequence[Member]) -> Check:
    """Find whom every line names, and who is to be registered.

    Raises:
        Invalid: a line names nobody of the household, a person whom another line names, or a faulty ID number; or a
            return lies after the check.
        PersonRegistered: two lines register one ID number.
    """
    body, day = item.body, local_day(item.moment.occurred_at, work.township.zone)
    named = [_named(work, line, members) for line in body.members]
    _check_lines(body, named, {member.id for member in members}, day)
    sent = [
        (f"/members/{n}/person", line.person)
        for n, line in enumerate(body.members)
        if line.person is not None and named[n] is None
    ]
    newcomers = read_people(work, sent, body.household_id, unit_code, item.content_hash)
    ids = iter([person.id for person in newcomers])
    lines = [Found(id_ or next(ids), line) for id_, line in zip(named, body.members, strict=True)]
    missed = unaccounted((member.id for member in members), (line.person_id for line in lines))
    return Check(item.id, body, item.content_hash, item.moment, unit_code, day, lines, newcomers, missed)


def _named(work: Work, line: LineBody, members: Sequence[Member]) -> UUID | None:
    """Return the person whom a line names by id, or by an ID number that a member has; None for a newcomer."""
    if line.person is None:
        return line.person_id
    print_ = _fingerprint(work, line.person)
    same = (
        member.id
        for member in members
        if (print_ is not None and member.fingerprint == print_)
        or (member.id == line.person.id and print_ is None)
    )
    return next(same, None)


def _fingerprint(work: Work, person: PersonBody) -> bytes | None:
    if person.id_number is None:
        return None
    try:
        return id_fingerprint(work, parse_id_number(person.id_number).value)
    except InvalidIdNumber:
        return None


def _check_lines(body: CheckBody, named: Sequence[UUID | None], members: set[UUID], day: date) -> None:
    faults, seen = [], set[UUID]()
    for n, (line, id_) in enumerate(zip(body.members, named, strict=True)):
        where = f"/members/{n}"
        if id_ is not None and id_ not in members:
            faults.append(_fault(f"{where}/person_id", "not-a-member"))
        if id_ in seen:
            faults.append(_fault(where, "repeated"))
        if id_ is not None:
            seen.add(id_)
        if line.returned_on is not None and line.returned_on > day:
            faults.append(_fault(f"{where}/returned_on", "out-of-range"))
    if faults:
        raise Invalid(faults)


def _fault(pointer: str, code: str) -> FieldError:
    return FieldError(pointer, code, FIELD_TEXTS[code])
