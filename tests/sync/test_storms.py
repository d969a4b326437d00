"""The cursor under pressure: transactions that roll back late, a scope that somebody blocks, and many writers for long.

WANGGE_TEST_SOAK_SECONDS and WANGGE_TEST_HELD_SECONDS say for how long; `make soak` makes the former ten minutes.
"""

import asyncio
import os
import random
import time
from statistics import median
from typing import Any

from httpx import AsyncClient

from tests.counting import assert_recounted
from tests.pushing import batch, push
from tests.supplies import assert_books
from tests.sync.follower import Follower
from tests.sync.pushers import Pusher, all_told_once, make_grounds
from tests.sync.snares import counting, snare, until, waiting
from tests.sync.test_cursor import registration
from tests.town import Town

SOAK = float(os.environ.get("WANGGE_TEST_SOAK_SECONDS", "60"))
HOLD = float(os.environ.get("WANGGE_TEST_HELD_SECONDS", "60"))

# Of ten transactions one breaks at COMMIT, one is to be tried again, and one loses its connection.
_STORM = """
IF current_setting('snare.seen', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
    PERFORM set_config('snare.seen', pg_current_xact_id()::text, true);
    CASE nextval('{numbers}') % 10
        WHEN 3 THEN RAISE EXCEPTION 'too late';
        WHEN 6 THEN RAISE EXCEPTION 'too late' USING ERRCODE = 'serialization_failure';
        WHEN 9 THEN PERFORM pg_terminate_backend(pg_backend_pid());
        ELSE NULL;
    END CASE;
END IF;
"""


async def followed(follower: Follower, stopping: asyncio.Event) -> None:
    """Read without pause until told to stop, and then to the end."""
    while not stopping.is_set():
        await follower.read(wait=1)
    await follower.read()


class Crowd:
    """Six phones of three units and a reader of each audience."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.pushers: list[Pusher] = []
        self.readers: list[Follower] = []

    async def gather(self, seed: int, hangs_up: float) -> None:
        """Give every phone its login."""
        office, clinic = await self.town.township(), await self.town.clinic()
        grounds = await make_grounds(self.town, office, 0, 1, 2)
        for n in range(6):
            ground = grounds[n % 3]
            client = await self.town.village(ground.unit)
            self.pushers.append(Pusher(self.town, client, ground, random.Random(seed + n), hangs_up))
        self.readers = [Follower(office), Follower(clinic, limit=7), Follower(office, limit=1 + seed % 5)]

    async def run(self, *writing: "asyncio.Future[None]") -> None:
        """Let everybody read while some write."""
        stopping = asyncio.Event()
        reading = [asyncio.create_task(followed(reader, stopping)) for reader in self.readers]
        await asyncio.gather(*writing)
        stopping.set()
        await asyncio.gather(*reading)

    async def settle(self) -> int:
        """Send again what has no answer; return how many operations were acknowledged and told once.

        By then the books of supplies and money must balance, and the counters be a recount's.
        """
        for pusher in self.pushers:
            pusher.hangs_up = 0.0
            if pusher.open:
                assert await pusher.push()
        for reader in self.readers:
            await reader.read()
        await assert_books(self.town)
        await assert_recounted(self.town)
        all_told_once(self.town, self.pushers, self.readers[2], self.readers[1])
        return all_told_once(self.town, self.pushers, self.readers[0], self.readers[1])


async def test_transactions_that_roll_back_late_leave_no_gap(town: Town) -> None:
    crowd = Crowd(town)
    await crowd.gather(seed=1, hangs_up=0.1)
    async with counting(town) as numbers:
        storm = _STORM.format(numbers=numbers)
        async with snare(town, "operations", "COMMIT", storm):
            await crowd.run(*(asyncio.ensure_future(pusher.write(12)) for pusher in crowd.pushers))
    statuses = [status for pusher in crowd.pushers for status in pusher.statuses]
    assert {200, 500, 503} == set(statuses)
    assert statuses.count(200) < 0.9 * len(statuses)
    assert await crowd.settle() > 100


async def test_a_blocked_scope_blocks_no_other(town: Town) -> None:
    """Somebody outside holds the head of one scope: pushes there wait or are refused; elsewhere all goes on, for two
    of them only wait in the database, and the others before it."""
    blocked, free, reader = await town.village(0), await town.village(1), await town.village(1)
    for client, unit in ((blocked, 0), (free, 1)):
        await push(client, town.kit.clock.now(), registration(town, unit))
    follower, lags = Follower(reader), []
    await follower.read()
    held = [registration(town, 0) for _ in range(10)]
    async with town.owner.acquire() as other:
        foreign = other.transaction()
        await foreign.start()
        await other.execute(
            "SELECT FROM feed_heads WHERE township_code = $1 AND unit_code = $2 FOR UPDATE",
            town.code,
            int(town.units[0]),
        )
        waiters = [asyncio.create_task(pushed_at_last(town, blocked, op)) for op in held]

        async def all_wait() -> bool:
            return await waiting(town) == 2

        await until(all_wait)
        ends = time.monotonic() + HOLD
        while time.monotonic() < ends:
            began, ours = time.monotonic(), registration(town, 1)
            await push(free, town.kit.clock.now(), ours)
            while ours["body"]["id"] not in follower.ids("household"):
                await follower.read(wait=1)
            lags.append(time.monotonic() - began)
        assert not any(waiter.done() for waiter in waiters)
        await foreign.rollback()
    await asyncio.gather(*waiters)
    # A loaded machine may stop anybody for a while; who waited for the blocked scope would wait until its end.
    assert median(lags) < 1, sorted(lags)[-5:]
    assert max(lags) < HOLD / 4, sorted(lags)[-5:]
    assert len(lags) > HOLD
    after = Follower(blocked)
    await after.read()
    after.without_gaps()
    assert set(after.ids("household")[1:]) == {op["body"]["id"] for op in held}
    assert len(after.ids("household")) == 1 + len(held)


async def pushed_at_last(town: Town, client: AsyncClient, made: dict[str, Any]) -> None:
    """Push until it is taken; every other answer must say that it is to be sent again."""
    while True:
        answer = await client.post("/v1/sync/push", json=batch(town.kit.clock.now(), made))
        if answer.status_code == 200:
            assert [result["status"] for result in answer.json()["results"]] == ["applied"]
            return
        assert (answer.status_code, answer.headers["retry-after"] > "0") == (503, True)


async def test_many_writers_for_long(town: Town) -> None:
    crowd = Crowd(town)
    await crowd.gather(seed=2, hangs_up=0.2)
    deadline = time.monotonic() + SOAK
    await crowd.run(*(asyncio.ensure_future(pusher.write_until(deadline)) for pusher in crowd.pushers))
    assert {status for pusher in crowd.pushers for status in pusher.statuses} == {200}
    assert await crowd.settle() > 10 * SOAK
