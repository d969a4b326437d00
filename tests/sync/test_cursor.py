"""The cursor: whatever two writers do to each other, a reader misses nothing, and the numbers have no gap.

Writers are stopped from outside: by a lock on a row that they need, or at their COMMIT, after they have their numbers,
by a deferred trigger of the test's own that waits for an advisory lock. The product has no breakpoint in it.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.phone import Clocks, Phone, over
from tests.pushing import batch, op, pull, push
from tests.register import household, register
from tests.resilience.site import until
from tests.town import Town

SOAK_SECONDS = float(os.environ.get("WANGGE_TEST_SOAK_SECONDS", "60"))
HELD_SECONDS = float(os.environ.get("WANGGE_TEST_HELD_SECONDS", "3"))
SLOW, KEY = "slow-phone", 4711

_STOP_AT_COMMIT = f"""
CREATE FUNCTION stop_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.device_id = '{SLOW}' THEN PERFORM pg_advisory_xact_lock_shared({KEY}); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stop_at_commit AFTER INSERT ON feed DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION stop_at_commit();
"""


@pytest.fixture
async def stopped(owner: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the lock for which slow phones wait at their COMMIT; unlocking it lets them go."""
    async with owner.acquire() as connection:
        await connection.execute(_STOP_AT_COMMIT)
        await connection.execute(f"SELECT pg_advisory_lock({KEY})")
        try:
            yield connection
        finally:
            await connection.execute("SELECT pg_advisory_unlock_all()")
            await connection.execute("DROP TRIGGER stop_at_commit ON feed; DROP FUNCTION stop_at_commit()")


def registration(town: Town, unit: int = 0) -> dict[str, Any]:
    return op("household.register", household(town, unit, id=str(uuid4())), town.kit.clock.now())


async def waiting(town: Town) -> int:
    """How many transactions of the application wait for a lock."""
    count: int = await town.owner.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'wangge'"
        " AND datname = current_database()"
    )
    return count


async def everything(client: httpx.AsyncClient, cursor: str | None) -> tuple[list[Any], str]:
    page = await pull(client, cursor, limit=500)
    assert not page["more"]
    return page["changes"], page["next"]


async def test_a_writer_that_commits_late_is_not_missed(town: Town, stopped: asyncpg.Connection) -> None:
    """The first writer has its numbers and is not visible; the second has to come after it."""
    one, two = await town.village(), await town.village()
    _, cursor = await everything(one, None)
    first, second = registration(town), registration(town)
    now = town.kit.clock.now()
    slow = asyncio.create_task(push(one, now, first, device_id=SLOW))
    await until(lambda: _at_least(town, 1))
    quick = asyncio.create_task(push(two, now, second))
    await until(lambda: _at_least(town, 2))
    changes, cursor = await everything(two, cursor)
    assert changes == []
    await stopped.execute(f"SELECT pg_advisory_unlock({KEY})")
    results = [*await slow, *await quick]
    assert [result["status"] for result in results] == ["applied", "applied"]
    changes, _ = await everything(two, cursor)
    seqs = [change["seq"] for change in changes]
    assert seqs == list(range(seqs[0], seqs[0] + 4))
    homes = [change["id"] for change in changes if change["kind"] == "household"]
    assert homes == [first["body"]["id"], second["body"]["id"]]


async def test_a_writer_that_is_stopped_before_its_numbers_comes_after(town: Town) -> None:
    one, two = await town.village(), await town.village()
    made = await register(one, town)
    _, cursor = await everything(one, None)
    now = town.kit.clock.now()
    edit = op("household.update", {"address": "新址", "base_rev": 1}, now, target=made["id"])
    async with held(town, "households", f"id = '{made['id']}'"):
        slow = asyncio.create_task(push(one, now, edit))
        await until(lambda: _at_least(town, 1))
        await push(two, now, registration(town))
        changes, cursor = await everything(two, cursor)
        assert {change["kind"] for change in changes} == {"household", "person"}
    assert [result["status"] for result in await slow] == ["applied"]
    later, _ = await everything(two, cursor)
    assert [(change["id"], change["seq"]) for change in later] == [(made["id"], changes[-1]["seq"] + 1)]


