"""The bell: tells every server process that a township's feed has grown, so that those who wait may look.

It rings in this process at once, and in the others by NOTIFY, over one connection a process that also listens. A ring
is a hint: it may be lost, and whoever waits looks by themselves from time to time. NOTIFY is sent beside the writing
transactions, never inside: inside, it makes the commits of a whole database wait for one another.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Self

import asyncpg

from app.core.database import Database
from app.core.problems import Problem

log = logging.getLogger("wangge.bell")

CHANNEL = "wangge_feed"
GATHER_SECONDS = 0.02
RETRY_SECONDS = 1.0


class Bell:
    """One process's bell; `database` lends the one connection that it keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hearers: list[Callable[[int], None]] = []
        self._rung: set[int] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start listening."""
        self._task = asyncio.create_task(self._run(), name="bell")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._database.close()

    def on_ring(self, hearer: Callable[[int], None]) -> None:
        """Let a function hear the code of every township that is rung for; it must not wait."""
        self._hearers.append(hearer)

    def ring(self, township_code: int) -> None:
        """Tell that a township's feed has grown."""
        self._hear(township_code)
        if self._task is not None:
            self._rung.add(township_code)
            self._wake.set()

    def _hear(self, township_code: int) -> None:
        for hearer in self._hearers:
            hearer(township_code)

    async def _run(self) -> None:
        while True:
            try:
                async with self._database.connection() as link:
                    await link.sql.add_listener(CHANNEL, self._heard)
                    await self._send_on(link.sql)
            except Problem as problem:
                log.warning("bell is silent", extra={"error": problem.code})
            await asyncio.sleep(RETRY_SECONDS)

    async def _send_on(self, sql: asyncpg.Connection) -> None:
        """Send what was rung here, in bundles, until the connection is lost."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            towns, self._rung = self._rung, set()
            await sql.execute(
                "SELECT pg_notify($1, t) FROM unnest($2::text[]) AS t", CHANNEL, list(map(str, towns))
            )

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        if isinstance(payload, str) and payload.isdigit() and len(payload) == 9:
            self._hear(int(payload))
