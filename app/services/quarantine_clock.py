"""What the clock does to quarantine: slots that ended are missed, orders whose last day is over are released.

Each step takes a bounded number of rows and leaves the rest to the next tick, passes over rows that a request holds at
this moment, and looks for what is not yet done rather than for what came due since the last tick: so it makes up
whatever it slept through, and does nothing twice.
"""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

import asyncpg

from app.core.work import Work
from app.domain.enums import AlertKind, VisitKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.quarantine import released_at
from app.services import household_sites, quarantine_slots
from app.services.alerts import NewAlert, raise_alerts
from app.services.quarantine_slots import MISSED

BATCH = 5_000

_MISS = """
WITH ended AS (
    SELECT order_id, day, kind, slot FROM quarantine_slots
    WHERE township_code = $1 AND visits = 0 AND NOT missed AND ends_at <= $2
        {of_orders}
    ORDER BY ends_at, order_id, day, kind, slot LIMIT $3
    FOR NO KEY UPDATE {wait}
)
UPDATE quarantine_slots s SET missed = true, alerted = true
FROM ended e JOIN quarantine_orders o ON o.township_code = $1 AND o.id = e.order_id
WHERE s.township_code = $1 AND s.order_id = e.order_id AND s.day = e.day AND s.kind = e.kind AND s.slot = e.slot
RETURNING s.order_id, s.day, s.kind, s.slot, s.ends_at, s.fact_unit_code, s.unit_code, o.person_id
"""

_MISS_DUE = _MISS.format(of_orders="", wait="SKIP LOCKED")
_MISS_OF_ORDERS = _MISS.format(of_orders="AND order_id = ANY($4)", wait="")

_LOCK_PEOPLE = """
SELECT p.id, p.quarantine_order_id FROM people p
JOIN quarantine_orders o ON o.township_code = p.township_code AND o.id = p.quarantine_order_id
WHERE p.township_code = $1 AND o.status = 'active' AND o.ends_on <= $2
ORDER BY p.id LIMIT $3 FOR NO KEY UPDATE OF p SKIP LOCKED
"""

_LOCK_ORDERS = """
SELECT id, person_id, household_id, unit_code, ends_on FROM quarantine_orders
WHERE township_code = $1 AND id = ANY($2) AND status = 'active' AND ends_on <= $3
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""

_RELEASE = """
UPDATE quarantine_orders o SET status = 'released', released_at = n.released_at, released_by = $4, rev = o.rev + 1
FROM unnest($2::uuid[], $3::timestamptz[]) AS n(id, released_at)
WHERE o.township_code = $1 AND o.id = n.id
"""

_FREE_PEOPLE = """
UPDATE people p SET quarantine_order_id = NULL, rev = p.rev + 1
FROM unnest($2::uuid[], $3::uuid[]) AS n(person_id, order_id)
WHERE p.township_code = $1 AND p.id = n.person_id AND p.quarantine_order_id = n.order_id
"""


async def release_orders(work: Work, limit: int = BATCH) -> None:
    """Release the orders whose last day is over, as of 00:00 of the day on which they end."""
    people = await work.sql.fetch(_LOCK_PEOPLE, work.township_code, work.today, limit)
    wanted = [row["quarantine_order_id"] for row in people]
    orders = await work.sql.fetch(_LOCK_ORDERS, work.township_code, wanted, work.today) if wanted else []
    if not orders:
        return
    ids = [order["id"] for order in orders]
    ends = [released_at(order["ends_on"], work.township.zone) for order in orders]
    await work.sql.execute(_RELEASE, work.township_code, ids, ends, work.account_id)
    people_ids = [order["person_id"] for order in orders]
    await work.sql.execute(_FREE_PEOPLE, work.township_code, people_ids, ids)
    work.touch(RecordKind.QUARANTINE_ORDER, ids)
    work.touch(RecordKind.PERSON, people_ids)
    for order in orders:
        work.count(order["unit_code"], order["ends_on"], Metric.ORDERS_ACTIVE, -1)
    await household_sites.orders_changed(work, {order["household_id"] for order in orders})


async def close_slots(work: Work, limit: int = BATCH) -> None:
    """Mark slots that ended without a visit as missed, count them, and raise an alert for each.

    An order's release took away what had not ended by then, so whatever stands here was owed.
    """
    await _miss(work, _MISS_DUE, limit)


async def close_slots_of(work: Work, order_ids: Sequence[UUID]) -> None:
    """Do the same for these orders only, every slot of them, waiting for whoever is at one."""
    await _miss(work, _MISS_OF_ORDERS, None, order_ids)


async def _miss(work: Work, statement: str, *arguments: object) -> None:
    rows = await work.sql.fetch(statement, work.township_code, work.now, *arguments)
    for row in rows:
        work.count(row["fact_unit_code"], row["day"], MISSED[VisitKind(row["kind"])])
    await raise_alerts(work, [_missed(row) for row in rows])


def _missed(row: asyncpg.Record) -> NewAlert:
    return NewAlert(
        AlertKind.MISSED_SLOT,
        quarantine_slots.cause(quarantine_slots.key_of(row)),
        row["unit_code"],
        row["ends_at"].astimezone(UTC),
        order_id=row["order_id"],
        person_id=row["person_id"],
    )


async def settle_late_visits(work: Work, limit: int = BATCH) -> None:
    """Finish what visits to missed slots could not do themselves (see `quarantine_slots.book_visits`)."""
    await quarantine_slots.settle_late_visits(work, limit)
