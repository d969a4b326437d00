"""Households of a sheet on their way into the register, beside what is registered already.

A household is known by its unit and 户号, a person by their ID number, or within a household by their name. Who is
registered already is left as they are; a household that has grown gets its new members.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

import asyncpg

from app.core.outcome import Outcome
from app.core.problems import IdReused, Problem
from app.core.work import Work
from app.schemas.households import HouseholdBody, PersonBody, PersonView
from app.services.batch import Item
from app.services.household_members import NewMember, register_members
from app.services.households import store_households
from app.services.imports.faults import (
    CHANGED_SINCE,
    HEAD_MISSING,
    HEAD_REJECTED,
    HEAD_TAKEN,
    NUMBER_NOT_REGISTERED,
    REGISTERED_ELSEWHERE,
    blame,
)
from app.services.imports.ground import NAMESPACE
from app.services.imports.households import Group, Member
from app.services.imports.result import Imported
from app.services.person_registration import PersonRegistered
from app.services.sealing import id_fingerprint

_ROUNDS = 6
"""A round stores what it can; the next looks again at what a parallel import was quicker with, and adds the members
beyond the hundred with which a household is registered."""
_BODY_MEMBERS = 99

# One statement, so that a household and its people are seen as of one moment.
_REGISTERED = """
WITH homes AS MATERIALIZED (
    SELECT id, unit_code, register_no FROM households WHERE township_code = $1 AND id = ANY($2)
    UNION
    SELECT h.id, h.unit_code, h.register_no
    FROM unnest($3::bigint[], $4::text[]) AS wanted(unit_code, register_no)
    JOIN households h
        ON h.township_code = $1 AND h.unit_code = wanted.unit_code AND h.register_no = wanted.register_no
)
SELECT id AS household_id, unit_code, register_no, NULL::uuid AS person_id, NULL AS name, NULL::bytea AS print
FROM homes
UNION
SELECT p.household_id, NULL, NULL, p.id, p.name, p.id_fingerprint
FROM homes JOIN people p ON p.township_code = $1 AND p.household_id = homes.id
UNION
SELECT household_id, NULL, NULL, id, name, id_fingerprint
FROM people WHERE township_code = $1 AND id_fingerprint = ANY($5)
"""


@dataclass(slots=True)
class _Known:
    """What the register holds of the groups at hand."""

    people: set[UUID] = field(default_factory=set)
    """The ids of registered people."""

    households: dict[UUID, UUID] = field(default_factory=dict)
    """The registered household of each group."""
    prints: dict[bytes, UUID] = field(default_factory=dict)
    """The household in which an ID number is registered."""
    names: dict[UUID, Counter[str]] = field(default_factory=dict)
    """How many people of a name a household has, whom no row means by ID number or by an id of an earlier import."""
    unnumbered: dict[UUID, set[str]] = field(default_factory=dict)
    """The names of a household's people who have no ID number in the register."""


@dataclass(slots=True)
class _Order:
    """What to register: new households with the rows of their people (the head first), and new members."""

    bodies: list[HouseholdBody] = field(default_factory=list)
    body_rows: list[tuple[Group, list[Member]]] = field(default_factory=list)
    joining: list[NewMember] = field(default_factory=list)
    joining_rows: list[tuple[Group, Member]] = field(default_factory=list)


async def load_households(work: Work, groups: Sequence[Group], done: Imported) -> None:
    """Load the groups in this transaction; every row of theirs meets its fate in `done`."""
    pending = list(groups)
    for round_ in range(_ROUNDS):
        last = round_ == _ROUNDS - 1
        prints = _fingerprints(work, pending)
        known = await _look_up(work, pending, prints)
        order = _Order()
        for group in pending:
            _sort_out(group, known, prints, order, done)
        _settle_members(order, await register_members(work, order.joining), done, last)
        _settle_households(order, await store_households(work, order.bodies), done, last)
        pending = [group for group in pending if group.members]
        if not pending:
            return
    for group in pending:
        _reject(group, group.members, "", CHANGED_SINCE, done)


def _fingerprints(work: Work, groups: Iterable[Group]) -> dict[int, bytes]:
    found = ((m.row, id_fingerprint(work, m.id_number)) for group in groups for m in group.members)
    return {row: print_ for row, print_ in found if print_ is not None}


async def _look_up(work: Work, groups: Sequence[Group], prints: dict[int, bytes]) -> _Known:
    rows = await work.sql.fetch(
        _REGISTERED,
        work.township_code,
        [group.id for group in groups],
        [group.unit_code for group in groups],
        [group.register_no for group in groups],
        list(prints.values()),
    )
    homes = [row for row in rows if row["person_id"] is None]
    ids = {row["household_id"] for row in homes}
    numbered = {(row["unit_code"], row["register_no"]): row["household_id"] for row in homes}
    known = _Known()
    for group in groups:
        found = group.id if group.id in ids else numbered.get((group.unit_code, group.register_no))
        if found is not None:
            known.households[group.id] = found
    people = (row for row in rows if row["person_id"] is not None)
    _note_people(known, people, groups, set(prints.values()))
    return known


def _note_people(
    known: _Known, people: Iterable[asyncpg.Record], groups: Iterable[Group], wanted: set[bytes]
) -> None:
    imported = {
        _id(group, f"{name}#{n}")
        for group in groups
        for name, count in group.unnumbered.items()
        for n in range(1, count + 1)
    }
    for row in people:
        household, print_ = row["household_id"], row["print"]
        known.people.add(row["person_id"])
        if print_ is not None:
            known.prints[print_] = household
        else:
            known.unnumbered.setdefault(household, set()).add(row["name"])
        if print_ not in wanted and row["person_id"] not in imported:
            known.names.setdefault(household, Counter())[row["name"]] += 1


