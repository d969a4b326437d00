"""How people enter the register: read and checked one body at a time, stored in sets.

A person comes with a household, with a check, or alone; each of these is a *group* that is stored whole or not at all.
The database alone knows every ID number of the township, also of those people whom the caller may not see. So a group
is inserted on trial, and where one of its people is refused, it is taken back and the rest are inserted again.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.core.field_texts import FIELD_TEXTS, declare
from app.core.ids import uuid7
from app.core.language import Text
from app.core.problems import Conflict, FieldError, IdReused, Invalid, Problem
from app.core.work import Work
from app.domain.identity import IdNumber, InvalidIdNumber, parse_id_number
from app.schemas.households import PersonBody
from app.services.sealing import id_fingerprint, phone_fingerprint, seal

CONTRADICTS = declare(
    "contradicts-id-number", "与身份证号码不一致。", "This contradicts the ID number, from which it follows."
)
_REPEATED = declare("repeated", "在同一内容中重复出现。", "This stands twice in one body.")
_REGISTERED = declare("person-registered", "该身份证号码已登记。", "This ID number is registered already.")
_REUSED = declare("id-reused", "该编号已被使用。", "This id is in use.")


class PersonRegistered(Conflict):
    """A person whose ID number is in the township's register already, in whichever unit."""

    code = "person-registered"
    title = Text("人员已登记", "Person already registered")
    detail_text = Text(
        "该身份证号码已在本镇登记。", "A person with this ID number is already registered in the township."
    )
    constraints = ("uq_people_id_fingerprint",)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person who was read and found in order; `pointer` is where the body told of them."""

    id: UUID
    household_id: UUID
    unit_code: int
    pointer: str
    content_hash: bytes
    body: PersonBody
    number: IdNumber | None
    fingerprint: bytes | None


def read_identity(
    id_number: str | None, sex: str | None, birth_date: date | None, pointer: str, today: date
) -> tuple[IdNumber | None, list[FieldError]]:
    """Return a person's ID number, if one was given, and every fault in what was sent of the identity."""
    if id_number is None:
        future = birth_date is not None and birth_date > today
        return None, [_fault(pointer, "birth_date", "out-of-range")] if future else []
    try:
        number = parse_id_number(id_number, today)
    except InvalidIdNumber as error:
        return None, [_fault(pointer, "id_number", error.code)]
    sent = {"sex": (sex, number.sex), "birth_date": (birth_date, number.birth_date)}
    return number, [
        _fault(pointer, field, CONTRADICTS)
        for field, (said, follows) in sent.items()
        if said not in (None, follows)
    ]


def read_people(
    work: Work,
    sent: Sequence[tuple[str, PersonBody]],
    household_id: UUID,
    unit_code: int,
    content_hash: bytes,
) -> list[NewPerson]:
    """Read the people of one body, each with the pointer to where it stands.

    Raises:
        Invalid: an ID number, sex or birth date is wrong, or an id stands twice.
        PersonRegistered: an ID number stands twice.
    """
    ids = iter(sorted(uuid7() for _ in sent))
    people, faults = [], []
    for pointer, body in sent:
        number, wrong = read_identity(body.id_number, body.sex, body.birth_date, pointer, work.today)
        faults += wrong
        print_ = id_fingerprint(work, number.value) if number else None
        id_ = body.id or next(ids)
        people.append(NewPerson(id_, household_id, unit_code, pointer, content_hash, body, number, print_))
    faults += [_fault(person.pointer, "id", _REPEATED) for person in _repeated(people, lambda p: p.id)]
    if faults:
        raise Invalid(faults)
    twice = _repeated(people, lambda p: p.fingerprint)
    if twice:
        raise PersonRegistered([_fault(person.pointer, "id_number", _REGISTERED) for person in twice])
    return people


Groups = Mapping[UUID, Sequence[NewPerson]]
"""The new people of each record of a batch."""


async def screen(work: Work, groups: Groups) -> dict[UUID, Problem]:
    """Return the groups that cannot be stored, as far as the caller may know it, or as one before them says the same.

    Most refusals are found here; `store_with_people` finds those of hidden and parallel rows.
    """
    people = [person for group in groups.values() for person in group]
    rows = await work.sql.fetch(
        _TAKEN, work.township_code, [p.id for p in people], [p.fingerprint for p in people if p.fingerprint]
    )
    ids, prints = {row["id"] for row in rows}, {row["id_fingerprint"] for row in rows} - {None}
    problems: dict[UUID, Problem] = {}
    for group_id, group in groups.items():
        problem = _refusal(group, prints, ids)
        if problem is not None:
            problems[group_id] = problem
        else:
            prints |= {person.fingerprint for person in group} - {None}
            ids |= {person.id for person in group}
    return problems


