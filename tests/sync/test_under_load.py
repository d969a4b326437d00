"""What one caller costs the others: locks, places, marks, and bodies that nobody expects."""

import asyncio
import base64
import contextlib
import json
import logging
from uuid import UUID

from tests.pushing import op, pull, push
from tests.register import register
from tests.town import Town


async def test_a_kind_that_there_is_not_is_refused(town: Town) -> None:
    cadre = await town.village()
    a = await cadre.post("/v1/sync/verify", json={"digests": {f"{town.units[0]}/unit": {"foo": "0" * 64}}})
    assert a.status_code < 500, a.text


async def test_a_forged_mark_of_a_snapshot_begins_no_epoch(town: Town) -> None:
    cadre = await town.village()
    await register(cadre, town)
    epoch = (await pull(cadre))["epoch"]
    forged = (
        base64.urlsafe_b64encode(json.dumps(["1", "deadbeef", "", str(UUID(int=0))]).encode())
        .decode()
        .rstrip("=")
    )
    a = await cadre.get("/v1/sync/snapshot", params={"scope": f"{town.units[0]}/unit", "after": forged})
    if a.status_code == 200:
        await pull(cadre, a.json()["cursor"])
    assert (await pull(await town.village(1)))["epoch"] == epoch


async def test_edits_in_opposite_order_do_not_deadlock(town: Town, caplog) -> None:
    one, two, now = await town.village(), await town.village(), town.kit.clock.now()
    people = [(await register(one, town))["head"]["id"] for _ in range(30)]
    caplog.set_level(logging.WARNING, "wangge.sync")

    async def go(c, dev, ids, f):
        return await push(
            c,
            now,
            *[
                op(
                    "person.update",
                    {f: "x" if f == "relation" else "1390000" + "1111"},
                    now,
                    target=i,
                    base_rev=1,
                )
                for i in ids
            ],
            device_id=dev,
        )

    for _ in range(5):
        await asyncio.gather(go(one, "a", people, "relation"), go(two, "b", people[::-1], "phone"))
    assert [r.error for r in caplog.records if "put off" in r.message] == []


async def test_digests_are_right_at_the_limit_of_what_is_kept(town: Town, monkeypatch) -> None:
    from app.services.sync import digests

    office, a, b = await town.township(), await town.village(0), await town.village(1)
    monkeypatch.setattr(digests, "_KEPT", 4)
    digests._kept.clear()
    await register(a, town, 0)
    first = await pull(office)
    good = first["scopes"][f"{town.units[0]}/unit"]["digest"]
    assert good
    seen = []
    for _ in range(6):
        await register(b, town, 1)
        seen.append((await pull(office))["scopes"][f"{town.units[0]}/unit"]["digest"])
    assert seen == [good] * 6


async def test_a_quiet_township_is_looked_at_beside_a_loud_one() -> None:
    from app.core.watch import Watch

    class Link:
        class sql:
            @staticmethod
            async def fetch(_s, town):
                return [{"unit_code": town, "audience": "unit", "seq": 9}] if town == 2 else []

    class DB:
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def transaction(self, lanes):
            yield Link

    class Bell:
        def on_ring(self, f):
            self.f = f

    bell = Bell()
    watch = Watch(DB(), bell)

    async with watch:
        loud = asyncio.create_task(watch.wait(111111111, {}, 10))
        await asyncio.sleep(0.2)

        async def ring():
            while True:
                bell.f(111111111)
                await asyncio.sleep(0.02)

        r = asyncio.create_task(ring())

        async def quiet():
            return await watch.wait(2, {(2, "unit"): 9}, 8)

        q = asyncio.create_task(quiet())
        await asyncio.sleep(0.5)

        # it grows, and the ring is lost
        async def fetch(_s, town):
            return [{"unit_code": town, "audience": "unit", "seq": 10}] if town == 2 else []

        Link.sql.fetch = staticmethod(fetch)
        done = await q
        r.cancel()
        loud.cancel()
    assert done, "a lost ring went unnoticed for 8 s (LOOK_SECONDS is 2)"


async def test_three_blocked_villages_block_no_fourth_caller(town: Town) -> None:
    from tests.sync.test_cursor import registration

    villages = [await town.village(n) for n in range(3)]
    office = await town.township()
    now = town.kit.clock.now()
    import time

    homes = [await register(office, town, n) for n in range(3)]
    multi = await town.login("village", town.units[:2], position="village_cadre")
    async with town.owner.acquire() as other:
        tx = other.transaction()
        await tx.start()
        await other.execute("SELECT FROM households WHERE township_code = $1 FOR UPDATE", town.code)
        tasks = [
            asyncio.create_task(
                push(v, now, op("household.update", {"address": f"x{k}"}, now, target=h["id"], base_rev=1))
            )
            for v, h in zip(villages, homes, strict=False)
            for k in range(2)
        ]
        await asyncio.sleep(0.7)
        began = time.monotonic()
        free = asyncio.create_task(push(multi, now, registration(town, 1)))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(free), 5)
        lag = time.monotonic() - began
        await tx.rollback()
    await asyncio.gather(*tasks, free)
    assert lag < 1, lag
