"""Opening quarantine orders (居家隔离): by name, or in the transaction of the household check that found an exposure.

Locks are taken in one order everywhere: people, orders, slots, sites, alerts, and last of all the counters.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.language import Text
from app.core.outcome import Outcome
from app.core.problems import Conflict, IdReused, NotFound, Problem, at
from app.core.work import Work
from app.domain.enums import OrderReason, VisitKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.quarantine import ends_on, required_slots
from app.schemas.quarantine import Helper, OrderBody, OrderView
from app.services import batch, household_sites
from app.services.claims import settle
from app.services.passes import revoke_passes_of
from app.services.quarantine_slots import OwedSlot, add_slots
from app.services.quarantine_views import HELPERS, order_views
from app.services.sealing import seal
from app.services.township_settings import settings_of

MOST_DAYS_AGO, MOST_DAYS_AHEAD = 60, 30

declare(
    "quarantine-over", "按此起始日期,隔离期已满。", "From this first day on, the quarantine is over already."
)


class AlreadyQuarantined(Conflict):
    """The person has an active order."""

    code = "already-quarantined"
    title = Text("已在隔离中", "Already quarantined")
    detail_text = Text("此人已有生效的隔离令。", "This person has an active quarantine order.")
    constraints = ("uq_quarantine_orders_active_person",)


@dataclass(slots=True)
class NewOrder:
    """An order to open."""

    id: UUID
    person_id: UUID
    reason: OrderReason
    starts_on: date
    monitor_id: UUID
    check_id: UUID | None
    helpers: Sequence[Helper]
    content_hash: bytes
    replayed: bool = False
    problem: Problem | None = None


_LOCK_PEOPLE = """
SELECT p.id, p.unit_code, p.household_id, p.quarantine_order_id, h.address
FROM people p JOIN households h ON h.township_code = p.township_code AND h.id = p.household_id
WHERE p.township_code = $1 AND p.id = ANY($2) ORDER BY p.id FOR NO KEY UPDATE OF p
"""

_INSERT = """
INSERT INTO quarantine_orders (township_code, author_id, recorded_at, opened_at, ends_on, service_per_day,
    temperature_per_day, status, rev, id, unit_code, household_id, address, content_hash, person_id, check_id, reason,
    starts_on, monitor_id, helpers_sealed)
SELECT $1, $2, $3, $3, n.starts_on + $4::int, $5, $6, 'active', 1, n.*
FROM unnest($7::uuid[], $8::bigint[], $9::uuid[], $10::text[], $11::bytea[], $12::uuid[], $13::uuid[], $14::text[],
    $15::date[], $16::uuid[], $17::bytea[])
    AS n(id, unit_code, household_id, address, content_hash, person_id, check_id, reason, starts_on, monitor_id, sealed)
