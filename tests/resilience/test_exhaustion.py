"""When the database has no time for a request, the caller hears 503 and when to come again, and later all is well."""

import asyncio
import contextlib

import asyncpg
import pytest

from app.core.database import Database, Link
from app.core.problems import Broken, Unavailable
from tests.resilience.site import Site, household, is_unavailable, until

PEOPLE = 12
LIMITS = {
    "statement_timeout": "1min",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
}


async def test_an_exhausted_pool_is_answered_503_and_recovers(home: Site) -> None:
    await home.start(WANGGE_POOL_SIZE="2", WANGGE_POOL_TIMEOUT="0.5", WANGGE_CLOCK_SECONDS="3600")
    async with await home.client() as client, home.locked("daily_counters") as locks:
        bodies = [household() for _ in range(PEOPLE)]
        writes = [asyncio.create_task(client.post("/v1/households", json=body)) for body in bodies]

        async def refused_but_two() -> bool:
            return sum(write.done() for write in writes) == PEOPLE - 2

        await until(refused_but_two, 10)
        assert all(is_unavailable(write.result()) for write in writes if write.done())
        assert await locks.waiting() == 2
        assert is_unavailable(await client.get("/v1/me"))
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["database"] == "unreachable"
        assert int(ready.headers["retry-after"]) > 0
        assert (await client.get("/livez")).status_code == 200
        await locks.release()
        answers = await asyncio.gather(*writes)
        assert sorted(answer.status_code for answer in answers) == [201] * 2 + [503] * (PEOPLE - 2)
        again = await asyncio.gather(*(client.post("/v1/households", json=body) for body in bodies[:4]))
        assert {answer.status_code for answer in again} <= {200, 201}
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL statement_timeout = '50ms'; SELECT pg_sleep(10)",
        "SET LOCAL lock_timeout = '50ms'; LOCK TABLE townships IN EXCLUSIVE MODE",
        "SET LOCAL idle_in_transaction_session_timeout = '1ms'; SELECT pg_sleep(0)",
    ],
)
async def test_every_timeout_means_503(site: Site, statement: str) -> None:
    """The limits themselves are too long for a test; what each of them raises is the same when it is short."""
    database = Database(site.owner_url, pool_size=1)
    try:
        async with site.locked("townships"):
            with pytest.raises(Unavailable):
                await _run(database, statement)
        async with database.transaction({}) as link:
            assert await link.sql.fetchval("SELECT 1") == 1
            for limit, value in LIMITS.items():
                assert await link.sql.fetchval(f"SHOW {limit}") == value
    finally:
        await database.close()


async def _run(database: Database, statement: str) -> None:
    """Run a statement in a transaction; after the one that sets a limit to idleness, be idle."""
    async with database.transaction({}) as link:
        await link.sql.execute(statement)
        if "idle" in statement:
            await until(lambda: _is_closed(link), 10)
            await link.sql.execute("SELECT 1")


async def _is_closed(link: Link) -> bool:
    return link.sql.is_closed()


async def test_a_fault_of_ours_is_no_503(site: Site) -> None:
    """A phone would send the same again for ever."""
    database = Database(site.owner_url, pool_size=1)
    try:
        bad = (
            ("SELECT $1::int", 2**40),
            ("SELECT $1::uuid", "x"),
            ("SELECT 1 / $1::int", 0),
            ("SELECT 1", 1),
        )
        for statement, value in bad:
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
                async with database.transaction({}) as link:
                    await link.sql.fetchval(statement, value)
    finally:
        await database.close()


async def test_a_transaction_that_the_server_gave_up_is_never_taken_for_committed(site: Site) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK, and no error, where a statement had failed and nobody noticed."""
    database = Database(site.owner_url, pool_size=1)
    try:
        with pytest.raises(Broken):
            await _fail_unnoticed(database)
        async with database.transaction({}) as link:
            assert await link.sql.fetchval("SELECT 1") == 1
    finally:
        await database.close()


async def _fail_unnoticed(database: Database) -> None:
    async with database.transaction({}) as link:
        with contextlib.suppress(asyncpg.DivisionByZeroError):
            await link.sql.execute("SELECT 1 / 0")


@pytest.mark.parametrize("times", [1, 2])
async def test_work_that_is_cancelled_leaves_no_open_transaction(site: Site, times: int) -> None:
    """As a stopping server does with what does not end; the second time it is the ROLLBACK that is cancelled."""
    database = Database(site.owner_url, pool_size=1)
    try:
        async with site.locked("townships"):
            task = asyncio.create_task(_run(database, "LOCK TABLE townships IN EXCLUSIVE MODE"))
            await until(lambda: _somebody_waits(site), 10)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
            async with database.transaction({}) as link:
                assert await link.sql.fetchval("SELECT 1") == 1
        open_ones = await site.sql("SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'")
        assert open_ones == []
    finally:
        await database.close()


async def _somebody_waits(site: Site) -> bool:
    return bool(await site.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
