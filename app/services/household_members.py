"""People who join a household that is registered already."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from app.core.ids import uuid7
from app.core.outcome import Outcome
from app.core.problems import IdReused, NotFound, Problem
from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.schemas.households import PersonBody, PersonView
from app.services.batch import Item, as_typed, outcomes
from app.services.claims import content_hash, first_of_each, settle
from app.services.person_registration import NewPerson, read_people, screen, store_with_people
from app.services.persons import person_views

_LOCK = """
SELECT id, unit_code FROM households WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR UPDATE
"""

_GREW = """
UPDATE households SET rev = rev + 1 WHERE township_code = $1 AND id = ANY($2)
"""


class NewMember(NamedTuple):
    """A person, and the household that they join."""

    household_id: UUID
    person: PersonBody


async def register_members(work: Work, members: Sequence[NewMember]) -> list[Outcome[PersonView]]:
    """Register people in existing households; each stands or falls alone.

    Problems: NotFound (no such household, or not for this caller), Invalid, PersonRegistered, IdReused.
    """
    units = await lock_households(work, (member.household_id for member in members))
    items = await _begin(work, members)
    groups: dict[UUID, list[NewPerson]] = {}
    for item, member in zip(items, members, strict=True):
        if item.fresh:
            try:
                groups[item.id] = [_read(work, item, member, units)]
            except Problem as problem:
                item.problem = problem
    problems = await screen(work, groups)
    groups = {id_: group for id_, group in groups.items() if id_ not in problems}
    stored, refused = await store_with_people(work, groups, _no_records)
    for item in items:
        if item.fresh:
            item.problem = {**problems, **refused}.get(item.id)
    await _count(work, [groups[id_][0] for id_ in stored])
    return outcomes(items, await person_views(work, {item.id for item in items if item.problem is None}))


async def lock_households(work: Work, ids: Iterable[UUID]) -> dict[UUID, int]:
    """Lock the households among these ids that the caller may see, until the transaction ends; return their units."""
    rows = await work.sql.fetch(_LOCK, work.township_code, list(set(ids)))
    return {row["id"]: row["unit_code"] for row in rows}


async def _begin(work: Work, members: Sequence[NewMember]) -> list[Item[PersonBody]]:
    """Find the repeats. The households are locked, so that no parallel repeat is under way."""
    ids = [member.person.id or uuid7() for member in members]
    firsts = first_of_each(ids)
    items = [
        Item(
            id_,
            person,
            content_hash(work, "household.member", person, household_id),
            as_typed(work, person),
            position in firsts,
        )
        for position, (id_, (household_id, person)) in enumerate(zip(ids, members, strict=True))
    ]
    settled = await settle(work, "people", {item.id: item.content_hash for item in items if item.first})
    for item in items:
        item.replayed = item.first and item.id in settled.replayed
        if item.id in settled.reused:
            item.problem = IdReused()
    return items


def _read(work: Work, item: Item[PersonBody], member: NewMember, units: Mapping[UUID, int]) -> NewPerson:
    if member.household_id not in units:
        raise NotFound
    unit = units[member.household_id]
    (person,) = read_people(work, [("", item.body)], member.household_id, unit, item.content_hash)
    return replace(person, id=item.id)


async def _no_records(ids: Collection[UUID]) -> Collection[UUID]:
    """A person who comes alone brings no other record."""
    return ids


async def _count(work: Work, people: Sequence[NewPerson]) -> None:
    grown = {person.household_id for person in people}
    await work.sql.execute(_GREW, work.township_code, list(grown))
    work.touch(RecordKind.HOUSEHOLD, grown)
    work.touch(RecordKind.PERSON, (person.id for person in people))
    for person in people:
        work.count(person.unit_code, work.today, Metric.PEOPLE)
