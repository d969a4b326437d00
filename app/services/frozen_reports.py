"""Reading a day's report as it was frozen: when reports were due, at the day's end, and restated since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from app.core.problems import NotFound
from app.core.work import Work
from app.domain.daily_reports import PROVISIONAL, standing
from app.domain.enums import Role
from app.domain.metrics import Metric
from app.schemas.fields import instant_text
from app.services.daily_reports import counted_timings
from app.services.frozen_numbers import read, read_earlier
from app.services.reports import DailyReport, Numbers, reach, readable, shown, within

_UNITS = f"""
SELECT r.township_code, r.unit_code, r.name, r.seq, r.frozen_at, r.made_at, r.timing, r.numbers, p.numbers AS before
FROM frozen_reports r LEFT JOIN frozen_reports p ON p.township_code = r.township_code AND p.unit_code = r.unit_code
    AND p.day = r.day AND p.revision = r.revision - 1
WHERE r.day = $5 AND r.revision = $6 AND {within("r")} ORDER BY r.unit_code
"""
_TOWNSHIPS = f"SELECT count(DISTINCT u.township_code) FROM units u WHERE {within('u')}"
_RECORDS = f"""
SELECT c.unit_code, c.metric, c.records FROM report_changes c
WHERE c.day = $5 AND c.revision = $6 AND {within("c")}
"""


@dataclass(frozen=True, slots=True)
class FrozenDay:
    """One revision of a day's report, in the caller's scope."""

    report: DailyReport
    revision: int
    made_at: datetime
    timings: Sequence[str]
    positions: Mapping[str, int]
    changes: Sequence[Mapping[str, Any]]

    def more(self) -> dict[str, Any]:
        """Return what a frozen report says besides the numbers."""
        return {
            "revision": self.revision,
            "status": standing(self.revision),
            "made_at": instant_text(self.made_at),
            "reports": counted_timings(self.timings),
            "positions": self.positions,
            "changes": self.changes,
        }


async def frozen(work: Work, day: date | None, code: str | None, revision: int) -> FrozenDay:
    """Return a revision of a day's report.

    Raises:
        NotFound: the code is not within the caller's scope, or there is no such revision (of each of its townships).
    """
    day, covered = day or work.today, reach(work, code)
    rows = await work.sql.fetch(_UNITS, *covered.arguments, day, revision)
    townships = await work.sql.fetchval(_TOWNSHIPS, *covered.arguments)
    if not rows or len({row["township_code"] for row in rows}) < townships:
        raise NotFound
    metrics = readable(work)
    units: list[Mapping[str, Any]] = [
        {**_named(read(row["numbers"])), "unit_code": row["unit_code"], "name": row["name"]} for row in rows
    ]
    as_of = max(row["frozen_at"] for row in rows)
    return FrozenDay(
        DailyReport(day, covered.name, as_of, metrics, units),
        revision,
        max(row["made_at"] for row in rows),
        [row["timing"] for row in rows],
        {f"{row['unit_code']}/unit": row["seq"] for row in rows},
        await _changes(work, rows, metrics, revision, (*covered.arguments, day, revision)),
    )


def _named(numbers: Mapping[Metric, int]) -> Numbers:
    return {metric.value: n for metric, n in numbers.items()}


async def _changes(
    work: Work,
    rows: Sequence[asyncpg.Record],
    metrics: Sequence[Metric],
    revision: int,
    arguments: tuple[Any, ...],
) -> list[dict[str, Any]]:
    """Return what differs from the revision before; whoever may see records is told which ones did it."""
    records: dict[tuple[int, str], Any] = {}
    if work.caller.role != Role.OBSERVER:
        records = {
            (r["unit_code"], r["metric"]): r["records"] for r in await work.sql.fetch(_RECORDS, *arguments)
        }
    changes = []
    for row in rows:
        after = read(row["numbers"])
        before = after if revision == PROVISIONAL else read_earlier(row["before"], after)
        was_shown, now_shown = (shown(_named(numbers), metrics) for numbers in (before, after))
        for metric, was, now in _flat(was_shown, now_shown):
            change = {"unit_code": str(row["unit_code"]), "metric": metric, "before": was, "after": now}
            named = metric.replace("denials_by_reason.", "denied_")
            known = records.get((row["unit_code"], named))
            changes.append(change if known is None else {**change, "records": known})
    return changes


def _flat(before: Numbers, after: Numbers, prefix: str = "") -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for name, now in after.items():
        if isinstance(now, dict):
            found += _flat(before[name], now, f"{name}.")
        elif now != before[name]:
            found.append((prefix + name, before[name], now))
    return found
