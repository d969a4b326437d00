"""What one caller costs the others: locks, places, marks, and bodies that nobody expects."""

import asyncio
import base64
import contextlib
import json
import logging
import time
from uuid import UUID

from app.services.sync import digests
from tests.pushing import op, pull, push
from tests.register import register
from tests.sync.snares import until, waiting
from tests.sync.test_cursor import registration
from tests.town import Town

_HEAD = "SELECT seq FROM feed_heads WHERE township_code = $1 AND unit_code = $2 AND audience = $3"
_GROW = "UPDATE feed_heads SET seq = seq + 1 WHERE township_code = $1 AND unit_code = $2 AND audience = $3"


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


async def test_a_quiet_township_is_looked_at_beside_a_loud_one(town: Town) -> None:
    """What grew without a ring is found by the next look at all, although somebody else rings without pause."""
    cadre, watch, loud = await town.village(), town.kit.watch, town.code + 1
    await register(cadre, town)
    scope = (int(town.units[0]), "unit")
    known = await town.owner.fetchval(_HEAD, town.code, *scope)
    waiters = [
        asyncio.create_task(watch.wait(loud, {}, 8)),
        asyncio.create_task(watch.wait(town.code, {scope: known}, 8)),
    ]

    async def ring() -> None:
        while True:
            town.kit.bell.ring(loud)
            await asyncio.sleep(0.02)

    ringing = asyncio.create_task(ring())
    try:
        town.tampered = True
        assert await watch.wait(town.code, {scope: known - 1}, 8)  # the look at what stands is over
        await town.owner.execute(_GROW, town.code, *scope)
        assert await waiters[1]
    finally:
        for task in (ringing, *waiters):
            task.cancel()


async def test_three_blocked_villages_block_no_fourth_caller(town: Town) -> None:
    villages = [await town.village(n) for n in range(3)]
    office = await town.township()
    now = town.kit.clock.now()

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

        async def all_wait() -> bool:
            return await waiting(town) == len(tasks)

        await until(all_wait)
        began = time.monotonic()
        free = asyncio.create_task(push(multi, now, registration(town, 1)))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(free), 5)
        lag = time.monotonic() - began
        await tx.rollback()
    await asyncio.gather(*tasks, free)
    assert lag < 1, lag
