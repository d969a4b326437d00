"""Freezing: the clock makes a day's report stand when reports are due, and when the day is over (固化).

What was missed is made up with the positions that the feed had at the time: so the same report comes out whenever it
is made. Days that later records changed get a further revision, at most one an hour, which says what changed and why.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

import asyncpg

from app.core.work import OpenWork, Work
from app.domain.daily_reports import FINAL, PROVISIONAL, Timing, frozen_at
from app.domain.days import local_day
from app.domain.metrics import Metric
from app.services.frozen_causes import causes
from app.services.frozen_numbers import ByUnit, numbers_of, read_earlier, written, written_like
from app.services.rankings import keep_ranking
from app.services.replay.positions import Positions, positions_before, positions_now, told
from app.services.township_settings import settings_of

BETWEEN = timedelta(hours=1)
REACH = 400
"""How many days back a report may still be restated."""
AT_ONCE = 10
"""How many days one look of the clock freezes."""
OVERLAP = timedelta(minutes=1)
"""How long a transaction may have been on its way that changes a counter."""

_DAYS = """
SELECT day, revision, compared_at FROM report_days WHERE township_code = $1 AND day >= $2 ORDER BY day FOR NO KEY UPDATE
"""
_CREATED = "SELECT created_at FROM townships WHERE code = $1 FOR NO KEY UPDATE"
_UNITS = "SELECT unit_code, name FROM units WHERE township_code = $1 ORDER BY unit_code"
_TIMINGS = f"""
SELECT DISTINCT ON (s.unit_code) s.unit_code, s.timing FROM report_submissions s
WHERE s.township_code = $1 AND s.day = $5 AND {told("report", "s.id")} ORDER BY s.unit_code, s.recorded_at, s.id
"""
_FREEZE = """
INSERT INTO frozen_reports (township_code, day, revision, unit_code, name, seq, frozen_at, made_at, timing, numbers)
SELECT $1, $2, $3, n.unit_code, n.name, n.seq, $4, $5, n.timing, n.numbers
FROM unnest($6::bigint[], $7::text[], $8::bigint[], $9::text[], $10::text[]) AS n(unit_code, name, seq, timing, numbers)
"""
_REACHED = """
INSERT INTO report_days (township_code, unit_code, day, revision, compared_at)
VALUES ($1, $1::bigint * 1000, $2, $3, $4)
ON CONFLICT (township_code, day) DO UPDATE SET revision = $3, compared_at = $4
"""
_COMPARED = "UPDATE report_days SET compared_at = $3 WHERE township_code = $1 AND day = ANY($2)"
# A stock that changed on an earlier day stands otherwise on all days since.
_TOUCHED = """
WITH changed AS MATERIALIZED (
    SELECT day, max(changed_at) AS at FROM daily_counters
    WHERE township_code = $1 AND changed_at > (
        SELECT min(compared_at) FROM report_days
        WHERE township_code = $1 AND day >= $2 AND revision >= 2) - $4::interval
    GROUP BY day
)
SELECT r.day FROM report_days r WHERE r.township_code = $1 AND r.day >= $2 AND r.revision >= 2 AND r.compared_at <= $3
    AND r.compared_at - $4::interval < (SELECT max(c.at) FROM changed c WHERE c.day <= r.day)
ORDER BY r.day
"""
_LAST = """
SELECT unit_code, seq, frozen_at, numbers, name, timing FROM frozen_reports
WHERE township_code = $1 AND day = $2 AND revision = $3
ORDER BY unit_code
"""
_CHANGES = """
INSERT INTO report_changes (township_code, day, revision, unit_code, metric, before, after, records)
SELECT $1, $2, $3, n.unit_code, n.metric, n.before, n.after, n.records::jsonb
FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[])
    AS n(unit_code, metric, before, after, records)