def _sort_out(group: Group, known: _Known, prints: dict[int, bytes], order: _Order, done: Imported) -> None:
    """Give each row of a group its way: known already, refused, or to be registered."""
    home = known.households.get(group.id)
    new = [member for member in group.members if _is_new(member, group, home, known, prints, done)]
    group.members = new
    if home is None:
        _order_household(group, order, prints, done)
        return
    for member in list(new):
        if member.row == group.head_row:
            _reject(group, [member], "relation", HEAD_TAKEN, done)
        else:
            order.joining.append(NewMember(home, _with_id(group, member, prints)))
            order.joining_rows.append((group, member))


def _is_new(
    member: Member, group: Group, home: UUID | None, known: _Known, prints: dict[int, bytes], done: Imported
) -> bool:
    """Tell whether a row is to be registered; else it is counted as known, or refused."""
    print_ = prints.get(member.row)
    if print_ is None:
        if home is None or not _is_known_by_name(member, group, known.names.get(home, Counter()), known):
            return True
        done.unchanged += 1
        return False
    if print_ not in known.prints:
        if home is None or member.person.name not in known.unnumbered.get(home, ()):
            return True
        blame(done.faults, [member.row], "id_number", NUMBER_NOT_REGISTERED)
    elif known.prints[print_] == home:
        done.unchanged += 1
    else:
        blame(done.faults, [member.row], "id_number", REGISTERED_ELSEWHERE)
    return False


def _is_known_by_name(member: Member, group: Group, names: Counter[str], known: _Known) -> bool:
    if _id(group, _key(member)) in known.people:
        return True
    names[member.person.name] -= 1
    return names[member.person.name] >= 0


def _order_household(group: Group, order: _Order, prints: dict[int, bytes], done: Imported) -> None:
    """Order a new household, unless its head is missing or bad."""
    head = next((member for member in group.members if member.row == group.head), None)
    if not group.members:
        return
    if head is None:
        _reject(group, group.members, "", HEAD_MISSING if group.head is None else HEAD_REJECTED, done)
        return
    if group.address is None:
        _reject(group, [head], "address", "required", done)
        _reject(group, group.members, "", HEAD_REJECTED, done)
        return
    others = [member for member in group.members if member is not head][:_BODY_MEMBERS]
    people = [_with_id(group, member, prints) for member in (head, *others)]
    order.bodies.append(
        HouseholdBody(
            id=group.id,
            unit_code=str(group.unit_code),
            address=group.address,
            register_no=group.register_no,
            head=people[0],
            members=people[1:],
        )
    )
    order.body_rows.append((group, [head, *others]))


def _with_id(group: Group, member: Member, prints: dict[int, bytes]) -> PersonBody:
    """Return the person under an id that the same row has in every import."""
    print_ = prints.get(member.row)
    key = _key(member) if print_ is None else print_.hex()
    return member.person.model_copy(update={"id": _id(group, key)})


def _key(member: Member) -> str:
    return f"{member.person.name}#{member.namesake}"


def _id(group: Group, key: str) -> UUID:
    return uuid5(NAMESPACE, f"person/{group.id}/{key}")


def _settle_members(
    order: _Order, outcomes: Sequence[Outcome[PersonView]], done: Imported, last: bool
) -> None:
    for (group, member), outcome in zip(order.joining_rows, outcomes, strict=True):
        if outcome.problem is None:
            _store(group, [member], outcome.replayed, done)
        elif last or not _passing(outcome.problem):
            _reject_by(group, {"": member}, outcome.problem, done)


def _settle_households(
    order: _Order, items: Sequence[Item[HouseholdBody]], done: Imported, last: bool
) -> None:
    for (group, members), item in zip(order.body_rows, items, strict=True):
        if item.problem is None:
            _store(group, members, item.replayed, done)
        elif last or not _passing(item.problem):
            places = {"/head": members[0]} | {f"/members/{n}": m for n, m in enumerate(members[1:])}
            _reject_by(group, places, item.problem, done)


def _passing(problem: Problem) -> bool:
    """Tell whether a problem may be a parallel import's doing, so that the next look at the register explains it."""
    return isinstance(problem, PersonRegistered | IdReused)


def _store(group: Group, members: Sequence[Member], replayed: bool, done: Imported) -> None:
    if replayed:
        done.unchanged += len(members)
    else:
        done.created += len(members)
    _take(group, members)


def _reject_by(group: Group, places: dict[str, Member], problem: Problem, done: Imported) -> None:
    """Reject the rows that a problem blames, or all where it blames none; without its head a household falls."""
    blamed = [
        (place, error) for error in problem.errors for place in places if _lies_in(error.pointer, place)
    ]
    if not blamed:
        code = CHANGED_SINCE if isinstance(problem, IdReused) else problem.code
        _reject(group, places.values(), "", code, done)
    for place, error in blamed:
        code = CHANGED_SINCE if isinstance(problem, IdReused) else error.code
        _reject(group, [places[place]], error.pointer.rpartition("/")[2], code, done)
    if any(place == "/head" for place, _ in blamed):
        _reject(group, list(group.members), "", HEAD_REJECTED, done)


def _lies_in(pointer: str, place: str) -> bool:
    return pointer.rpartition("/")[0] == place


def _reject(group: Group, members: Iterable[Member], column: str, code: str, done: Imported) -> None:
    members = list(members)
    blame(done.faults, [member.row for member in members], column, code)
    _take(group, members)


def _take(group: Group, members: Sequence[Member]) -> None:
    rows = {member.row for member in members}
    group.members = [member for member in group.members if member.row not in rows]
