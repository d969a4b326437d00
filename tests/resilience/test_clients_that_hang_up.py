"""200 clients hang up in the middle of a request: no connection stays in a transaction, and nobody else notices."""

import asyncio
import contextlib
import json
import random
from enum import IntEnum

from tests.resilience.site import Site, household, until

CLIENTS = 200
POOL = 8


class Rude(IntEnum):
    """How a client leaves."""

    HALF_HEADERS = 0
    HALF_A_BODY = 1
    NO_WAITING = 2
    MIDWAY = 3
    CHUNKED = 4


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def send(site: Site, token: str, manner: Rude, seed: int) -> Wire:
    """Open a connection and send a request, or a part of one."""
    dice = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    body = json.dumps(household()).encode()
    length = "Transfer-Encoding: chunked" if manner is Rude.CHUNKED else f"Content-Length: {len(body)}"
    head = (
        f"POST /v1/households HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\n{length}\r\n\r\n"
    ).encode()
    half = dice.randrange(1, len(body))
    sent = {
        Rude.HALF_HEADERS: head[: dice.randrange(1, len(head))],
        Rude.HALF_A_BODY: head + body[:half],
        Rude.NO_WAITING: head + body,
        Rude.MIDWAY: head + body,
        Rude.CHUNKED: head + b"%x\r\n" % half + body[:half] + b"\r\n",
    }[manner]
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def hang_up(site: Site, token: str, manner: Rude, seed: int) -> None:
    """Send a request, or a part of one, and close the connection hard."""
    reader, writer = await send(site, token, manner, seed)
    if manner is Rude.MIDWAY:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), random.Random(seed).random() / 20)
    writer.transport.abort()


async def polite(site: Site, done: asyncio.Event) -> int:
    """Write and read as ever, until the others have gone; every answer must be the normal one."""
    written = 0
    async with await site.client() as client:
        while not done.is_set() or written < 3:
            answer = await client.post("/v1/households", json=(body := household()))
            assert answer.status_code == 201, answer.text
            assert (await client.get(f"/v1/households/{body['id']}")).status_code == 200
            written += 1
    return written


async def check_pool(site: Site) -> None:
    """Nothing is in a transaction, and the whole pool can be had at once."""

    async def nobody_is_in_a_transaction() -> bool:
        rows = await site.sql(
            "SELECT pid, state FROM pg_stat_activity WHERE application_name = 'wangge' AND state <> 'idle'"
        )
        return not rows

    await until(nobody_is_in_a_transaction, 10)
    async with await site.client() as client, site.locked("daily_counters") as locks:
        bodies = [household() for _ in range(POOL)]
        writes = [asyncio.create_task(client.post("/v1/households", json=body)) for body in bodies]

        async def all_at_work() -> bool:
            return await locks.waiting() == POOL

        await until(all_at_work, 5)
        await locks.release()
        assert [answer.status_code for answer in await asyncio.gather(*writes)] == [201] * POOL


async def test_they_slow_nobody_and_leave_nothing(home: Site) -> None:
    await home.start(WANGGE_POOL_SIZE=str(POOL), WANGGE_CLOCK_SECONDS="3600")
    token, done, began = await home.token(), asyncio.Event(), len(home.mishaps())
    others = [asyncio.create_task(polite(home, done)) for _ in range(2)]
    await asyncio.gather(*(hang_up(home, token, Rude(n % len(Rude)), n) for n in range(CLIENTS)))
    done.set()
    assert sum(await asyncio.gather(*others)) >= 6
    await check_pool(home)
    assert home.mishaps()[began:] == []


async def test_they_leave_while_their_write_waits_for_a_lock(home: Site) -> None:
    """The server is busy with them: every connection of the pool is theirs when they go."""
    await home.start(WANGGE_POOL_SIZE=str(POOL), WANGGE_CLOCK_SECONDS="3600")
    token, began = await home.token(), len(home.mishaps())
    async with home.locked("daily_counters") as locks:
        connections = await asyncio.gather(*(send(home, token, Rude.NO_WAITING, n) for n in range(CLIENTS)))

        async def the_pool_is_theirs() -> bool:
            return await locks.waiting() == POOL

        await until(the_pool_is_theirs, 10)
        for _, writer in connections:
            writer.transport.abort()
        await locks.release()
    await check_pool(home)
    assert home.mishaps()[began:] == []
    rows = await home.sql("SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM households")
    assert rows[0]["rows"] == rows[0]["ids"]
