"""Counters that ride in the transaction of the facts they count.

A service says `work.count(unit, day, metric, ±n)`; the changes are folded and written once, at the end of the
transaction, sorted by key so that two writers never wait for each other in a circle (design decision 9).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

import asyncpg

Key = tuple[int, date]


class Tally:
    """The changes of one transaction: per unit and day, one amount a metric."""

    def __init__(self) -> None:
        self._changes: defaultdict[Key, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, unit_code: int, day: date, metric: StrEnum, amount: int) -> None:
        """Add `amount` (which may be negative) to a metric of a unit and day."""
        self._changes[unit_code, day][metric.value] += amount

    def rows(self) -> Iterator[tuple[Key, dict[str, int]]]:
        """Yield what is left after folding, in the order in which rows are to be locked."""
        for key in sorted(self._changes):
            amounts = {metric: n for metric, n in self._changes[key].items() if n}
            if amounts:
                yield key, amounts

    async def flush(self, sql: asyncpg.Connection, township_code: int, now: datetime) -> None:
        """Write the changes in one statement and forget them."""
        rows = list(self.rows())
        self._changes.clear()
        if not rows:
            return
        metrics = sorted({metric for _, amounts in rows for metric in amounts})
        columns: list[list[int]] = [[amounts.get(metric, 0) for _, amounts in rows] for metric in metrics]
        await sql.execute(
            _upsert(tuple(metrics)),
            township_code,
            now,
            [unit for (unit, _), _ in rows],
            [day for (_, day), _ in rows],
            *columns,
        )


_statements: dict[tuple[str, ...], str] = {}


def _upsert(metrics: tuple[str, ...]) -> str:
    """Return the statement for a set of metrics, whose names are members of an enum and never input."""
    statement = _statements.get(metrics)
    if statement is None:
        arrays = "".join(f", ${i}::int[]" for i in range(5, 5 + len(metrics)))
        names = ", ".join(metrics)
        sums = ", ".join(f"{m} = c.{m} + excluded.{m}" for m in metrics)
        statement = _statements[metrics] = (
            f"INSERT INTO daily_counters AS c (township_code, changed_at, unit_code, day, {names}) "
            f"SELECT $1, $2, n.* FROM unnest($3::bigint[], $4::date[]{arrays}) AS n "
            f"ON CONFLICT (township_code, day, unit_code) DO UPDATE SET {sums}, "
            "changed_at = greatest(c.changed_at, excluded.changed_at)"
        )
    return statement
