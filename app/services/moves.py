"""A household that moves to another unit of the township, with its people and their open matters.

What stands (stocks, and visits still to come) moves in the counters from today; what has happened stays where it
happened: `fact_unit_code` keeps the unit in whose numbers a row stands, while `unit_code`, which the fence reads,
follows the household, so that the new unit sees the whole history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core.problems import NotFound
from app.core.work import Work
from app.domain.enums import VisitKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.services.photos import follow_orders
from app.services.quarantine_clock import close_slots_of
from app.services.quarantine_slots import DUE

_LOCK_HOUSEHOLD = """
SELECT unit_code FROM households WHERE township_code = $1 AND id = $2 FOR NO KEY UPDATE
"""
_UNIT = "SELECT 1 FROM units WHERE township_code = $1 AND unit_code = $2"
_LOCK_PEOPLE = """
SELECT id FROM people WHERE township_code = $1 AND household_id = $2 ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_ORDERS = """
SELECT id, status = 'active' AS active FROM quarantine_orders
WHERE township_code = $1 AND person_id = ANY($2) ORDER BY id FOR NO KEY UPDATE
"""

_MOVE_HOUSEHOLD = "UPDATE households SET unit_code = $3 WHERE township_code = $1 AND id = $2"
_MOVE_PEOPLE = "UPDATE people SET unit_code = $3, rev = rev + 1 WHERE township_code = $1 AND id = ANY($2)"
_MOVE_PASSES = "UPDATE passes SET unit_code = $3 WHERE township_code = $1 AND person_id = ANY($2)"
_MOVE_CHECKS = (
    "UPDATE household_checks SET unit_code = $3 WHERE township_code = $1 AND household_id = $2 RETURNING id"
)
_MOVE_LINES = """
UPDATE check_lines l SET unit_code = $3 FROM household_checks c
WHERE l.township_code = $1 AND c.township_code = $1 AND l.check_id = c.id AND c.household_id = $2
"""
_MOVE_CONFLICTS = "UPDATE conflicts SET unit_code = $3 WHERE township_code = $1 AND record_id = ANY($2)"
_MOVE_ORDERS = """
UPDATE quarantine_orders SET unit_code = $3, rev = rev + 1 WHERE township_code = $1 AND id = ANY($2)
"""
_MOVE_SLOTS = "UPDATE quarantine_slots SET unit_code = $3 WHERE township_code = $1 AND order_id = ANY($2)"
_MOVE_OWED = """
UPDATE quarantine_slots SET fact_unit_code = $3
WHERE township_code = $1 AND order_id = ANY($2) AND visits = 0 AND ends_at > $4
RETURNING day, kind
"""
_MOVE_VISITS = "UPDATE visits SET unit_code = $3 WHERE township_code = $1 AND order_id = ANY($2) RETURNING id"
_MOVE_ALERTS = """
UPDATE alerts SET unit_code = $3, rev = rev + 1
WHERE township_code = $1 AND unit_code = $2 AND (order_id = ANY($4) OR person_id = ANY($5))
RETURNING id, status = 'open' AS open
"""
_LOCK_SITE = """
SELECT s.id, s.active, s.times_per_day, (SELECT count(*) FROM disinfection_logs l WHERE l.township_code = $1
    AND l.site_id = s.id AND l.day = $3 AND l.counted) AS done_today
FROM disinfection_sites s WHERE s.township_code = $1 AND s.household_id = $2 FOR NO KEY UPDATE
"""
_MOVE_SITE = """
UPDATE disinfection_sites SET unit_code = $3, rev = rev + 1 WHERE township_code = $1 AND id = $2
"""
# A pairing is its unit's: who looked after the household there does not in the new unit, and no longer hears of it.
_LOCK_PAIRINGS = """
SELECT id FROM pairings WHERE township_code = $1 AND unit_code = $2 AND $3 = ANY(household_ids)
ORDER BY id FOR NO KEY UPDATE
"""
_LEAVE_PAIRINGS = """
UPDATE pairings SET household_ids = array_remove(household_ids, $3), rev = rev + 1
WHERE township_code = $1 AND id = ANY($2)
"""


@dataclass(frozen=True, slots=True)
class _Move:
    """One household on its way."""

    household_id: UUID
    from_unit: int
    to_unit: int
    people: Sequence[UUID]
    orders: Sequence[UUID]


