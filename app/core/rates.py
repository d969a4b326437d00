"""How often somebody may ask: so many requests a minute, counted in this process."""

from datetime import datetime

from app.core.problems import TooMany

WINDOW_SECONDS = 60
_MOST = 10_000
"""How many callers are remembered at most; the windows of the others begin anew."""


class Rates:
    """The callers of the present minute, and how often each has asked."""

    def __init__(self) -> None:
        self._asked: dict[object, tuple[int, int]] = {}

    def count(self, caller: object, limit: int, now: datetime) -> None:
        """Count one request of a caller.

        Raises:
            TooMany: it is beyond the limit; the next minute takes it.
        """
        second = int(now.timestamp())
        window = second // WINDOW_SECONDS
        began, asked = self._asked.get(caller, (window, 0))
        if began != window:
            asked = 0
        if asked >= limit:
            raise TooMany(WINDOW_SECONDS - second % WINDOW_SECONDS)
        if len(self._asked) >= _MOST and caller not in self._asked:
            self._asked.clear()
        self._asked[caller] = (window, asked + 1)