"""


async def freeze_days(open_work: OpenWork) -> None:
    """Freeze what has come due in a township, and restate what has changed. Safe beside other processes."""
    async with open_work() as work:
        created = await work.sql.fetchval(_CREATED, work.township_code)  # one process at a time
        stored = await work.sql.fetch(_DAYS, work.township_code, work.today - timedelta(days=REACH))
        reached = {row["day"]: row["revision"] for row in stored}
        for day, revision in _due(work, local_day(created, work.township.zone), reached)[:AT_ONCE]:
            await _freeze(work, day, revision)
    async with open_work() as work:
        await _restate(work)


def kept_positions(rows: Sequence[asyncpg.Record], revision: int) -> Positions:
    """Return the positions of a stored revision; those that the clock froze have their moment besides."""
    until = rows[0]["frozen_at"] if rows and revision <= FINAL else None
    return Positions({row["unit_code"]: row["seq"] for row in rows}, until)


def _due(work: Work, first: date, reached: Mapping[date, int]) -> list[tuple[date, int]]:
    """Return the days and revisions that the clock has passed and nobody has frozen, the oldest first."""
    begin = max(first, work.today - timedelta(days=REACH))
    due = time.fromisoformat(settings_of(work).report_due)
    return [
        (day, revision)
        for day in (begin + timedelta(days=n) for n in range((work.today - begin).days + 1))
        for revision in (PROVISIONAL, FINAL)
        if revision > reached.get(day, 0) and frozen_at(day, revision, due, work.township.zone) <= work.now
    ]


async def _freeze(work: Work, day: date, revision: int) -> None:
    moment = frozen_at(day, revision, time.fromisoformat(settings_of(work).report_due), work.township.zone)
    positions = await positions_before(work, moment)
    numbers = await numbers_of(work, positions, day, day, moment)
    await _store(work, day, revision, moment, positions, numbers[day])
    if revision == FINAL:
        await keep_ranking(work, day, numbers[day])


async def _store(
    work: Work, day: date, revision: int, moment: datetime, positions: Positions, numbers: ByUnit
) -> None:
    """Store a revision, compared with the records up to its moment: what came later is still to be compared."""
    units = await work.sql.fetch(_UNITS, work.township_code)
    found = await work.sql.fetch(_TIMINGS, work.township_code, *positions.arguments(), day)
    timings = {row["unit_code"]: row["timing"] for row in found}
    codes = [unit["unit_code"] for unit in units]
    await work.sql.execute(
        _FREEZE,
        work.township_code,
        day,
        revision,
        moment,
        work.now,
        codes,
        [unit["name"] for unit in units],
        [positions.of_unit.get(code, 0) for code in codes],
        [timings.get(code, Timing.MISSING) for code in codes],
        [written(numbers.get(code, {})) for code in codes],
    )
    await work.sql.execute(_REACHED, work.township_code, day, revision, moment)


async def _restate(work: Work) -> None:
    """Compare the finished days of which some counter has changed with the records."""
    await work.sql.fetchval(_CREATED, work.township_code)
    oldest = work.today - timedelta(days=REACH)
    days = [
        row["day"]
        for row in await work.sql.fetch(_TOUCHED, work.township_code, oldest, work.now - BETWEEN, OVERLAP)
    ]
    if not days:
        return
    reached = {row["day"]: row["revision"] for row in await work.sql.fetch(_DAYS, work.township_code, oldest)}
    positions = await positions_now(work)
    numbers = await numbers_of(work, positions, days[0], days[-1], work.now)
    for day in days:
        last = await work.sql.fetch(_LAST, work.township_code, day, reached[day])
        if _differ(last, numbers[day]):
            await _store(work, day, reached[day] + 1, work.now, positions, numbers[day])
            await _explain(work, day, reached[day] + 1, last, positions, numbers[day])
    await work.sql.execute(_COMPARED, work.township_code, days, work.now)


def _differ(last: list[asyncpg.Record], numbers: ByUnit) -> bool:
    """Tell whether a revision says otherwise than the records; a unit that it does not have had nothing."""
    stored = {row["unit_code"]: row["numbers"] for row in last}
    nothing = next(iter(stored.values()), written({}))
    return any(
        stored.get(unit, written_like(nothing, {})) != written_like(nothing, numbers.get(unit, {}))
        for unit in stored.keys() | numbers.keys()
    )


async def _explain(
    work: Work, day: date, revision: int, last: list[asyncpg.Record], positions: Positions, numbers: ByUnit
) -> None:
    """Store what a revision says otherwise than the one before, with the records that came between."""
    before = kept_positions(last, revision - 1)
    why = await causes(work, day, before, positions)
    stored = {row["unit_code"]: row["numbers"] for row in last}
    rows = [
        (unit, metric, was, now, json.dumps(why.get((unit, metric), [])))
        for unit in sorted(stored.keys() | numbers.keys())
        for metric, was, now in _differing(stored.get(unit), numbers.get(unit, {}))
    ]
    await work.sql.execute(_CHANGES, work.township_code, day, revision, *map(list, zip(*rows, strict=True)))


def _differing(stored: str | None, after: Mapping[Metric, int]) -> list[tuple[Metric, int, int]]:
    before = read_earlier(stored, after)
    return [(m, was, after.get(m, 0)) for m, was in before.items() if was != after.get(m, 0)]