async def move_household(work: Work, household_id: UUID, to_unit: int) -> None:
    """Move a household to another unit: the township's act. Its revision is the edit's business that asks for it.

    Raises:
        NotFound: there is no such household or unit, or not for the caller.
    """
    from_unit = await work.sql.fetchval(_LOCK_HOUSEHOLD, work.township_code, household_id)
    if from_unit is None or not await work.sql.fetchval(_UNIT, work.township_code, to_unit):
        raise NotFound
    if from_unit == to_unit:
        return
    people = [row["id"] for row in await work.sql.fetch(_LOCK_PEOPLE, work.township_code, household_id)]
    orders = await work.sql.fetch(_LOCK_ORDERS, work.township_code, people)
    move = _Move(household_id, from_unit, to_unit, people, [order["id"] for order in orders])
    await _move_register(work, move)
    await _move_quarantine(work, move)
    _shift(work, move, Metric.ORDERS_ACTIVE, sum(order["active"] for order in orders))
    await _move_alerts(work, move)
    await _move_site(work, move)
    await _leave_pairings(work, move)
    work.changes.depart()


async def _move_register(work: Work, move: _Move) -> None:
    """Move the household, its people, and the checks made at its door."""
    await work.sql.execute(_MOVE_HOUSEHOLD, work.township_code, move.household_id, move.to_unit)
    checks = await work.sql.fetch(_MOVE_CHECKS, work.township_code, move.household_id, move.to_unit)
    await work.sql.execute(_MOVE_LINES, work.township_code, move.household_id, move.to_unit)
    await work.sql.execute(_MOVE_PEOPLE, work.township_code, move.people, move.to_unit)
    await work.sql.execute(_MOVE_PASSES, work.township_code, move.people, move.to_unit)
    work.touch(RecordKind.HOUSEHOLD, [move.household_id])
    work.touch(RecordKind.PERSON, move.people)
    work.touch(RecordKind.CHECK, (check["id"] for check in checks))
    records = [move.household_id, *move.people]
    await work.sql.execute(_MOVE_CONFLICTS, work.township_code, records, move.to_unit)
    _shift(work, move, Metric.HOUSEHOLDS, 1)
    _shift(work, move, Metric.PEOPLE, len(move.people))


async def _move_quarantine(work: Work, move: _Move) -> None:
    """Move the orders. Slots that ended unvisited are first missed by the old unit; it owes the others no longer."""
    if not move.orders:
        return
    await close_slots_of(work, move.orders)
    for statement in (_MOVE_ORDERS, _MOVE_SLOTS):
        await work.sql.execute(statement, work.township_code, move.orders, move.to_unit)
    visits = await work.sql.fetch(_MOVE_VISITS, work.township_code, move.orders, move.to_unit)
    work.touch(RecordKind.QUARANTINE_ORDER, move.orders)
    work.touch(RecordKind.VISIT, (visit["id"] for visit in visits))
    await follow_orders(work, move.orders)
    owed = await work.sql.fetch(_MOVE_OWED, work.township_code, move.orders, move.to_unit, work.now)
    for slot in owed:
        due = DUE[VisitKind(slot["kind"])]
        work.count(move.from_unit, slot["day"], due, -1)
        work.count(move.to_unit, slot["day"], due)


async def _move_alerts(work: Work, move: _Move) -> None:
    rows = await work.sql.fetch(
        _MOVE_ALERTS, work.township_code, move.from_unit, move.to_unit, move.orders, move.people
    )
    work.touch(RecordKind.ALERT, (row["id"] for row in rows))
    _shift(work, move, Metric.ALERTS_OPEN, sum(row["open"] for row in rows))


async def _move_site(work: Work, move: _Move) -> None:
    """Move the home as a disinfection site; what was disinfected today was due, and done, in the old unit."""
    site = await work.sql.fetchrow(_LOCK_SITE, work.township_code, move.household_id, work.today)
    if site is None:
        return
    await work.sql.execute(_MOVE_SITE, work.township_code, site["id"], move.to_unit)
    work.touch(RecordKind.SITE, [site["id"]])
    if site["active"]:
        done, tomorrow = site["done_today"], work.today + timedelta(days=1)
        _shift(work, move, Metric.SITES_DUE, site["times_per_day"] - done)
        work.count(move.from_unit, tomorrow, Metric.SITES_DUE, -done)
        work.count(move.to_unit, tomorrow, Metric.SITES_DUE, done)


async def _leave_pairings(work: Work, move: _Move) -> None:
    """Take the household out of the old unit's pairings; in the new unit nobody looks after it yet."""
    home = move.household_id
    rows = await work.sql.fetch(_LOCK_PAIRINGS, work.township_code, move.from_unit, home)
    ids = [row["id"] for row in rows]
    if ids:
        await work.sql.execute(_LEAVE_PAIRINGS, work.township_code, ids, home)
        work.touch(RecordKind.PAIRING, ids)


def _shift(work: Work, move: _Move, metric: Metric, amount: int) -> None:
    """Take an amount of a stock from the old unit and give it to the new one, today."""
    work.count(move.from_unit, work.today, metric, -amount)
    work.count(move.to_unit, work.today, metric, amount)
