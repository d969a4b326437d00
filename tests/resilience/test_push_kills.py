"""Killed inside a push: what was acknowledged is there, everything can be sent again, and nothing is there twice.

WANGGE_TEST_PUSH_KILLS and WANGGE_TEST_POSTGRES_KILLS say how often; `make soak` kills ten times as often.
WANGGE_TEST_DELIVERED is how many operations are delivered across restarts.
"""

import asyncio
import os
import random
import signal
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx

from tests.resilience.site import UNITS, Site, household, is_unavailable, until

SERVER_KILLS = int(os.environ.get("WANGGE_TEST_PUSH_KILLS", "20"))
POSTGRES_KILLS = int(os.environ.get("WANGGE_TEST_POSTGRES_KILLS", "5"))
DELIVERED = int(os.environ.get("WANGGE_TEST_DELIVERED", "10000"))
RESTARTS = 4
PHONES = 4
AT_ONCE = 20


class Pushers:
    """Phones that push registrations; `open` are operations of unknown fate, `done` those that were acknowledged."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.chance = site, random.Random(seed)
        self.open: dict[str, dict[str, Any]] = {}
        self.done: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.cut = 0
        """How many batches ended without an answer."""

    def registration(self) -> dict[str, Any]:
        """An operation that registers a household of one."""
        body = household(unit=self.chance.choice(UNITS))
        now = int(time.time() * 1000)
        made: dict[str, Any] = {
            "op_id": str(uuid.uuid4()),
            "kind": "household.register",
            "mono_ms": now,
            "wall_ms": now,
            "body": body,
        }
        self.open[made["op_id"]] = made
        return made

    async def push(self, client: httpx.AsyncClient, ops: list[dict[str, Any]]) -> bool:
        """Send a batch; tell whether it was answered."""
        now = int(time.time() * 1000)
        clocks = {"schema": 1, "boot_id": "1", "sent_mono_ms": now, "sent_wall_ms": now}
        batch = {"device_id": "phone", "batch_id": uuid.uuid4().hex, **clocks, "ops": ops}
        try:
            answer = await client.post("/v1/sync/push", json=batch)
        except httpx.TransportError:
            self.cut += 1
            return False
        if is_unavailable(answer):
            self.cut += 1
            return False
        assert answer.status_code == 200, answer.text
        for op, result in zip(ops, answer.json()["results"], strict=True):
            assert result["op_id"] == op["op_id"]
            assert result["status"] in ("applied", "duplicate"), result
            place = {name: result[name] for name in ("entity", "scope", "seq")}
            assert self.answers.setdefault(op["op_id"], place) == place
            self.done[op["op_id"]] = self.open.pop(op["op_id"], op)
        return True

    async def write_until_cut(self, client: httpx.AsyncClient) -> None:
        """Push batch after batch until one gets no answer."""
        while await self.push(client, [self.registration() for _ in range(self.chance.randint(1, 12))]):
            pass

    async def send_all_again(self, client: httpx.AsyncClient) -> None:
        """Send everything once more, as a phone does that heard nothing."""
        everything = [*self.done.values(), *self.open.values()]
        self.chance.shuffle(everything)
        for start in range(0, len(everything), 200):
            assert await self.push(client, everything[start : start + 200])
        assert not self.open

    async def ends_well(self, kills: int) -> None:
        """After the kills, everything that is sent again is there once, and all that is kept of it agrees."""
        assert self.cut >= kills
        async with await self.site.client() as client:
            await self.send_all_again(client)
        await self._is_intact()

    async def _is_intact(self) -> None:
        """Rows are the distinct operations, the counters say the same, and the feed is a chain that tells of all."""
        (rows,) = await self.site.sql(
            "SELECT (SELECT count(*) FROM operations) AS operations, count(*) AS homes, count(DISTINCT id) AS ids,"
            " count(*) FILTER (WHERE id IN (SELECT entity_id FROM operations)) AS pushed,"
            " (SELECT count(*) FROM people) AS people, (SELECT sum(households) FROM daily_counters) AS counted,"
            " (SELECT count(*) FROM feed WHERE kind = 'household') AS told FROM households"
        )
        assert rows["pushed"] == rows["operations"]
        assert rows["homes"] == rows["ids"] == rows["people"] == rows["counted"] == rows["told"]
        stored = {str(row["id"]) for row in await self.site.sql("SELECT id FROM operations")}
        assert self.done.keys() <= stored
        gaps = await self.site.sql(
            "SELECT h.unit_code FROM feed_heads h JOIN feed f USING (township_code, unit_code, audience)"
            " GROUP BY h.township_code, h.unit_code, h.audience, h.seq"
            " HAVING count(*) <> h.seq OR min(f.seq) <> 1 OR max(f.seq) <> h.seq"
        )
        assert gaps == []
        code, out, err = await self.site.command("verify-log")
        assert (code, "0 faults" in out + err) == (0, True), out + err


# Where a push stands when it is killed; None is wherever it has come to.
POINTS = [
    None,
    ("operations", "BEFORE INSERT"),
    ("households", "AFTER INSERT"),
    ("daily_counters", "BEFORE INSERT"),
    ("feed", "BEFORE INSERT"),
    ("feed_heads", "AFTER UPDATE"),
    ("operations", "AFTER UPDATE"),
    ("operations", "COMMIT"),
]


@asynccontextmanager
async def halted(site: Site, point: tuple[str, str] | None) -> AsyncIterator[None]:
    """Halt every push at a point of its transaction, and go on when one stands there."""
    if point is None:
        yield
        return
    table, event = point
    late = event == "COMMIT"
    await site.sql("DROP FUNCTION IF EXISTS halt() CASCADE")
    await site.sql(
        "CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$"
    )
    keeper = await asyncpg.connect(site.owner_url)
    try:
        await keeper.execute("SELECT pg_advisory_lock(1)")
        await keeper.execute(
            f"CREATE {'CONSTRAINT ' if late else ''}TRIGGER halt {'AFTER INSERT' if late else event} ON {table}"
            f" {'DEFERRABLE INITIALLY DEFERRED' if late else ''} FOR EACH ROW EXECUTE FUNCTION halt()"
        )

        async def somebody_stands_there() -> bool:
            query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            return bool(await site.sql(query))

        await until(somebody_stands_there, 20)
        yield
    finally:
        keeper.terminate()


async def strike(site: Site, pushers: Pushers, seed: int, kill: Callable[[], Awaitable[None]]) -> None:
    """Let phones push, kill at a seeded point, and find everything acknowledged when the site is back."""
    chance = random.Random(seed)
    async with await site.client() as client:
        writing = [asyncio.create_task(pushers.write_until_cut(client)) for _ in range(PHONES)]
        goal = len(pushers.done) + chance.randrange(1, 40)

        async def reached() -> bool:
            assert not any(task.done() for task in writing), "cut before the kill"
            return len(pushers.done) >= goal

        await until(reached)
        async with halted(site, POINTS[seed % len(POINTS)]):
            for _ in range(chance.randrange(200)):
                await asyncio.sleep(0)
            await kill()
        await asyncio.gather(*writing)
    acknowledged = set(pushers.done)
    await site.start()
    await until(site.ready, 30)
    await site.sql("DROP FUNCTION IF EXISTS halt() CASCADE")
    stored = {str(row["id"]) for row in await site.sql("SELECT id FROM operations")}
    assert acknowledged <= stored, f"{len(acknowledged - stored)} acknowledged operations are lost"


async def test_kill_9_of_the_server_inside_a_push(site: Site) -> None:
    pushers = Pushers(site, 1)
    for seed in range(SERVER_KILLS):
        await strike(site, pushers, seed, site.kill)
    await pushers.ends_well(SERVER_KILLS)


async def test_kill_9_of_postgres_inside_a_push(site: Site) -> None:
    pushers = Pushers(site, 2)

    async def kill() -> None:
        os.kill(site.postmaster, signal.SIGKILL)

    for seed in range(POSTGRES_KILLS):
        await strike(site, pushers, seed, kill)
    await pushers.ends_well(POSTGRES_KILLS)


class Deliveries:
    """Each operation 1 to 20 times, shuffled and batched anew, by twenty senders; what gets no answer goes back."""

    def __init__(self, pushers: Pushers, ops: list[dict[str, Any]]) -> None:
        chance = pushers.chance
        copies = [op for op in ops for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 3, 20)))]
        chance.shuffle(copies)
        self.pushers, self.batches = pushers, []
        while copies:
            size = chance.choice((1, 60, 200, 500))
            self.batches.append(copies[:size])
            del copies[:size]

    async def send(self, client: httpx.AsyncClient) -> None:
        """Send batch after batch until none is left."""
        while self.batches:
            batch = self.batches.pop()
            if not await self.pushers.push(client, batch):
                self.batches.append(batch)
                await until(self.pushers.site.ready)

    async def restarts(self) -> None:
        """Kill the server whenever another part of the batches is answered, and start it again."""
        site, whole = self.pushers.site, len(self.batches)
        for n in range(1, RESTARTS + 1):
            goal = whole * (RESTARTS + 1 - n) // (RESTARTS + 1)

            async def reached(goal: int = goal) -> bool:
                return len(self.batches) <= goal

            await until(reached)
            await site.kill()
            await site.start()


async def test_rows_are_distinct_operations_across_restarts(site: Site) -> None:
    pushers = Pushers(site, 3)
    deliveries = Deliveries(pushers, [pushers.registration() for _ in range(DELIVERED)])
    async with await site.client() as client:
        await asyncio.gather(deliveries.restarts(), *(deliveries.send(client) for _ in range(AT_ONCE)))
    assert len(pushers.done) == DELIVERED
    await pushers.ends_well(RESTARTS)
