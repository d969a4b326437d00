"""The turnstile before what strangers may do without a login: few at a time, and who must wait is turned away at once.

The database keeps the counts, so that they outlive a restart; this keeps a flood away from the database. What it
remembers is lost without harm: the database says it again.
"""

import asyncio
from datetime import datetime

from app.core.problems import TooMany

AT_ONCE = 2
"""How many strangers' requests of a process hold a connection at a time; the pool has more, for those who log in."""
_MOST = 10_000
"""How many keys are remembered at most."""


class Turnstile:
    """Who must wait until when, and the places for those who need not."""

    def __init__(self) -> None:
        self._until: dict[bytes, datetime] = {}
        self.places = asyncio.Semaphore(AT_ONCE)

    def check(self, key: bytes, now: datetime) -> None:
        """Let a key pass.

        Raises:
            TooMany: it must wait.
        """
        until = self._until.get(key)
        if until is not None and until > now:
            raise TooMany(int((until - now).total_seconds()) + 1)

    def shut(self, key: bytes, until: datetime) -> None:
        """Remember until when a key must wait."""
        if len(self._until) >= _MOST:
            self._until.clear()
        self._until[key] = until
