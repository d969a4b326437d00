"""The turnstile before what strangers may do without a login: few at a time, and who must wait is turned away.

The database keeps the counts, so that they outlive a restart; this keeps a flood away from the database. What it
remembers is lost without harm: the database says it again. Those turned away under one key are answered at a pace,
one after another: whoever sends without end then waits, and takes no processor from those who work.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from app.core.problems import TooMany

AT_ONCE = 2
"""How many strangers' requests of a process hold a connection at a time; the pool has more, for those who log in."""
PACE = 0.05
"""Seconds between two answers to one key that is turned away."""
LONGEST = 2.0
"""How long an answer is put off at most: who sends still faster is answered at once, so that none pile up here."""
_MOST = 10_000
"""How many keys are remembered at most."""


class Turnstile:
    """Who must wait until when, and the places for those who need not."""

    def __init__(
        self,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest, self._now = rest, now
        self._until: dict[bytes, datetime] = {}
        self._turns: dict[bytes, float] = {}
        self.places = asyncio.Semaphore(AT_ONCE)

    def check(self, key: bytes, now: datetime) -> None:
        """Let a key pass.

        Raises:
            TooMany: it must wait.
        """
        until = self._until.get(key)
        if until is not None and until > now:
            raise TooMany(int((until - now).total_seconds()) + 1)

    async def linger(self, key: bytes) -> None:
        """Let a key that is turned away wait for its turn to be told so."""
        now = self._now()
        turn = max(now, self._turns.get(key, now)) + PACE
        if turn - now <= LONGEST:
            self._turns[key] = turn
            await self._rest(turn - now)

    def shut(self, key: bytes, until: datetime) -> None:
        """Remember until when a key must wait."""
        if len(self._until) >= _MOST:
            self._until.clear()
            self._turns.clear()
        self._until[key] = until
