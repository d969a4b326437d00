"""Reports (contract, section 8): read from the counters, units × days rows, never from the events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core.problems import NotFound
from app.core.scope import code_range
from app.core.work import Work
from app.domain.enums import DenyReason, Role
from app.domain.metrics import DENIED_BY, QUARANTINE, REPORTED, STOCKS, Metric

Numbers = dict[str, Any]

_FACTS = tuple(m for m in Metric if m not in STOCKS and m is not Metric.PEOPLE)
_STOCKS = tuple(m for m in Metric if m in STOCKS and m is not Metric.PEOPLE)
_ACTIVITY = (
    Metric.HOUSEHOLDS_CHECKED,
    Metric.SERVICE_DONE,
    Metric.TEMPERATURE_DONE,
    Metric.PASSES,
    Metric.DENIALS,
    Metric.SITES_DISINFECTED,
)


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of the country that a report is about, as a range of townships and one of units.

    A caller with several units has one range around them all; what lies between them the fence keeps out.
    """

    name: str
    townships: tuple[int, int]
    units: tuple[int, int]

    @property
    def arguments(self) -> tuple[int, int, int, int]:
        """The arguments $1 to $4 of every statement here."""
        return (*self.townships, *self.units)


def within(table: str) -> str:
    """Return the condition that a table's row lies in the reach."""
    return (
        f"{table}.township_code >= $1 AND {table}.township_code <= $2"
        f" AND {table}.unit_code >= $3 AND {table}.unit_code < $4"
    )


def reach(work: Work, code: str | None) -> Reach:
    """Return what a report covers: the code, or the caller's whole scope.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    prefixes = (code,) if code is not None else work.caller.scope.prefixes
    ranges = [code_range(prefix) for prefix in prefixes]
    first, end = min(a for a, _ in ranges), max(b for _, b in ranges)
    return Reach(",".join(prefixes), (first // 1000, (end - 1) // 1000), (first, end))


def _sums(metrics: Sequence[Metric]) -> str:
    return ", ".join(f"coalesce(sum(c.{m}), 0)::bigint AS {m}" for m in metrics)


_DAY = f"""
WITH facts AS (
    SELECT c.unit_code, {", ".join(f"c.{m}" for m in _FACTS)} FROM daily_counters c
    WHERE c.day = $5 AND {within("c")}
), stocks AS (
    SELECT c.unit_code, {_sums(_STOCKS)}, max(c.changed_at) AS changed_at FROM daily_counters c
    WHERE c.day <= $5 AND {within("c")} GROUP BY c.unit_code
)
SELECT u.unit_code, u.name, s.changed_at, {", ".join(f"coalesce({m}, 0) AS {m}" for m in (*_FACTS, *_STOCKS))}
FROM units u LEFT JOIN facts f USING (unit_code) LEFT JOIN stocks s USING (unit_code)
WHERE {within("u")} ORDER BY u.unit_code
"""


@dataclass(frozen=True, slots=True)
class DailyReport:
    """One day's numbers by unit; the totals are their sums."""

    day: date
    code: str
    as_of: datetime
    metrics: tuple[Metric, ...]
    units: list[Mapping[str, Any]]

    def totals(self) -> Numbers:
        """Return the sums over the units."""
        return shown({m: sum(unit[m] for unit in self.units) for m in (*_FACTS, *_STOCKS)}, self.metrics)

    def reported(self) -> int:
        """Return how many units have at least one record of that day."""
        return sum(any(unit[m] for m in _ACTIVITY) for unit in self.units)


def shown(numbers: Mapping[str, Any], metrics: Sequence[Metric]) -> Numbers:
    """Return the metrics as a report shows them: in the contract's order, the reasons behind the denials."""
    answer: Numbers = {}
    for metric in metrics:
        answer[metric.value] = numbers[metric]
        if metric is Metric.DENIALS:
            answer["denials_by_reason"] = {reason.value: numbers[DENIED_BY[reason]] for reason in DenyReason}
    return answer


def readable(work: Work) -> tuple[Metric, ...]:
    """Return the metrics that the caller's role may read: the clinic reads those of quarantine, a gate its own."""
    if work.caller.role == Role.CLINIC:
        return tuple(m for m in REPORTED if m in QUARANTINE)
    if work.caller.role == Role.CHECKPOINT:
        return (Metric.PASSES, Metric.DENIALS)
    return REPORTED


async def daily(work: Work, day: date | None, code: str | None) -> DailyReport:
    """Return the report of a day, by default today.

    Raises:
        NotFound: the code is not within the caller's scope, or names no unit.
    """
    day = day or work.today
    covered = reach(work, code)
    rows = await work.sql.fetch(_DAY, *covered.arguments, day)
    if not rows:
        raise NotFound
    as_of = max((row["changed_at"] for row in rows if row["changed_at"]), default=None)
    return DailyReport(
        day,
        covered.name,
        as_of or await beginning(work, covered),
        readable(work),
        [dict(row) for row in rows],
    )


async def beginning(work: Work, covered: Reach) -> datetime:
    """Return when the newest township of the reach was created: the `as_of` of numbers that are all zero."""
    moment = await work.sql.fetchval(
        "SELECT max(created_at) FROM townships WHERE code >= $1 AND code <= $2", *covered.townships
    )
    if moment is None:
        raise NotFound
    assert isinstance(moment, datetime)
    return moment
