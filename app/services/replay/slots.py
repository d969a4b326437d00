"""The visits that quarantine orders owe, as they stood: due, done and missed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import asyncpg

from app.core.work import Work
from app.domain.enums import VisitKind
from app.domain.metrics import Metric
from app.domain.quarantine import RequiredSlot, required_slots
from app.services.quarantine_slots import DONE, DUE, MISSED
from app.services.replay.positions import FEED, Positions, positions_now

_ORDERS = f"""
SELECT f.id, f.unit_code, f.seq, f.at, o.starts_on, o.opened_at, o.service_per_day, o.temperature_per_day,
    (f.data::json ->> 'ends_on')::date AS ends_on, f.data::json ->> 'status' = 'active' AS active
FROM {FEED} JOIN quarantine_orders o ON o.township_code = $1 AND o.id = f.id
WHERE f.township_code = $1 AND f.kind = 'quarantine_order' AND f.change = 'put'
    AND o.starts_on <= $6 AND o.ends_on > $5
ORDER BY f.id, f.at, f.seq
"""
_VISITS = f"""
SELECT DISTINCT ON (v.order_id, v.day, v.kind, v.slot) v.order_id, v.day, v.kind, v.slot, f.unit_code, f.seq, f.at
FROM {FEED} JOIN visits v ON v.township_code = $1 AND v.id = f.id
WHERE f.township_code = $1 AND f.kind = 'visit' AND f.change = 'put' AND v.day BETWEEN $5 AND $6
ORDER BY v.order_id, v.day, v.kind, v.slot, f.at, f.seq
"""
_MISSED = f"""
SELECT DISTINCT a.cause FROM {FEED} JOIN alerts a ON a.township_code = $1 AND a.id = f.id
WHERE f.township_code = $1 AND f.kind = 'alert' AND f.change = 'put' AND a.kind = 'missed_slot'
    AND a.at >= $5::date - 2 AND a.at < $6::date + 3
"""

# A late visit whose slot the clock has still to settle: until then it counts as missed.
_UNSETTLED = """
SELECT order_id, day, kind, slot FROM quarantine_slots WHERE township_code = $1 AND visits > 0 AND missed
"""

Key = tuple[date, str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of the feed stands."""

    unit_code: int
    seq: int
    at: datetime

    def before(self, other: "Place") -> bool:
        """Tell which was first: by number in one feed, by time across two."""
        if self.unit_code == other.unit_code:
            return self.seq < other.seq
        return self.at < other.at


@dataclass(slots=True)
class _Owed:
    """An order's slots on their way through its history."""

    visited: dict[Key, Place]
    ends_on: date | None = None
    slots: dict[Key, tuple[int, RequiredSlot]] = field(default_factory=dict)

    def step(self, work: Work, row: asyncpg.Record) -> None:
        """Take one change: an opening or extension adds, a move takes along what is still to come, a release drops."""
        place = Place(row["unit_code"], row["seq"], row["at"])
        for key, (_, slot) in list(self.slots.items()):
            seen = self.visited.get(key)
            if slot.ends_at > place.at and not (seen and seen.before(place)):
                self.slots[key] = (place.unit_code, slot)
                if not row["active"]:
                    del self.slots[key]
        begin = self.ends_on or row["starts_on"]
        if row["active"] and row["ends_on"] > begin:
            per_day = {
                VisitKind.SERVICE: row["service_per_day"],
                VisitKind.TEMPERATURE: row["temperature_per_day"],
            }
            for slot in required_slots(begin, row["ends_on"], per_day, row["opened_at"], work.township.zone):
                self.slots[slot.day, slot.kind, slot.slot] = (place.unit_code, slot)
            self.ends_on = row["ends_on"]


async def slots(
    work: Work, positions: Positions | None, first: date, last: date, moment: datetime | None = None
) -> list[tuple[int, date, Metric, int]]:
    """Return units, days, metrics and amounts of the slots of some days.

    As of a moment, whatever had ended by then without a visit was missed; else what the clock has called so.
    """
    arguments = (work.township_code, *(positions or await positions_now(work)).arguments(), first, last)
    rows = await work.sql.fetch(_ORDERS, *arguments)
    visited: defaultdict[UUID, dict[Key, Place]] = defaultdict(dict)
    for row in await work.sql.fetch(_VISITS, *arguments):
        visited[row["order_id"]][row["day"], row["kind"], row["slot"]] = Place(
            row["unit_code"], row["seq"], row["at"]
        )
    missed = {row["cause"] for row in await work.sql.fetch(_MISSED, *arguments)}
    unsettled = (
        set() if moment else {_cause(row) for row in await work.sql.fetch(_UNSETTLED, work.township_code)}
    )
    found = []
    for order_id, owed in _histories(work, rows, visited).items():
        for key, (unit, slot) in owed.slots.items():
            if first <= slot.day <= last:
                cause = f"slot:{order_id}:{_text(key)}"
                ended = slot.ends_at <= moment if moment else cause in missed
                done = key in owed.visited and cause not in unsettled
                found += _standing(unit, slot, done, ended)
    return found


def _histories(
    work: Work, rows: Sequence[asyncpg.Record], visited: defaultdict[UUID, dict[Key, Place]]
) -> dict[UUID, _Owed]:
    orders: dict[UUID, _Owed] = {}
    for row in rows:
        orders.setdefault(row["id"], _Owed(visited[row["id"]])).step(work, row)
    return orders


def _standing(unit: int, slot: RequiredSlot, done: bool, missed: bool) -> list[tuple[int, date, Metric, int]]:
    counted: list[tuple[int, date, Metric, int]] = [(unit, slot.day, DUE[slot.kind], 1)]
    if done:
        counted.append((unit, slot.day, DONE[slot.kind], 1))
    elif missed:
        counted.append((unit, slot.day, MISSED[slot.kind], 1))
    return counted


def _cause(row: asyncpg.Record) -> str:
    return f"slot:{row['order_id']}:{row['day']}:{row['kind']}:{row['slot']}"


def _text(key: Key) -> str:
    day, kind, slot = key
    return f"{day}:{kind}:{slot}"
