"""Sheets, built beside the event loop, one after another: they take the processor, and nobody's connection."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread

from app.core.problems import Unavailable
from app.core.representations import CSV
from app.core.tables import to_csv, to_xlsx

QUICK = 10_000
"""Up to so many cells a workbook does not wait for those that take seconds; CSV of any size is as quick."""
MOST_WAITING = 4
"""Long sheets that wait for their turn, with all of their rows in memory; more are put off."""


class Sheets:
    """The two places of one server process at which sheets are built: for quick ones, and for the others."""

    def __init__(self) -> None:
        self._quick, self._others = CapacityLimiter(1), CapacityLimiter(1)

    async def build(
        self, media_type: str, title: str, heads: list[str], rows: Sequence[Mapping[str, Any]]
    ) -> bytes:
        """Return rows as CSV, or as a workbook whose one sheet has this title.

        Raises:
            Unavailable: too many long sheets wait already.
        """
        make = partial(to_csv, heads) if media_type == CSV else partial(to_xlsx, title, heads)
        places = self._quick if media_type == CSV or len(rows) * len(heads) <= QUICK else self._others
        if places is self._others and places.statistics().tasks_waiting >= MOST_WAITING:
            raise Unavailable(10)
        return await to_thread.run_sync(make, rows, limiter=places)
