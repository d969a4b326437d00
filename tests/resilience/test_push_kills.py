"""A push that is cut off at a known point: nothing acknowledged is lost, nothing is there twice, and the feed is whole.

The point is a table that the push waits for, because a lock is held on it from outside: from the claim of the ids to
the numbers of the feed. `WANGGE_TEST_PUSH_KILLS` and `WANGGE_TEST_POSTGRES_KILLS` kill more often.
"""

import asyncio
import os
import random
import signal
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.pushing import batch, op
from tests.resilience.site import UNITS, Site, household, until

SERVER_KILLS = int(os.environ.get("WANGGE_TEST_PUSH_KILLS", "20"))
POSTGRES_KILLS = int(os.environ.get("WANGGE_TEST_POSTGRES_KILLS", "5"))
POINTS = ("operations", "households", "people", "daily_counters", "feed_heads", "feed")
OPS = 12


class Phone:
    """Operations that were sent, and those of them that were acknowledged."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.sent: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}

    def more(self) -> list[dict[str, Any]]:
        """Make some new operations, and mix old ones in."""
        now = datetime.now(UTC)
        new = [op("household.register", household(unit=self.chance.choice(UNITS)), now) for _ in range(OPS)]
        self.sent |= {one["op_id"]: one for one in new}
        old = self.chance.sample(list(self.sent.values()), min(len(self.sent), 4))
        mixed = [*new, *(one for one in old if one not in new)]
        self.chance.shuffle(mixed)
        return mixed

    async def push(self, client: httpx.AsyncClient, ops: list[dict[str, Any]]) -> bool:
        """Send operations once; return whether an answer came. A repeat must answer as the first time."""
        try:
            answer = await client.post("/v1/sync/push", json=batch(datetime.now(UTC), *ops))
        except httpx.TransportError:
            return False
        if answer.status_code != 200:
            assert answer.status_code == 503, answer.text
            return False
        for result in answer.json()["results"]:
            before = self.answers.setdefault(result["op_id"], result)
            assert {**result, "status": ""} == {**before, "status": ""}
            assert result["status"] in ("applied", "duplicate")
        return True


async def check(site: Site, phone: Phone) -> None:
    """Send everything again, and look at what stands."""
    acknowledged = set(phone.answers)
    async with await site.client() as client:
        everything = list(phone.sent.values())
        for first in range(0, len(everything), 200):
            assert await phone.push(client, everything[first : first + 200])
    stored = {
        str(row["id"]) for row in await site.sql("SELECT id FROM households WHERE id = ANY($1)", _ids(phone))
    }
    assert stored == set(_ids(phone))
    assert acknowledged <= set(phone.answers)
    said = await site.sql(
        "SELECT id FROM feed WHERE kind = 'household' AND id = ANY($1) GROUP BY id HAVING count(*) <> 1",
        _ids(phone),
    )
    assert said == []
    counted = await site.sql("SELECT sum(households)::int AS n FROM daily_counters")
    assert counted[0]["n"] == (await site.sql("SELECT count(*)::int AS n FROM households"))[0]["n"]
    code, _, words = await site.command("verify-log")
    assert (code, "0 faults" in words) == (0, True), words


def _ids(phone: Phone) -> list[str]:
    return [one["body"]["id"] for one in phone.sent.values()]


async def test_kill_9_of_the_server_inside_a_push(site: Site) -> None:
    phone = Phone(random.Random(1))
    for strike in range(SERVER_KILLS):
        async with await site.client() as client:
            assert await phone.push(client, phone.more())
            async with site.locked(POINTS[strike % len(POINTS)]) as locks:
                pushes = [asyncio.create_task(phone.push(client, phone.more())) for _ in range(3)]
                await until(locks.somebody_waits)
                await site.kill()
                assert await asyncio.gather(*pushes) == [False] * 3
        await site.start()
    await check(site, phone)


async def test_kill_9_of_postgres_inside_a_push(site: Site) -> None:
    phone = Phone(random.Random(2))
    for strike in range(POSTGRES_KILLS):
        async with await site.client() as client:
            assert await phone.push(client, phone.more())
            async with site.locked(POINTS[strike % len(POINTS)]) as locks:
                pushes = [asyncio.create_task(phone.push(client, phone.more())) for _ in range(3)]
                await until(locks.somebody_waits)
                os.kill(site.postmaster, signal.SIGKILL)
                assert await asyncio.gather(*pushes) == [False] * 3
            await until(site.ready, 30)
    await check(site, phone)
