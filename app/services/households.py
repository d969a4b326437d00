"""Households: registering them with their people, in batches, and showing them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from app.core.outcome import Outcome
from app.core.problems import IdReused, NotFound, Problem
from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.schemas.households import HouseholdBody, HouseholdView
from app.services.batch import Item, begin, follow_winners, outcomes, settle_repeats
from app.services.claims import settle
from app.services.person_registration import NewPerson, read_people, screen, store_with_people
from app.services.persons import moved, people_of

_INSERT = """
INSERT INTO households (township_code, author_id, recorded_at, rev, edited_rev, id, unit_code, content_hash, address,
    register_no, head_id)
SELECT $1, $2, $3, 1, 1, n.*
FROM unnest($4::uuid[], $5::bigint[], $6::bytea[], $7::text[], $8::text[], $9::uuid[]) AS n
ON CONFLICT DO NOTHING RETURNING id
"""

_VIEWS = """
SELECT id, unit_code, address, register_no, head_id, checked_at, recorded_at, rev FROM households
WHERE township_code = $1 AND id = ANY($2)
"""


async def register_households(work: Work, bodies: Sequence[HouseholdBody]) -> list[Outcome[HouseholdView]]:
    """Register households with their people; each stands or falls alone.

    Problems: NotFound (no such unit, or not the caller's), Invalid (an ID number or what contradicts it),
    PersonRegistered, IdReused.
    """
    items = await store_households(work, bodies)
    return outcomes(items, await household_views(work, {item.id for item in items if item.problem is None}))


async def store_households(work: Work, bodies: Sequence[HouseholdBody]) -> list[Item[HouseholdBody]]:
    """Register households and show nothing: for many at once, nobody of whom will be looked at."""
    items = await begin(work, "households", "household.register", bodies)
    groups = await _read(work, [item for item in items if item.fresh])
    problems = await screen(work, groups)
    fresh = {item.id: item for item in items if item.fresh and item.id not in problems}

    async def insert(ids: Collection[UUID]) -> set[UUID]:
        return await _insert(work, [fresh[id_] for id_ in ids], groups)

    stored, refused = await store_with_people(work, {id_: groups[id_] for id_ in fresh}, insert)
    problems |= refused
    await _refuse(work, [item for item in items if item.fresh and item.id in problems], problems)
    await follow_winners(work, "households", [item for item in items if item.fresh and item.id not in stored])
    _count(work, [groups[id_] for id_ in stored])
    work.touch(RecordKind.HOUSEHOLD, stored)
    work.touch(RecordKind.PERSON, (person.id for id_ in stored for person in groups[id_]))
    return settle_repeats(items)


async def household_views(work: Work, ids: Iterable[UUID]) -> dict[UUID, HouseholdView]:
    """Return the households among these ids that the caller may see."""
    rows = await work.sql.fetch(_VIEWS, work.township_code, list(ids))
    people = await people_of(work, [row["id"] for row in rows])
    views = {}
    for row in rows:
        everybody = {person.id: person for person in people[row["id"]]}
        head, *members = [everybody.pop(row["head_id"]), *everybody.values()]
        warnings = moved(head.warnings, "/head")
        for position, member in enumerate(members):
            warnings += moved(member.warnings, f"/members/{position}")
        views[row["id"]] = HouseholdView(
            id=row["id"],
            unit_code=row["unit_code"],
            address=row["address"],
            register_no=row["register_no"],
            head=head,
            members=members,
            checked_at=row["checked_at"],
            created_at=row["recorded_at"],
            rev=row["rev"],
            warnings=warnings,
        )
    return views


async def show_household(work: Work, household_id: UUID) -> HouseholdView:
    """Return one household.

    Raises:
        NotFound: there is none, or not for this caller.
    """
    views = await household_views(work, [household_id])
    if household_id not in views:
        raise NotFound
    return views[household_id]


async def visible_units(work: Work, codes: Iterable[int]) -> set[int]:
    """Return which of these are units of the township that lie in the caller's scope."""
    rows = await work.sql.fetch(
        "SELECT unit_code FROM units WHERE township_code = $1 AND unit_code = ANY($2)",
        work.township_code,
        list(set(codes)),
    )
    return {row["unit_code"] for row in rows if work.sees_unit(row["unit_code"])}


async def _read(work: Work, items: Iterable[Item[HouseholdBody]]) -> dict[UUID, list[NewPerson]]:
    """Return the people of each household that is in order, the head first; the others get their problem."""
    items = list(items)
    units = await visible_units(work, (int(item.body.unit_code) for item in items))
    groups = {}
    for item in items:
        body, unit = item.body, int(item.body.unit_code)
        sent = [("/head", body.head), *((f"/members/{n}", person) for n, person in enumerate(body.members))]
        try:
            if unit not in units:
                raise NotFound
            groups[item.id] = read_people(work, sent, item.id, unit, item.content_hash)
        except Problem as problem:
            item.problem = problem
    return groups


async def _insert(
    work: Work, items: Iterable[Item[HouseholdBody]], groups: dict[UUID, list[NewPerson]]
) -> set[UUID]:
    rows = sorted(
        (
            item.id,
            int(item.body.unit_code),
            item.content_hash,
            item.body.address,
            item.body.register_no,
            groups[item.id][0].id,
        )
        for item in items
    )
    if not rows:
        return set()
    columns = [list(column) for column in zip(*rows, strict=True)]
    stored = await work.sql.fetch(_INSERT, work.township_code, work.account_id, work.now, *columns)
    return {row["id"] for row in stored}


async def _refuse(work: Work, items: Sequence[Item[HouseholdBody]], problems: Mapping[UUID, Problem]) -> None:
    """Give items their problem, unless the people whom they met were registered by a parallel repeat of themselves."""
    settled = await settle(work, "households", {item.id: item.content_hash for item in items})
    for item in items:
        item.replayed = item.id in settled.replayed
        if item.id in settled.reused:
            item.problem = IdReused()
        elif not item.replayed:
            item.problem = problems[item.id]


def _count(work: Work, groups: Iterable[Sequence[NewPerson]]) -> None:
    for people in groups:
        unit = people[0].unit_code
        work.count(unit, work.today, Metric.HOUSEHOLDS)
        work.count(unit, work.today, Metric.PEOPLE, len(people))
