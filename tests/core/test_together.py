"""Many who ask the same at the same time are answered by one run, and nobody by one that began before they asked."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from app.core.together import Together


class Desk:
    """Answers everybody with the number of the run; a run goes on until it is let."""

    def __init__(self) -> None:
        self.runs: list[list[Any]] = []
        self.goes_on = asyncio.Event()
        self.at_work = self.most_at_work = 0

    async def run(self, asked: Sequence[Any]) -> list[Any]:
        self.runs.append(list(asked))
        number = len(self.runs)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await self.goes_on.wait()
        self.at_work -= 1
        return [ValueError(who) if who == "bad" else (who, number) for who in asked]


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_ask_together_share_a_run_and_who_comes_later_has_another() -> None:
    together, desk = Together(1), Desk()
    first = [asyncio.create_task(together.ask("mark", who, desk.run)) for who in range(3)]
    await turns()
    later = [asyncio.create_task(together.ask("mark", who, desk.run)) for who in (3, 4)]
    await turns()
    assert desk.runs == [[0, 1, 2]], "the second question waits for its turn"
    desk.goes_on.set()
    assert await asyncio.gather(*first, *later) == [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2)]


async def test_other_questions_have_their_own_runs_a_few_at_a_time() -> None:
    together, desk = Together(2), Desk()
    tasks = [asyncio.create_task(together.ask(n % 5, n, desk.run)) for n in range(10)]
    await turns()
    assert desk.runs == [[0, 5], [1, 6]]
    desk.goes_on.set()
    assert [who for who, _ in await asyncio.gather(*tasks)] == list(range(10))
    assert (len(desk.runs), desk.most_at_work) == (5, 2)


async def test_one_is_refused_alone_and_who_went_away_is_not_asked_for() -> None:
    together, desk = Together(1), Desk()
    blocker = asyncio.create_task(together.ask("other", 0, desk.run))
    await turns()
    good, bad, gone = (
        asyncio.create_task(together.ask("mark", who, desk.run)) for who in ("good", "bad", "gone")
    )
    await turns()
    gone.cancel()
    await turns()
    desk.goes_on.set()
    assert await good == ("good", 2)
    with pytest.raises(ValueError, match="bad"):
        await bad
    assert (await blocker, desk.runs) == ((0, 1), [[0], ["good", "bad"]])


async def test_a_run_that_fails_fails_for_all_and_the_next_runs() -> None:
    together, desk = Together(1), Desk()
    desk.goes_on.set()

    async def broken(_: Sequence[Any]) -> list[Any]:
        raise OSError

    answers = await asyncio.gather(
        *(together.ask("mark", n, broken) for n in range(2)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [OSError, OSError]
    assert await together.ask("mark", 7, desk.run) == (7, 1)
