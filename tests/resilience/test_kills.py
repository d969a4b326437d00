"""Killed at any moment: what was acknowledged is there, what was not can be sent again, and nothing is there twice."""

import asyncio
import os
import random
import signal
import uuid

import pytest

from tests.resilience.site import Site, household, is_unavailable, until
from tests.resilience.writers import Writers

ROUNDS = int(os.environ.get("WANGGE_TEST_KILLS", "4"))


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_kill_9_of_the_server_loses_no_acknowledged_write(site: Site, seed: int) -> None:
    """The embedded PostgreSQL dies with its owner."""
    postmaster = site.postmaster
    async with await site.client() as client:
        async with Writers(site, client) as writers:
            await writers.written(random.Random(seed).randrange(1, 60))
            await site.kill()
        assert writers.acknowledged
        assert writers.open
        await site.start()
        assert site.postmaster != postmaster
        await writers.check()


async def test_kill_9_of_postgres_is_answered_503_until_it_is_back(site: Site) -> None:
    async with await site.client() as client, Writers(site, client) as writers:
        for strike in range(2):
            await writers.written(20 + strike)
            killed, refused = site.postmaster, writers.refused
            os.kill(killed, signal.SIGKILL)

            async def is_felt(before: int = refused) -> bool:
                return writers.refused > before

            await until(is_felt, 20)
            await until(site.ready, 30)
            assert site.postmaster != killed
        await writers.written(20)
    assert site.process is not None
    assert site.process.returncode is None
    async with await site.client() as client:
        writers.client = client
        await writers.check()


async def test_every_operation_answers_503_while_postgres_is_stopped(site: Site) -> None:
    """No hang: a connection that is not to be had is given up, and the caller told when to come again."""
    async with await site.client() as client:
        os.kill(site.postmaster, signal.SIGKILL)
        saw_503 = False
        async with asyncio.timeout(30):
            while not (saw_503 and await site.ready()):
                answers = await asyncio.gather(
                    client.get("/v1/me"),
                    client.post("/v1/households", json=household()),
                    client.post("/v1/auth/token", data={"username": "office", "password": "wrong wrong"}),
                    client.get("/readyz"),
                    client.get("/livez"),
                )
                assert answers[4].status_code == 200
                assert answers[3].status_code in (200, 503)
                for answer, fine in zip(answers[:3], (200, 201, 401), strict=True):
                    saw_503 |= is_unavailable(answer)
                    assert answer.status_code in (fine, 503), answer.text


async def test_a_commit_that_fails_is_not_acknowledged(site: Site) -> None:
    """The backend is ended while the write waits for a lock: what it had done is undone, and the answer says so."""
    ids = [str(uuid.uuid4()) for _ in range(4)]
    async with await site.client() as client:
        async with site.locked("daily_counters") as locks:
            writes = [asyncio.create_task(client.post("/v1/households", json=household(id_))) for id_ in ids]

            async def all_wait() -> bool:
                return await locks.waiting() == len(ids)

            await until(all_wait)
            await site.sql(_TERMINATE)
            for answer in await asyncio.gather(*writes):
                assert is_unavailable(answer), answer.text
        assert await site.sql("SELECT id FROM households WHERE id = ANY($1)", ids) == []
        for id_ in ids:
            assert (await client.post("/v1/households", json=household(id_))).status_code == 201


async def test_a_deferred_constraint_that_fails_at_commit_is_not_acknowledged(site: Site) -> None:
    """COMMIT itself is what fails here; everything before it had gone well."""
    id_ = str(uuid.uuid4())
    async with await site.client() as client:
        await site.sql(_DEFER)
        try:
            answer = await client.post("/v1/households", json=household(id_))
            assert is_unavailable(answer), answer.text
            assert await site.sql("SELECT id FROM households WHERE id = $1", id_) == []
        finally:
            await site.sql("DROP TRIGGER refuse_late ON households")
        assert (await client.post("/v1/households", json=household(id_))).status_code == 201


_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wangge' AND wait_event_type = 'Lock'
"""

_DEFER = """
DO $do$ BEGIN
    CREATE OR REPLACE FUNCTION refuse_late() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'refused at commit' USING ERRCODE = '40001'; END $$;
    CREATE CONSTRAINT TRIGGER refuse_late AFTER INSERT ON households DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse_late();
END $do$
"""
