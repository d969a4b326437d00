"""The slots of quarantine orders: the visits that are owed, and how they stand in the counters.

Everything about a slot is counted on the slot's own day, in `fact_unit_code`: the unit that answered for it. That is
the order's unit, until a household moves: slots that had ended stay facts of the old unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from app.core.work import Work
from app.domain.enums import VisitKind
from app.domain.metrics import Metric
from app.domain.quarantine import RequiredSlot
from app.services.alerts import resolve_by_program


class SlotKey(NamedTuple):
    """Which slot of which order."""

    order_id: UUID
    day: date
    kind: str
    slot: str


class OwedSlot(NamedTuple):
    """A slot that an order of a unit owes."""

    order_id: UUID
    unit_code: int
    slot: RequiredSlot


DUE = {VisitKind.SERVICE: Metric.SERVICE_DUE, VisitKind.TEMPERATURE: Metric.TEMPERATURE_DUE}
DONE = {VisitKind.SERVICE: Metric.SERVICE_DONE, VisitKind.TEMPERATURE: Metric.TEMPERATURE_DONE}
MISSED = {VisitKind.SERVICE: Metric.SERVICE_MISSED, VisitKind.TEMPERATURE: Metric.TEMPERATURE_MISSED}

_INSERT = """
INSERT INTO quarantine_slots (township_code, unit_code, fact_unit_code, order_id, day, kind, slot, starts_at, ends_at,
    visits, missed, alerted)
SELECT $1, n.unit_code, n.unit_code, n.order_id, n.day, n.kind, n.slot, n.starts_at, n.ends_at, 0, false, false
FROM unnest($2::bigint[], $3::uuid[], $4::date[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
    AS n(unit_code, order_id, day, kind, slot, starts_at, ends_at)
"""

# One look-up a slot, in the order of the parameters, which is that in which slots are locked everywhere.
_LOCK = """
SELECT s.* FROM unnest($2::uuid[], $3::date[], $4::text[], $5::text[]) AS n(order_id, day, kind, slot)
CROSS JOIN LATERAL (
    SELECT s.order_id, s.day, s.kind, s.slot, s.fact_unit_code, s.visits, s.missed, s.alerted
    FROM quarantine_slots s
    WHERE s.township_code = $1 AND s.order_id = n.order_id AND s.day = n.day AND s.kind = n.kind AND s.slot = n.slot
    FOR NO KEY UPDATE) s
"""

_VISITED = """
UPDATE quarantine_slots s SET visits = s.visits + n.visits
FROM unnest($2::uuid[], $3::date[], $4::text[], $5::text[], $6::int[]) AS n(order_id, day, kind, slot, visits)
WHERE s.township_code = $1 AND s.order_id = ANY ($2)
    AND s.order_id = n.order_id AND s.day = n.day AND s.kind = n.kind AND s.slot = n.slot
"""

_SETTLED = """
UPDATE quarantine_slots s SET missed = s.missed AND NOT n.booked, alerted = s.alerted AND NOT n.resolved
FROM unnest($2::uuid[], $3::date[], $4::text[], $5::text[], $6::bool[], $7::bool[])
    AS n(order_id, day, kind, slot, booked, resolved)
WHERE s.township_code = $1 AND s.order_id = ANY ($2)
    AND s.order_id = n.order_id AND s.day = n.day AND s.kind = n.kind AND s.slot = n.slot
"""

_DROP_OPEN = """
DELETE FROM quarantine_slots
WHERE township_code = $1 AND order_id = $2 AND visits = 0 AND ends_at > $3
RETURNING fact_unit_code, day, kind
"""

_LATE = """
SELECT order_id, day, kind, slot, fact_unit_code, visits, missed, alerted FROM quarantine_slots
WHERE township_code = $1 AND visits > 0 AND (missed OR alerted)
LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
"""


def cause(key: SlotKey) -> str:
    """Return the cause of the alert for a missed slot."""
    return f"slot:{key.order_id}:{key.day}:{key.kind}:{key.slot}"


async def add_slots(work: Work, owed: Sequence[OwedSlot]) -> None:
    """Store the slots that orders owe and count them as due."""
    if not owed:
        return
    await work.sql.execute(
        _INSERT,
        work.township_code,
        [o.unit_code for o in owed],
        [o.order_id for o in owed],
        [o.slot.day for o in owed],
        [o.slot.kind for o in owed],
        [o.slot.slot for o in owed],
        [o.slot.starts_at for o in owed],
        [o.slot.ends_at for o in owed],
    )
    for o in owed:
        work.count(o.unit_code, o.slot.day, DUE[o.slot.kind])


async def drop_open_slots(work: Work, order_id: UUID) -> None:
    """Take back what a released order no longer owes: slots without a visit that had not ended."""
    for row in await work.sql.fetch(_DROP_OPEN, work.township_code, order_id, work.now):
        work.count(row["fact_unit_code"], row["day"], DUE[VisitKind(row["kind"])], -1)


async def book_visits(work: Work, visits: Mapping[SlotKey, int]) -> None:
    """Count visits for their slots: a slot is done once, however many visits it has.

    A slot that had been marked as missed is missed no longer, and its alert is resolved; as far as the caller may not
    do that (the clinic sees no such alert, a village not the counters of another unit), the clock does it soon.
    """
    rows = await work.sql.fetch(_LOCK, work.township_code, *_columns(sorted(visits)))
    if not rows:
        return
    locked = {key_of(row): row for row in rows}
    await work.sql.execute(_VISITED, work.township_code, *_columns(locked), [visits[key] for key in locked])
    firsts = {key: row for key, row in locked.items() if row["visits"] == 0}
    for row in firsts.values():
        if not row["missed"]:
            work.count(row["fact_unit_code"], row["day"], DONE[VisitKind(row["kind"])])
    await _settle(work, [row for row in firsts.values() if row["missed"]])


async def settle_late_visits(work: Work, limit: int) -> None:
    """Finish what late visits could not: for the clock, which sees the whole township."""
    await _settle(work, await work.sql.fetch(_LATE, work.township_code, limit))


async def _settle(work: Work, rows: Sequence[asyncpg.Record]) -> None:
    """Turn slots from missed to done in the counters, and resolve their alerts, as far as the caller may."""
    if not rows:
        return
    keys = [key_of(row) for row in rows]
    bookable = [row["missed"] and work.sees_unit(row["fact_unit_code"]) for row in rows]
    for row, booked in zip(rows, bookable, strict=True):
        if booked:
            kind = VisitKind(row["kind"])
            work.count(row["fact_unit_code"], row["day"], MISSED[kind], -1)
            work.count(row["fact_unit_code"], row["day"], DONE[kind])
    resolved = await resolve_by_program(work, [cause(key) for key in keys])
    await work.sql.execute(
        _SETTLED, work.township_code, *_columns(keys), bookable, [cause(key) in resolved for key in keys]
    )


def key_of(row: asyncpg.Record) -> SlotKey:
    """Return which slot a row speaks of."""
    return SlotKey(row["order_id"], row["day"], row["kind"], row["slot"])


def _columns(keys: Iterable[SlotKey]) -> tuple[list[UUID], list[date], list[str], list[str]]:
    listed = list(keys)
    return (
        [key.order_id for key in listed],
        [key.day for key in listed],
        [key.kind for key in listed],
        [key.slot for key in listed],
    )
