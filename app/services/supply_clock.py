"""What the clock does about supplies: before a shift begins it says whether its unit has enough, and when it has.

A shift is warned of once; when the shortage is over the program settles the alert, and should it come back, the next
one is raised. What a person has settled is known, and raised no more.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from app.core.work import Work
from app.domain.enums import AlertKind, AlertStatus
from app.domain.supplies import Norm, Turn, short_turns
from app.services.alerts import NewAlert, raise_alerts, resolve_by_program
from app.services.supply_forecast import DUE_SITES
from app.services.township_settings import settings_of

AGAIN = 20
"""How often one shift's shortage may come back and be told."""

_NORMS = """
SELECT id AS item_id, per_person_per_shift AS per_person, per_site FROM supply_items
WHERE township_code = $1 AND (per_person_per_shift > 0 OR per_site > 0)
"""
_TURNS = """
SELECT t.starts_at, t.id AS shift_id, t.unit_code, t.day, count(p.staff_id)::int AS people
FROM shifts t LEFT JOIN shift_posts p ON p.township_code = $1 AND p.shift_id = t.id AND NOT p.off
WHERE t.township_code = $1 AND t.starts_at > $2 AND t.starts_at <= $3 AND t.day BETWEEN $4 AND $5
    AND NOT t.cancelled
GROUP BY t.starts_at, t.id, t.unit_code, t.day
"""
_STOCK = """
SELECT unit_code, item_id, balance FROM supply_stocks
WHERE township_code = $1 AND unit_code = ANY($2) AND place = 'stock'
"""
# By unit, because of each unit only what is open is read then.
_OPEN = """
SELECT a.cause, t.cancelled OR t.starts_at > $3 AS put_off, t.starts_at > $2 AS to_come
FROM alerts a JOIN shifts t ON t.township_code = $1 AND t.id = split_part(a.cause, ':', 2)::uuid
WHERE a.township_code = $1 AND a.status = 'open' AND a.kind = 'supply_shortage'
    AND a.unit_code IN (SELECT unit_code FROM units WHERE township_code = $1 UNION ALL SELECT $1 * 1000)
"""
_TOLD = """
SELECT cause, status, resolved_by FROM alerts WHERE township_code = $1 AND cause = ANY($2)
"""
_PROGRAM = UUID(int=0)


class Warned(NamedTuple):
    """An alert that was raised of a shift: the how-manieth, and whether it is over by the program's word."""

    round: int
    over: bool


async def run_supplies(work: Work) -> None:
    """Raise alerts of shifts that begin soon and for which supplies are short; settle those for which they are not."""
    until = work.now + timedelta(hours=settings_of(work).supply_alert_hours)
    norms = [Norm(**row) for row in await work.sql.fetch(_NORMS, work.township_code)]
    if not norms:
        return
    turns = await _turns(work, until)
    short = short_turns(turns, await _due(work, turns), norms, await _stock(work, turns))
    await _settle(work, short, until)
    await _raise(work, [turn for turn in turns if turn.shift_id in short])


async def _turns(work: Work, until: object) -> list[Turn]:
    # The days only lead to the index; a day before and behind is as wide as zones are.
    around = work.today - timedelta(days=1), work.today + timedelta(days=5)
    rows = await work.sql.fetch(_TURNS, work.township_code, work.now, until, *around)
    return [Turn(**row) for row in rows]


async def _due(work: Work, turns: Sequence[Turn]) -> dict[tuple[int, date], int]:
    days = {turn.day for turn in turns}
    return {
        (row["unit_code"], day): row["sites"]
        for day in sorted(days)
        for row in await work.sql.fetch(DUE_SITES, work.township_code, day)
    }


async def _stock(work: Work, turns: Sequence[Turn]) -> dict[tuple[int, UUID], Decimal]:
    units = sorted({turn.unit_code for turn in turns})
    rows = await work.sql.fetch(_STOCK, work.township_code, units) if units else []
    return {(row["unit_code"], row["item_id"]): row["balance"] for row in rows}


def _cause(shift_id: UUID, number: int) -> str:
    return f"supply_shortage:{shift_id}:{number}"


async def _settle(work: Work, short: set[UUID], until: object) -> None:
    """Settle what is open of shifts to come that are not short any more, are cancelled, or were put off.

    Of a shift that has begun nothing was made good before it: that stays for a person.
    """
    over = []
    for row in await work.sql.fetch(_OPEN, work.township_code, work.now, until):
        well = UUID(row["cause"].split(":")[1]) not in short
        if row["put_off"] or (row["to_come"] and well):
            over.append(row["cause"])
    await resolve_by_program(work, over)


async def _raise(work: Work, short: Sequence[Turn]) -> None:
    warned = await _warned(work, [turn.shift_id for turn in short])
    wanted = []
    for turn in short:
        last = warned.get(turn.shift_id, Warned(-1, over=True))
        if last.over and last.round + 1 < AGAIN:
            cause = _cause(turn.shift_id, last.round + 1)
            wanted.append(NewAlert(AlertKind.SUPPLY_SHORTAGE, cause, turn.unit_code, turn.starts_at))
    await raise_alerts(work, wanted)


async def _warned(work: Work, shift_ids: Iterable[UUID]) -> Mapping[UUID, Warned]:
    """Return the last alert that was raised of each shift."""
    causes = [_cause(id_, number) for id_ in shift_ids for number in range(AGAIN)]
    told: defaultdict[UUID, list[Warned]] = defaultdict(list)
    for row in await work.sql.fetch(_TOLD, work.township_code, causes) if causes else []:
        _, shift_id, number = row["cause"].split(":")
        over = row["status"] == AlertStatus.RESOLVED and row["resolved_by"] == _PROGRAM
        told[UUID(shift_id)].append(Warned(int(number), over))
    return {id_: max(of_shift) for id_, of_shift in told.items()}
