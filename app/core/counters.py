"""Counters that ride in the transaction of the facts they count.

A service says `work.count(unit, day, metric, ±n)`; the changes are folded and written once, at the end of the
transaction, sorted by key so that two writers never wait for each other in a circle (design decision 9).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

Key = tuple[int, date]


class Tally:
    """The changes of one transaction: per unit and day, one amount a metric."""

    def __init__(self) -> None:
        self._changes: defaultdict[Key, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, unit_code: int, day: date, metric: StrEnum, amount: int) -> None:
        """Add `amount` (which may be negative) to a metric of a unit and day."""
        self._changes[unit_code, day][metric.value] += amount

    def copy(self) -> "Tally":
        """Return the changes as they are now, to go back to."""
        twin = Tally()
        for key, amounts in self._changes.items():
            twin._changes[key].update(amounts)
        return twin

    def rows(self) -> Iterator[tuple[Key, dict[str, int]]]:
        """Yield what is left after folding, in the order in which rows are to be locked."""
        for key in sorted(self._changes):
            amounts = {metric: n for metric, n in self._changes[key].items() if n}
            if amounts:
                yield key, amounts

    def statement(self, township_code: int, now: datetime) -> str:
        """Return the one statement that writes the changes, or '' where there are none, and forget them.

        It is written out in numbers, days and names of metrics, none of them anybody's text, so that it can travel in
        one message with COMMIT: the rows that others wait for are locked for no longer than the commit takes.
        """
        rows = list(self.rows())
        self._changes.clear()
        if not rows:
            return ""
        metrics = tuple(sorted({metric for _, amounts in rows for metric in amounts}))
        head, tail = _upsert(metrics)
        values = ",".join(
            f"({township_code:d},'{now.isoformat()}',{unit:d},'{day.isoformat()}',"
            + ",".join(f"{amounts.get(metric, 0):d}" for metric in metrics)
            + ")"
            for (unit, day), amounts in rows
        )
        return head + values + tail


@lru_cache(maxsize=512)
def _upsert(metrics: tuple[str, ...]) -> tuple[str, str]:
    """Return what stands before and behind the rows, for a set of metrics, whose names are members of an enum."""
    names = ", ".join(metrics)
    head = f"INSERT INTO daily_counters AS c (township_code, changed_at, unit_code, day, {names}) VALUES "
    changes = [f"{m} = c.{m} + excluded.{m}" for m in metrics]
    changes.append("changed_at = greatest(c.changed_at, excluded.changed_at)")
    return head, f" ON CONFLICT (township_code, day, unit_code) DO UPDATE SET {', '.join(changes)}"
