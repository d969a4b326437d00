"""Doing once what many ask for at the same time: whoever asks while a question waits for its turn is answered with it.

A question whose work has begun takes in nobody else: each who asks gets what was found out after they asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

Run = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Answers all who ask, in their order; an exception in place of an answer is raised to that one alone."""


class Together:
    """The questions of one process, a few of them worked on at a time, so that they do not take every connection."""

    def __init__(self, at_a_time: int) -> None:
        self._turns = asyncio.Semaphore(at_a_time)
        self._waiting: dict[Hashable, list[tuple[Any, asyncio.Future[Any]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, key: Hashable, who: object, run: Run) -> Any:
        """Return the answer to `who`; of those who wait with the same key, the first one's `run` answers all."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if key not in self._waiting:
            self._waiting[key] = []
            task = asyncio.create_task(self._answer(key, run), name="together")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._waiting[key].append((who, answer))
        return await answer

    async def _answer(self, key: Hashable, run: Run) -> None:
        async with self._turns:
            asked = [(who, answer) for who, answer in self._waiting.pop(key) if not answer.done()]
            try:
                found = await run([who for who, _ in asked]) if asked else []
            except Exception as error:  # noqa: BLE001 - it is raised to each who asked
                found = [error] * len(asked)
        for (_, answer), said in zip(asked, found, strict=True):
            if answer.done():  # gone in the meantime
                continue
            if isinstance(said, Exception):
                answer.set_exception(said)
            else:
                answer.set_result(said)
