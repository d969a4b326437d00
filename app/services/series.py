"""Series (contract, section 8): metrics over a span of days, by day or by division."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.core.field_texts import declare
from app.core.problems import NotFound, at
from app.core.work import Work
from app.domain.enums import DenyReason
from app.domain.metrics import DENIED_BY, STOCKS, Metric
from app.services.reports import Reach, beginning, reach, readable, within

LONGEST = timedelta(days=400)

declare("span-backwards", "结束日期早于开始日期。", "The span ends before it begins.")
declare("span-too-long", "时间跨度不能超过400天。", "A span has at most 400 days.")
declare("unknown-metric", "含有不存在或无权查看的指标。", "A metric does not exist, or is not yours to read.")


class Level(StrEnum):
    """What one row of a series stands for."""

    UNIT = "unit"
    TOWNSHIP = "township"
    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Series:
    """A span of days, the names of its metrics as asked, and one row a day or division."""

    metrics: list[str]
    first: date
    last: date
    by: Level
    as_of: datetime
    rows: list[dict[str, Any]]


_BY_REASON = {f"denials_by_reason.{reason.value}": DENIED_BY[reason] for reason in DenyReason}


def _columns(work: Work, names: Sequence[str]) -> dict[str, Metric]:
    """Return the counter behind each name that was asked for.

    Raises:
        Invalid: a name is no metric, or not this caller's to read.
    """
    allowed = readable(work)
    known = {metric.value: metric for metric in allowed}
    if Metric.DENIALS in allowed:
        known |= _BY_REASON
    wanted: dict[str, Metric] = {}
    for name in names:
        for single in _BY_REASON if name == "denials_by_reason" else (name,):
            if single not in known:
                raise at("/metrics", "unknown-metric")
            wanted[single] = known[single]
    return wanted


async def series(
    work: Work, names: Sequence[str], first: date, last: date, code: str | None, by: Level
) -> Series:
    """Return metrics over the days from `first` to `last`, both included.

    Facts are summed over the days of a row; stocks are as they stood at the end of its last day.

    Raises:
        Invalid: an unknown metric, or a span that is backwards or too long.
        NotFound: the code is not within the caller's scope, or names no unit.
    """
    if last < first:
        raise at("/to", "span-backwards")
    if last - first >= LONGEST:
        raise at("/to", "span-too-long")
    wanted = _columns(work, names)
    covered = reach(work, code)
    metrics = list(dict.fromkeys(wanted.values()))
    if by is Level.DAY:
        rows, as_of = await _by_day(work, covered, metrics, first, last)
    else:
        rows, as_of = await _by_division(work, covered, metrics, first, last, by)
    named = [
        {key: row[key] for key in ("day", "code", "name") if key in row}
        | {n: row[m] for n, m in wanted.items()}
        for row in rows
    ]
    return Series(list(wanted), first, last, by, as_of or await beginning(work, covered), named)


_DAYS = """
SELECT CASE WHEN day >= $5 THEN day END AS day, max(changed_at) AS changed_at, {sums}
FROM daily_counters c WHERE day <= $6 AND {within} GROUP BY 1 ORDER BY 1 NULLS FIRST
"""

_Rows = tuple[list[dict[str, Any]], datetime | None]


async def _by_day(work: Work, covered: Reach, metrics: Sequence[Metric], first: date, last: date) -> _Rows:
    sums = ", ".join(f"sum({m})::bigint AS {m}" for m in metrics)
    found = await work.sql.fetch(_DAYS.format(sums=sums, within=within("c")), *covered.arguments, first, last)
    by_day = {row["day"]: row for row in found}
    if not found and not await _has_units(work, covered):
        raise NotFound
    as_of = max((row["changed_at"] for row in found), default=None)
    standing = {m: by_day[None][m] if None in by_day else 0 for m in metrics}
    rows = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        row: dict[str, Any] = {"day": day}
        for m in metrics:
            change = by_day[day][m] if day in by_day else 0
            standing[m] = standing[m] + change if m in STOCKS else change
            row[m] = standing[m]
        rows.append(row)
    return rows, as_of


_DIVISIONS = """
SELECT u.unit_code / {width} AS division, {name} AS name, max(c.changed_at) AS changed_at, {sums}
FROM units u LEFT JOIN (
    SELECT unit_code, max(changed_at) AS changed_at, {parts}
    FROM daily_counters d WHERE day <= $6 AND {within} GROUP BY unit_code
) c USING (unit_code)
WHERE {within_units} GROUP BY 1 ORDER BY 1
"""

_WIDTHS = {
    Level.UNIT: (1, "min(u.name)"),
    Level.TOWNSHIP: (1000, "min((SELECT t.name FROM townships t WHERE t.code = u.unit_code / 1000))"),
    Level.COUNTY: (1_000_000, "NULL::text"),
    Level.CITY: (100_000_000, "NULL::text"),
    Level.PROVINCE: (10_000_000_000, "NULL::text"),
}


async def _by_division(
    work: Work, covered: Reach, metrics: Sequence[Metric], first: date, last: date, by: Level
) -> _Rows:
    width, name = _WIDTHS[by]
    statement = _DIVISIONS.format(
        width=width,
        name=name,
        sums=", ".join(f"coalesce(sum(c.{m}), 0)::bigint AS {m}" for m in metrics),
        parts=", ".join(f"sum({m}) FILTER (WHERE day >= {_since(m)}) AS {m}" for m in metrics),
        within=within("d"),
        within_units=within("u"),
    )
    found = await work.sql.fetch(statement, *covered.arguments, first, last)
    if not found:
        raise NotFound
    rows = [{"code": str(row["division"]), **row} for row in found]
    return rows, max((row["changed_at"] for row in found if row["changed_at"]), default=None)


def _since(metric: Metric) -> str:
    return "'-infinity'::date" if metric in STOCKS else "$5"


async def _has_units(work: Work, covered: Reach) -> bool:
    statement = f"SELECT EXISTS (SELECT 1 FROM units u WHERE {within('u')})"
    return bool(await work.sql.fetchval(statement, *covered.arguments))
