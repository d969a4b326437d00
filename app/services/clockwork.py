"""The clockwork: what happens because time passes, and nobody calls.

Every few seconds it looks at each township for slots that ended without a visit and for orders whose last day is over.
What it does is idempotent (a slot is missed once, an order released once) and safe with several processes, because a
township's clock is a row that one of them locks; after downtime it makes up what it missed. A township that cannot be
worked on keeps nobody else waiting.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

from app.core.kit import Kit
from app.core.problems import Problem
from app.core.work import OpenTownship, Work
from app.services import quarantine_clock
from app.services.cross_checks import cross_check
from app.services.freezing import freeze_days
from app.services.gate_digests import SPELL_SECONDS, hash_some
from app.services.gate_keys import rotate_pass_keys
from app.services.order_clock import run_orders
from app.services.photo_uploads import forget_unfinished
from app.services.supply_clock import run_supplies
from app.services.sync.held import retry_held
from app.services.tidying import tidy
from app.services.webhook_sending import run_webhooks

log = logging.getLogger("wangge.clockwork")

_BETWEEN_LOOKS = timedelta(hours=1)
_BETWEEN_HASHINGS = timedelta(minutes=1)


class Clockwork:
    """The background task of one server process."""

    def __init__(self, kit: Kit, open_township: OpenTownship) -> None:
        self._kit = kit
        self._open_township = open_township
        self._tasks: list[asyncio.Task[None]] = []
        self._next_look = datetime.min.replace(tzinfo=UTC)

    async def __aenter__(self) -> Self:
        """Start ticking."""
        self._tasks = [
            asyncio.create_task(self._run(), name="clockwork"),
            asyncio.create_task(self._hash(), name="gate digests"),
            asyncio.create_task(self._tell(), name="webhooks"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop; a tick under way is rolled back and will be made up."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            async with _logged():
                await self.tick()
            await asyncio.sleep(self._kit.settings.clock_seconds)

    async def tick(self) -> None:
        """Do what has come due, township by township, each in a transaction of its own."""
        for code in await self._townships():
            async with _logged(township=code), self._open_township(code) as work:
                await tick_township(work)
            async with _logged(township=code):
                await retry_held(partial(self._open_township, code))
            async with _logged(township=code):
                await freeze_days(partial(self._open_township, code))
        async with _logged(), self._kit.database.connection() as link:
            await tidy(link.sql, self._kit.clock.now())
        async with _logged():
            await self._forget_unfinished()

    async def _hash(self) -> None:
        """Prepare the bundles of gates, half of the time while there is anything to do: it must not hold up a tick."""
        while True:
            more = False
            async with _logged():
                for code in await self._townships():
                    async with _logged(township=code):
                        open_work = partial(self._open_township, code)
                        more |= await hash_some(open_work, self._kit.settings.gate_hash_cost)
            await asyncio.sleep(SPELL_SECONDS if more else _BETWEEN_HASHINGS.total_seconds())

    async def _tell(self) -> None:
        """Send webhooks: an address that does not answer must not hold up a tick."""
        while True:
            async with _logged():
                for code in await self._townships():
                    async with _logged(township=code):
                        open_work = partial(self._open_township, code)
                        await run_webhooks(open_work, self._kit.settings.webhooks_anywhere)
            await asyncio.sleep(self._kit.settings.clock_seconds)

    async def _townships(self) -> list[int]:
        async with self._kit.database.connection() as link:
            return [row["code"] for row in await link.sql.fetch("SELECT code FROM townships ORDER BY code")]

    async def _forget_unfinished(self) -> None:
        """Clear away photos that were never finished; once an hour, because the store may charge for a look."""
        now = self._kit.clock.now()
        if now >= self._next_look:
            self._next_look = now + _BETWEEN_LOOKS
            await forget_unfinished(self._kit.photos, now)


@contextlib.asynccontextmanager
async def _logged(**where: int) -> AsyncIterator[None]:
    """Log a failure and go on: what was not done is done by the next tick."""
    try:
        yield
    except Problem as problem:  # the database is away, say
        log.warning("tick put off", extra={"error": problem.code, **where})
    except Exception:
        log.exception("tick failed", extra=where)


_LOCK = "SELECT clock_at FROM townships WHERE code = $1 FOR NO KEY UPDATE SKIP LOCKED"
_ADVANCE = "UPDATE townships SET clock_at = greatest(clock_at, $2) WHERE code = $1"


async def tick_township(work: Work, since: datetime | None = None) -> None:
    """Do what has come due in the work's township, unless another process is at it.

    What was recorded `since` is looked at; by default since the last tick.
    """
    looked = await work.sql.fetchrow(_LOCK, work.township_code)
    if looked is None:
        return
    # People before slots, as everywhere.
    await quarantine_clock.release_orders(work)
    await quarantine_clock.close_slots(work)
    await quarantine_clock.settle_late_visits(work)
    await rotate_pass_keys(work)
    await cross_check(work, since or looked["clock_at"])
    await run_orders(work)
    await run_supplies(work)
    await work.sql.execute(_ADVANCE, work.township_code, work.now)
