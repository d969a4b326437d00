"""Those who wait for news (long polls): one look a township at the heads of its scopes serves all who wait there."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from app.core.bell import Bell
from app.core.database import Database
from app.core.problems import Problem
from app.core.scope import Scope

log = logging.getLogger("wangge.watch")

LOOK_SECONDS = 2.0
"""How long a lost ring may go unnoticed."""
GATHER_SECONDS = 0.05

ScopeKey = tuple[int, str]

_HEADS = "SELECT unit_code, audience, seq FROM feed_heads WHERE township_code = $1"


@dataclass(eq=False, slots=True)
class _Waiter:
    """Somebody who waits until one of these scopes has gone beyond the number that they know."""

    township_code: int
    known: Mapping[ScopeKey, int]
    news: asyncio.Event


class Watch:
    """The waiters of one process."""

    def __init__(self, database: Database, bell: Bell) -> None:
        self._database = database
        self._waiters: dict[int, set[_Waiter]] = {}
        self._wake = asyncio.Event()
        self._rung: set[int] = set()
        self._ended = False
        self._task: asyncio.Task[None] | None = None
        bell.on_ring(self._hear)

    async def __aenter__(self) -> Self:
        """Start looking."""
        self._task = asyncio.create_task(self._run(), name="watch")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop looking, and send everybody home."""
        self.end()
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    @property
    def ended(self) -> bool:
        """Tell whether the server stops."""
        return self._ended

    def end(self) -> None:
        """Send everybody home, now and whoever comes: the server stops."""
        self._ended = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.news.set()

    async def wait(self, township_code: int, known: Mapping[ScopeKey, int], seconds: float) -> bool:
        """Wait until a scope goes beyond the number known of it; tell whether one may have."""
        if self._ended:
            return False
        waiter = _Waiter(township_code, known, asyncio.Event())
        self._waiters.setdefault(township_code, set()).add(waiter)
        self._hear(township_code)  # it may have grown between the caller's look and now
        try:
            async with asyncio.timeout(seconds):
                await waiter.news.wait()
            return not self._ended
        except TimeoutError:
            return False
        finally:
            waiters = self._waiters[township_code]
            waiters.discard(waiter)
            if not waiters:
                del self._waiters[township_code]

    def _hear(self, township_code: int) -> None:
        if township_code in self._waiters:
            self._rung.add(township_code)
            self._wake.set()

    async def _run(self) -> None:
        clock, looked = asyncio.get_running_loop().time, 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
                    await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            towns, self._rung = self._rung, set()
            if clock() - looked >= LOOK_SECONDS:  # also beside a township that rings without pause
                towns, looked = set(self._waiters), clock()
            try:
                for town in towns & self._waiters.keys():
                    await self._look(town)
            except Problem as problem:
                log.warning("cannot look", extra={"error": problem.code})

    async def _look(self, township_code: int) -> None:
        lanes = dict.fromkeys(("unit", "clinic", "post"), Scope((str(township_code),)))
        async with self._database.transaction(lanes) as link:
            rows = await link.sql.fetch(_HEADS, township_code)
        heads = {(row["unit_code"], row["audience"]): row["seq"] for row in rows}
        grown: dict[int, bool] = {}  # readers who looked together share what they know
        for waiter in self._waiters.get(township_code, ()):
            if id(waiter.known) not in grown:
                grown[id(waiter.known)] = any(
                    heads.get(scope, 0) > seq for scope, seq in waiter.known.items()
                )
            if grown[id(waiter.known)]:
                waiter.news.set()
