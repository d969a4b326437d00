"""Told to stop, the server finishes what it has begun, and leaves nothing running."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.resilience.site import Site, children_of, household, lives, until


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_under_way_is_finished_and_then_all_is_stopped(
    site: Site, sign: signal.Signals
) -> None:
    assert site.process is not None
    body = household()
    began = len(site.postgres_log)
    async with await site.client() as writer, site.locked("daily_counters") as locks:
        idle = httpx.AsyncClient(base_url=site.base_url)
        assert (await idle.get("/readyz")).status_code == 200
        write = asyncio.create_task(writer.post("/v1/households", json=body))
        await until(locks.somebody_waits)
        descendants = children_of(site.process.pid)
        assert site.postmaster in descendants
        site.process.send_signal(sign)
        await until(lambda: _turned_away(idle))
        await idle.aclose()
        assert not write.done()
        await locks.release()
        answer = await write
        assert answer.status_code == 201, answer.text
        assert answer.json()["id"] == body["id"]
    assert await asyncio.wait_for(site.process.wait(), 20) == 0
    assert not any(map(lives, descendants))
    assert "database system is shut down" in site.postgres_log[began:]
    await site.start()
    assert "was not properly shut down" not in site.postgres_log[began:]
    assert len(await site.sql("SELECT 1 FROM households WHERE id = $1", body["id"])) == 1


async def _turned_away(client: httpx.AsyncClient) -> bool:
    """Whether a balancer would send nobody here: not ready, or no connection at all."""
    try:
        answer = await client.get("/readyz")
    except httpx.TransportError:
        return True
    return answer.status_code == 503 and answer.json()["draining"] == "yes"


async def test_a_request_that_never_ends_delays_the_stop_by_drain_seconds_only(home: Site) -> None:
    await home.start(WANGGE_DRAIN_SECONDS="1")
    assert home.process is not None
    async with await home.client() as client, home.locked("daily_counters") as locks:
        write = asyncio.create_task(client.post("/v1/households", json=(body := household())))
        await until(locks.somebody_waits)
        home.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(httpx.TransportError):
            assert (await write).status_code >= 500
        assert await asyncio.wait_for(home.process.wait(), 20) == 0
    await home.start()
    assert await home.sql("SELECT 1 FROM households WHERE id = $1", body["id"]) == []


async def test_two_workers_serve_one_database_and_survive_one_anothers_death(home: Site) -> None:
    began = len(home.lines())
    await home.start(WANGGE_WORKERS="2", WANGGE_POOL_SIZE="3")
    assert home.process is not None
    workers = await _workers(home, 2)
    await _write_and_read(home, 6)
    assert await _counted(home) == "6.0"
    os.kill(workers[0], signal.SIGKILL)

    async def replaced() -> bool:
        return len(await _workers(home, 2)) == 2 and not lives(workers[0])

    await until(replaced)
    assert workers[0] not in (fresh := await _workers(home, 2))
    assert workers[1] in fresh
    await _write_and_read(home, 6)
    assert await _counted(home) == "12.0"
    logged = [line for line in home.lines()[began:] if line.get("route") == "/v1/households"]
    assert len(logged) == 12
    descendants = children_of(home.process.pid)
    assert await home.stop() == 0
    await until(lambda: _all_gone(descendants), 5)


async def test_workers_end_with_a_supervisor_that_was_killed(home: Site) -> None:
    """They would keep the port, and the next start would fail."""
    await home.start(WANGGE_WORKERS="2")
    assert home.process is not None
    await _workers(home, 2)
    descendants = children_of(home.process.pid)
    await home.kill()
    await until(lambda: _all_gone(descendants), 30)
    await home.start()


async def _all_gone(pids: list[int]) -> bool:
    return not any(map(lives, pids))


async def _workers(site: Site, count: int) -> list[int]:
    """The worker processes, when there are so many."""
    found: list[int] = []

    async def enough() -> bool:
        assert site.process is not None
        found[:] = [pid for pid in children_of(site.process.pid) if _is_worker(pid)]
        return len(found) == count

    await until(enough)
    return found


def _is_worker(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def _write_and_read(site: Site, times: int) -> None:
    """Over a new connection each time: whichever worker takes it, what the other has written is there."""
    for _ in range(times):
        async with await site.client() as client:
            made = await client.post("/v1/households", json=(body := household()))
            assert made.status_code == 201
        async with await site.client() as client:
            assert (await client.get(f"/v1/households/{body['id']}")).status_code == 200


async def _counted(site: Site) -> str:
    """How many households the metrics of all workers say were registered."""
    async with httpx.AsyncClient(base_url=site.base_url) as client:
        text = (await client.get("/metrics")).text
    line = 'wangge_requests_total{method="POST",route="/v1/households",status="201"} '
    return text.partition(line)[2].partition("\n")[0]