ORDER BY n.id
ON CONFLICT DO NOTHING RETURNING id
"""

_MARK_PEOPLE = """
UPDATE people p SET quarantine_order_id = n.order_id, ever_quarantined = true, rev = p.rev + 1
FROM unnest($2::uuid[], $3::uuid[]) AS n(person_id, order_id)
WHERE p.township_code = $1 AND p.id = n.person_id
"""

_ACTIVE_STAFF = "SELECT id FROM staff WHERE township_code = $1 AND id = ANY($2) AND active"


async def create_orders(work: Work, bodies: Sequence[OrderBody]) -> list[Outcome[OrderView]]:
    """Open the orders that callers ask for by name.

    An item's problems: NotFound (the person or the monitor), Invalid, AlreadyQuarantined, IdReused.
    """
    items = await batch.begin(work, "quarantine_orders", "quarantine.open", bodies)
    staff = await visible_staff(work, [i.body.monitor_id for i in items if i.body.monitor_id])
    orders: dict[UUID, NewOrder] = {}
    for item in items:
        if item.fresh and item.body.monitor_id and item.body.monitor_id not in staff:
            item.problem = NotFound()
        if item.fresh:
            orders[item.id] = _new_order(work, item)
    opened = {outcome.id: outcome for outcome in await open_orders(work, list(orders.values()))}
    for item in items:
        if item.fresh:
            item.replayed, item.problem = opened[item.id].replayed, opened[item.id].problem
    views = await order_views(work, [item.id for item in items if item.problem is None])
    return batch.outcomes(items, views)


def _new_order(work: Work, item: batch.Item[OrderBody]) -> NewOrder:
    body = item.body
    monitor_id = body.monitor_id or work.account_id
    return NewOrder(
        item.id,
        body.person_id,
        body.reason,
        body.starts_on,
        monitor_id,
        None,
        body.helpers,
        item.content_hash,
    )


async def visible_staff(work: Work, wanted: Iterable[UUID]) -> frozenset[UUID]:
    """Return those of the wanted who may be made a monitor: active staff whom the caller may see, and the caller."""
    ids = set(wanted) - {work.account_id}
    rows = await work.sql.fetch(_ACTIVE_STAFF, work.township_code, list(ids)) if ids else []
    return frozenset(row["id"] for row in rows) | {work.account_id}


async def open_orders(work: Work, orders: Sequence[NewOrder]) -> list[Outcome[OrderView]]:
    """Open orders with distinct ids: store them with their slots, mark the people, count, and make their homes sites.

    An item's problems: NotFound (the person is not there, or not for the caller), AlreadyQuarantined, Invalid (the
    first day), IdReused. The same order again is `replayed`.
    """
    if not orders:
        return []
    people = await _lock_people(work, {order.person_id for order in orders})
    settled = await settle(work, "quarantine_orders", {order.id: order.content_hash for order in orders})
    taken: set[UUID] = set()
    for order in orders:
        order.replayed = order.id in settled.replayed
        if order.id in settled.reused:
            order.problem = IdReused()
        elif not order.replayed:
            order.problem = _refusal(work, order, people.get(order.person_id), taken)
    fresh = [order for order in orders if not order.replayed and order.problem is None]
    stored = await _insert(work, fresh, people)
    await batch.follow_winners(work, "quarantine_orders", [o for o in fresh if o.id not in stored])
    await _begin_quarantine(work, [o for o in fresh if o.id in stored], people)
    views = await order_views(work, [order.id for order in orders if order.problem is None])
    return [Outcome(o.id, None if o.problem else views[o.id], o.replayed, o.problem) for o in orders]


async def _lock_people(work: Work, ids: Iterable[UUID]) -> Mapping[UUID, asyncpg.Record]:
    rows = await work.sql.fetch(_LOCK_PEOPLE, work.township_code, list(ids))
    return {row["id"]: row for row in rows}


def _refusal(work: Work, order: NewOrder, person: asyncpg.Record | None, taken: set[UUID]) -> Problem | None:
    """Return why an order cannot be opened; a person whom an order of this batch will take is taken."""
    if person is None:
        return NotFound()
    age = work.today - order.starts_on
    if not timedelta(days=-MOST_DAYS_AHEAD) <= age <= timedelta(days=MOST_DAYS_AGO):
        return at("/starts_on", "out-of-range")
    if ends_on(order.starts_on, settings_of(work).quarantine_days) <= work.today:
        return at("/starts_on", "quarantine-over")
    if person["quarantine_order_id"] is not None or order.person_id in taken:
        return AlreadyQuarantined()
    taken.add(order.person_id)
    return None


async def _insert(
    work: Work, orders: Sequence[NewOrder], people: Mapping[UUID, asyncpg.Record]
) -> frozenset[UUID]:
    """Store the orders, and return the ids that were free."""
    if not orders:
        return frozenset()
    rules = settings_of(work)
    homes = [people[order.person_id] for order in orders]
    rows = await work.sql.fetch(
        _INSERT,
        work.township_code,
        work.account_id,
        work.now,
        rules.quarantine_days,
        rules.service_visits_per_day,
        rules.temperatures_per_day,
        [order.id for order in orders],
        [home["unit_code"] for home in homes],
        [home["household_id"] for home in homes],
        [home["address"] for home in homes],
        [order.content_hash for order in orders],
        [order.person_id for order in orders],
        [order.check_id for order in orders],
        [order.reason for order in orders],
        [order.starts_on for order in orders],
        [order.monitor_id for order in orders],
        [seal_helpers(work, order.id, order.helpers) for order in orders],
    )
    return frozenset(row["id"] for row in rows)


def seal_helpers(work: Work, order_id: UUID, helpers: Sequence[Helper]) -> bytes | None:
    """Return the helpers as sealed JSON; None where there are none."""
    if not helpers:
        return None
    return seal(work, HELPERS, order_id, json.dumps([h.model_dump() for h in helpers], ensure_ascii=False))


async def _begin_quarantine(
    work: Work, orders: Sequence[NewOrder], people: Mapping[UUID, asyncpg.Record]
) -> None:
    """Do what follows from orders that were stored."""
    if not orders:
        return
    rules = settings_of(work)
    per_day = {
        VisitKind.SERVICE: rules.service_visits_per_day,
        VisitKind.TEMPERATURE: rules.temperatures_per_day,
    }
    owed: list[OwedSlot] = []
    for order in orders:
        unit_code = people[order.person_id]["unit_code"]
        end = ends_on(order.starts_on, rules.quarantine_days)
        slots = required_slots(order.starts_on, end, per_day, work.now, work.township.zone)
        owed += [OwedSlot(order.id, unit_code, slot) for slot in slots]
        work.count(unit_code, work.today, Metric.ORDERS_ACTIVE)
    await work.sql.execute(
        _MARK_PEOPLE, work.township_code, [o.person_id for o in orders], [o.id for o in orders]
    )
    await revoke_passes_of(work, [order.person_id for order in orders], "quarantine")
    work.touch(RecordKind.QUARANTINE_ORDER, (order.id for order in orders))
    work.touch(RecordKind.PERSON, (order.person_id for order in orders))
    await add_slots(work, owed)
    await household_sites.orders_changed(work, {people[o.person_id]["household_id"] for o in orders})
