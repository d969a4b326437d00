"""The push: a phone's operations in one transaction, each with a clear answer, none twice, none gone.

Order: claim the ids, act, count, tell the feed, settle, commit, reply. So a reply says what is durable, and a repeat
meets what the first delivery stored.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg

from app.core.problems import Unavailable
from app.core.scope import Scope
from app.core.work import OpenWork, Work
from app.schemas.sync import PushBody
from app.services.conflicts import open_conflicts
from app.services.sync import ledger
from app.services.sync.acting import act
from app.services.sync.assignments import name_units
from app.services.sync.filing import file_with_records
from app.services.sync.ops import Op, read_ops
from app.services.sync.reach import extend
from app.services.sync.results import Result, places_of, result_of

log = logging.getLogger("wangge.sync")

ATTEMPTS = 3
PATIENCE = 10.0
"""For how many seconds a push waits for a lock that somebody else has, before it is to be sent again."""
_SHORT = "SET LOCAL lock_timeout = '500ms'"
"""Nobody keeps a place for longer while waiting for a lock: others take their turn meanwhile."""
WRITERS = 6
"""More batches at once than this would slow each other down (design, decision 8)."""
WRITERS_OF_A_SCOPE = 2
"""Of them, so many from one village: whoever waits for its feed must not take the place of the other villages."""
_AGAIN = (
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.SerializationError,
)


class Places:
    """The places of batches that are at work."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(WRITERS)
        self._of_scope: WeakValueDictionary[Scope, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def take(self, scope: Scope) -> AsyncIterator[None]:
        """Wait for a place for somebody of this scope, and keep it."""
        own = self._of_scope.setdefault(scope, asyncio.Semaphore(WRITERS_OF_A_SCOPE))
        async with own, self._all:
            yield


PLACES = Places()


class Pushed(NamedTuple):
    """The results of a batch, in the order sent, and when it was received."""

    server_time: datetime
    results: list[Result]


async def push(open_work: OpenWork, batch: PushBody, scope: Scope, received_at: datetime) -> Pushed:
    """Take a batch in of somebody of a scope; what two writers get in each other's way with is tried again here.

    `received_at` is when the request began: the phone read its clocks as it sent, and a slow upload ages nothing.

    Raises:
        Unavailable: the database is away or stays busy; nothing of the batch is applied.
    """
    clock, attempt = asyncio.get_running_loop().time, 0
    until = clock() + PATIENCE
    while True:
        attempt += 1
        try:
            async with PLACES.take(scope), open_work() as work:
                await work.sql.execute(_SHORT)
                return await _take_in(work, batch, received_at)
        except Unavailable as problem:
            cause = problem.__cause__
            log.warning("push put off", extra={"error": type(cause).__name__, "attempt": attempt})
            waited = isinstance(cause, asyncpg.exceptions.LockNotAvailableError) and clock() < until
            if not (waited or (isinstance(cause, _AGAIN) and attempt < ATTEMPTS)):
                raise
        await asyncio.sleep(random.uniform(0.01, 0.05) * min(attempt, ATTEMPTS))  # noqa: S311 - no secret


async def _take_in(work: Work, batch: PushBody, received_at: datetime) -> Pushed:
    work.caller = replace(work.caller, device_id=batch.device_id)
    ops = read_ops(work, batch, received_at)
    settled = await ledger.claim(work, ops)
    fresh = [op for place, op in enumerate(ops) if place not in settled]
    firsts: dict[UUID, Op] = {}
    for op in fresh:
        firsts.setdefault(op.id, op)
    results = await settle_ops(work, list(firsts.values()))
    return Pushed(work.now, _in_order(ops, settled, results))


async def settle_ops(work: Work, ops: Sequence[Op]) -> dict[UUID, Result]:
    """Let claimed operations act, tell the feed, and store what became of each."""
    await name_units(work, work.caller, ops)
    await act(work, [op for op in ops if op.problem is None])
    await extend(work, ops)
    await open_conflicts(work, ops)
    await file_with_records(work, [op for op in ops if op.problem or op.status])
    places = await places_of(work, work.caller, ops, await work.tell())
    results = [result_of(op, places) for op in ops]
    await ledger.settle(work, ops, results)
    return {op.id: result for op, result in zip(ops, results, strict=True)}


def _in_order(ops: Sequence[Op], settled: dict[int, Result], results: dict[UUID, Result]) -> list[Result]:
    """Return a result an operation. One that stands twice in a batch is a repeat of itself."""
    seen: set[UUID] = set()
    answers = []
    for place, op in enumerate(ops):
        result = settled.get(place) or results[op.id]
        answers.append(result.repeated() if place not in settled and op.id in seen else result)
        seen.add(op.id)
    return answers