async def test_an_abort_leaves_no_gap(town: Town, stopped: asyncpg.Connection) -> None:
    """A writer ends after it has drawn its numbers: they are drawn again."""
    one, two = await town.village(), await town.village()
    _, cursor = await everything(one, None)
    lost = asyncio.create_task(push(one, town.kit.clock.now(), registration(town), device_id=SLOW))
    await until(lambda: _at_least(town, 1))
    await town.owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND application_name = 'wangge' AND datname = current_database()"
    )
    with pytest.raises(AssertionError, match="unavailable"):
        await lost
    assert [r["status"] for r in await push(two, town.kit.clock.now(), registration(town))] == ["applied"]
    changes, _ = await everything(two, cursor)
    assert [change["seq"] for change in changes] == [1, 2]
    assert stopped is not None


async def test_a_scope_that_is_held_holds_up_no_other(town: Town) -> None:
    """A foreign transaction keeps one scope's head; the others go on, and nothing of the blocked one is lost."""
    one, two = await town.village(0), await town.village(1)
    await register(one, town)
    await register(two, town, 1)
    _, cursor = await everything(two, None)
    mine = registration(town)
    until_ = time.monotonic() + HELD_SECONDS
    async with held(town, "feed_heads", f"unit_code = {town.units[0]}"):
        blocked = asyncio.create_task(one.post("/v1/sync/push", json=batch(town.kit.clock.now(), mine)))
        await until(lambda: _at_least(town, 1))
        rounds = 0
        while time.monotonic() < until_ or rounds < 3:
            started = time.monotonic()
            other = registration(town, 1)
            await push(two, town.kit.clock.now(), other)
            changes, cursor = await everything(two, cursor)
            assert other["body"]["id"] in {change["id"] for change in changes}
            assert time.monotonic() - started < 1
            rounds += 1
    assert (await blocked).status_code in (200, 503)
    await push(one, town.kit.clock.now(), mine)
    changes, _ = await everything(one, None)
    assert [change["id"] for change in changes].count(mine["body"]["id"]) == 1


async def test_writers_that_abort_and_readers_that_hurry(town: Town) -> None:
    """Six writers in two units, a third of whose pushes are given up on the way, and two readers that never rest."""
    chance, until_ = random.Random(5), time.monotonic() + SOAK_SECONDS
    clients = [await town.village(n % 2) for n in range(6)]
    readers = [_reader(town, await town.village(unit)) for unit in (0, 1)]
    kept: set[str] = set()

    async def write(number: int) -> None:
        while time.monotonic() < until_:
            ops = [registration(town, number % 2) for _ in range(chance.randint(1, 5))]
            task = asyncio.create_task(push(clients[number], town.kit.clock.now(), *ops))
            if chance.random() < 0.3:
                for _ in range(chance.randint(1, 80)):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            else:
                assert {result["status"] for result in await task} == {"applied"}
                kept.update(one["body"]["id"] for one in ops)

    async def read(phone: Phone) -> None:
        while time.monotonic() < until_:
            await phone.pull(limit=chance.choice((1, 3, 50)))  # raises where a number is missing

    await asyncio.gather(*map(write, range(6)), *map(read, readers))
    for phone in readers:
        await phone.pull()
        assert await phone.verify() == []
    seen = {id_ for phone in readers for held_ in phone.store.values() for id_ in held_.get("household", ())}
    assert kept <= seen
    stored = await town.owner.fetch("SELECT id FROM households WHERE township_code = $1", town.code)
    assert {str(row["id"]) for row in stored} == seen
    assert len(kept) > 50


def _reader(town: Town, client: httpx.AsyncClient) -> Phone:
    return Phone("reader", over(client), Clocks(time.monotonic, 0))


async def _at_least(town: Town, count: int) -> bool:
    return await waiting(town) >= count


@asynccontextmanager
async def held(town: Town, table: str, where: str) -> AsyncIterator[None]:
    """Hold rows of a table of the town from outside."""
    async with town.owner.acquire() as connection, connection.transaction():
        await connection.execute(
            f"SELECT 1 FROM {table} WHERE township_code = {town.code} AND {where} FOR UPDATE"
        )
        yield
