"""Checks at households' doors (上门排查): recorded in batches, opening quarantine where an exposure is found.

Source: 对湖北返乡、经停湖北返乡、与确诊者密切接触的人员,立即组织上门检查,立即明确专人负责监控.
"""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID, uuid5

from app.core.outcome import Outcome
from app.core.problems import Invalid, NotFound, Problem, at
from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.quarantine import opens_order
from app.schemas.household_checks import CheckBody, CheckView
from app.services.batch import Item, Moments, begin, follow_winners, outcomes, settle_repeats
from app.services.check_counts import Before, count, counted_before
from app.services.check_lines import Check, Member, lock_members, read_check
from app.services.check_results import store_results
from app.services.check_views import check_views
from app.services.household_members import lock_households
from app.services.moments import in_the_future
from app.services.person_registration import screen, store_with_people
from app.services.quarantine_orders import AlreadyQuarantined, NewOrder, open_orders

_INSERT = """
INSERT INTO household_checks (township_code, author_id, recorded_at, id, content_hash, unit_code, fact_unit_code,
    household_id, occurred_at, day, register_seen, note, unaccounted, claimed_at, time_quality)
SELECT $1, $2, $3, n.id, n.content_hash, n.unit, n.unit, n.household_id, n.occurred_at, n.day, n.register_seen, n.note,
    string_to_array(n.unaccounted, ',')::uuid[], n.claimed_at, n.time_quality
FROM unnest($4::uuid[], $5::bytea[], $6::bigint[], $7::uuid[], $8::timestamptz[], $9::date[], $10::bool[], $11::text[],
    $12::text[], $13::timestamptz[], $14::text[])
    AS n(id, content_hash, unit, household_id, occurred_at, day, register_seen, note, unaccounted, claimed_at,
        time_quality)
ON CONFLICT DO NOTHING RETURNING id
"""


async def record_checks(
    work: Work, bodies: Sequence[CheckBody], moments: Moments = None
) -> list[Outcome[CheckView]]:
    """Record checks, each with the people it registers and the quarantine orders it opens; each stands or falls alone.

    Several checks of one household act in the order sent. Problems: NotFound (no such household, or not for this
    caller), Invalid, PersonRegistered, IdReused.
    """
    items = await store_checks(work, bodies, moments)
    return outcomes(items, await check_views(work, {item.id for item in items if item.problem is None}))


async def store_checks(
    work: Work, bodies: Sequence[CheckBody], moments: Moments = None
) -> list[Item[CheckBody]]:
    """Record checks and show nothing."""
    items = await begin(work, "household_checks", "household.check", bodies, moments)
    left = [item for item in items if item.fresh]
    while left:
        wave = _first_of_each_household(left)
        await _record(work, wave)
        done = {item.id for item in wave}
        left = [item for item in left if item.id not in done]
    return settle_repeats(items)


def _first_of_each_household(items: Iterable[Item[CheckBody]]) -> list[Item[CheckBody]]:
    first: dict[UUID, Item[CheckBody]] = {}
    for item in items:
        first.setdefault(item.body.household_id, item)
    return list(first.values())


async def _record(work: Work, items: Sequence[Item[CheckBody]]) -> None:
    """Record checks of distinct households, under the lock of these.

    A parallel repeat waits for that lock, finds the newcomers to be members, and loses at the insert.
    """
    units = await lock_households(work, (item.body.household_id for item in items))
    members = await lock_members(work, units)
    checks = _read(work, items, units, members)
    if not checks:
        return
    problems = await screen(work, {check.id: check.newcomers for check in checks.values()})
    checks = {id_: check for id_, check in checks.items() if id_ not in problems}
    before = await counted_before(work, list(checks.values())) if checks else Before(frozenset(), {})

    async def insert(ids: Collection[UUID]) -> set[UUID]:
        return await _insert(work, [checks[id_] for id_ in ids])

    stored, refused = await store_with_people(
        work, {id_: check.newcomers for id_, check in checks.items()}, insert
    )
    problems |= refused
    for item in items:
        item.problem = item.problem or problems.get(item.id)
    await follow_winners(
        work, "household_checks", [item for item in items if item.fresh and item.id not in stored]
    )
    done = [check for id_, check in checks.items() if id_ in stored]
    await _open_orders(work, done)
    await store_results(work, done)
    for check in done:
        count(work, check, before)
        work.touch(RecordKind.PERSON, (person.id for person in check.newcomers))
        work.count(check.unit_code, work.today, Metric.PEOPLE, len(check.newcomers))


def _read(
    work: Work, items: Iterable[Item[CheckBody]], units: dict[UUID, int], members: dict[UUID, list[Member]]
) -> dict[UUID, Check]:
    """Return the checks that are in order; the others get their problem."""
    checks = {}
    for item in items:
        if item.fresh:
            try:
                checks[item.id] = _read_one(work, item, units, members)
            except Problem as problem:
                item.problem = problem
    return checks


def _read_one(
    work: Work, item: Item[CheckBody], units: dict[UUID, int], members: dict[UUID, list[Member]]
) -> Check:
    body = item.body
    if body.household_id not in units:
        raise NotFound
    if in_the_future(work, item.moment.occurred_at):
        raise at("/occurred_at", "in-the-future")
    return read_check(work, item, units[body.household_id], members[body.household_id])


async def _insert(work: Work, checks: Iterable[Check]) -> set[UUID]:
    rows = [
        (
            check.id,
            check.content_hash,
            check.unit_code,
            check.body.household_id,
            check.moment.occurred_at,
            check.day,
            check.body.register_seen,
            check.body.note,
            ",".join(map(str, check.unaccounted)),
            check.moment.claimed_at,
            check.moment.quality,
        )
        for check in sorted(checks, key=lambda check: check.id)
    ]
    if not rows:
        return set()
    columns = [list(column) for column in zip(*rows, strict=True)]
    stored = await work.sql.fetch(_INSERT, work.township_code, work.account_id, work.now, *columns)
    return {row["id"] for row in stored}


async def _open_orders(work: Work, checks: Sequence[Check]) -> None:
    """Open an order for everybody found exposed and at home, with the check's author as monitor.

    Somebody who is under quarantine already gets none, and neither does somebody whose days were over before the
    check arrived. An order's id follows from check and person, so that a check sent again names the same.
    """
    orders = [order for check in checks for order in _orders(work, check)]
    opened = {outcome.id: outcome.problem for outcome in await open_orders(work, orders)}
    for problem in opened.values():
        if problem is not None and not isinstance(problem, AlreadyQuarantined | Invalid):
            raise problem
    by_id = {check.id: check for check in checks}
    for order in orders:
        if order.check_id is not None and opened[order.id] is None:
            by_id[order.check_id].order_ids[order.person_id] = order.id


def _orders(work: Work, check: Check) -> Iterable[NewOrder]:
    for line in check.lines:
        reason = opens_order(line.body.exposure, line.body.whereabouts)
        if reason is not None:
            id_ = uuid5(check.id, str(line.person_id))
            yield NewOrder(
                id_, line.person_id, reason, check.day, work.account_id, check.id, [], check.content_hash
            )