async def store_with_people(
    work: Work, groups: Groups, insert_records: Callable[[Collection[UUID]], Awaitable[Collection[UUID]]]
) -> tuple[set[UUID], dict[UUID, Problem]]:
    """Insert records and their new people; return the records stored, and the problems of those refused.

    `insert_records` inserts the records of the ids it is given with ON CONFLICT DO NOTHING, and returns those that it
    did insert; the others were a parallel request's, and neither they nor their people are stored here.
    """
    left, problems = dict(groups), dict[UUID, Problem]()
    await work.sql.execute("SAVEPOINT registration")
    while True:
        won = set(await insert_records(left))
        people = {person.id: person for id_ in left if id_ in won for person in left[id_]}
        refused = people.keys() - await _insert(work, people.values())
        if not refused:
            await work.sql.execute("RELEASE SAVEPOINT registration")
            return won, problems
        found = await _explain(work, [people[id_] for id_ in refused], left)
        await work.sql.execute("ROLLBACK TO SAVEPOINT registration")
        problems |= found
        left = {id_: group for id_, group in left.items() if id_ not in found}


_TAKEN = """
SELECT id, id_fingerprint FROM people
WHERE township_code = $1 AND (id = ANY($2) OR id_fingerprint = ANY($3))
"""

_INSERT = """
INSERT INTO people (township_code, author_id, recorded_at, rev, edited_rev, ever_quarantined, id, household_id,
    unit_code, content_hash, name, relation, sex, birth_date, id_sealed, id_fingerprint, phone_sealed,
    phone_fingerprint)
SELECT $1, $2, $3, 1, 1, false, n.*
FROM unnest($4::uuid[], $5::uuid[], $6::bigint[], $7::bytea[], $8::text[], $9::text[], $10::text[], $11::date[],
    $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[]) AS n
ON CONFLICT DO NOTHING RETURNING id
"""


async def _insert(work: Work, people: Iterable[NewPerson]) -> set[UUID]:
    """Insert people, in the order of their fingerprints so that two batches cannot wait for each other in a circle."""
    ordered = sorted(people, key=lambda person: person.fingerprint or b"")
    rows = [_columns(work, person) for person in ordered]
    if not rows:
        return set()
    columns = [list(column) for column in zip(*rows, strict=True)]
    stored = await work.sql.fetch(_INSERT, work.township_code, work.account_id, work.now, *columns)
    return {row["id"] for row in stored}


def _columns(work: Work, person: NewPerson) -> tuple[object, ...]:
    body, number = person.body, person.number
    return (
        person.id,
        person.household_id,
        person.unit_code,
        person.content_hash,
        body.name,
        body.relation,
        number.sex if number else body.sex,
        number.birth_date if number else body.birth_date,
        seal(work, "people.id_number", person.id, number.value if number else None),
        person.fingerprint,
        seal(work, "people.phone", person.id, body.phone),
        phone_fingerprint(work, body.phone),
    )


async def _explain(work: Work, refused: Sequence[NewPerson], groups: Groups) -> dict[UUID, Problem]:
    """Return why people could not be inserted: under another id it would work unless the number is registered.

    The trial is taken back with the rest.
    """
    trial = {uuid7(): person for person in refused}
    inserted = await _insert(work, [replace(person, id=id_) for id_, person in trial.items()])
    ids = {trial[id_].id for id_ in inserted}
    prints = {person.fingerprint for id_, person in trial.items() if id_ not in inserted}
    problems = ((group_id, _refusal(group, prints, ids)) for group_id, group in groups.items())
    return {group_id: problem for group_id, problem in problems if problem is not None}


def _refusal(
    people: Sequence[NewPerson], prints: Collection[bytes | None], ids: Collection[UUID]
) -> Problem | None:
    known = [p for p in people if p.fingerprint is not None and p.fingerprint in prints]
    if known:
        return PersonRegistered([_fault(person.pointer, "id_number", _REGISTERED) for person in known])
    reused = [p for p in people if p.id in ids]
    return IdReused([_fault(person.pointer, "id", _REUSED) for person in reused]) if reused else None


def _repeated(people: Iterable[NewPerson], key: Callable[[NewPerson], object]) -> list[NewPerson]:
    seen: set[object] = {None}
    repeated = []
    for person in people:
        if key(person) in seen and key(person) is not None:
            repeated.append(person)
        seen.add(key(person))
    return repeated


def _fault(pointer: str, field: str, code: str) -> FieldError:
    return FieldError(f"{pointer}/{field}", str(code), FIELD_TEXTS[code])
