"""Pushes that get in each other's way, and operations that break: every one ends with a clear answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.pushing import batch, op, push
from tests.register import household, register
from tests.resilience.site import until
from tests.sync.test_cursor import held, registration, waiting
from tests.town import Town


async def test_overlapping_retries_in_opposite_orders_answer_alike(town: Town) -> None:
    village = await town.village()
    ops = [registration(town) for _ in range(60)]
    now = town.kit.clock.now()
    orders = [ops, ops[::-1], ops[30:] + ops[:30], ops[::2] + ops[1::2]] * 3
    answers = await asyncio.gather(*(push(village, now, *order) for order in orders))
    for one in ops:
        results = [r for results in answers for r in results if r["op_id"] == one["op_id"]]
        assert sorted(r["status"] for r in results) == ["applied"] + ["duplicate"] * 11
        assert len({(r["scope"], r["seq"], r["entity"]["id"], r["entity"]["rev"]) for r in results}) == 1


async def test_households_edited_in_opposite_orders_do_not_deadlock(town: Town) -> None:
    village = await town.village()
    homes = [await register(village, town) for _ in range(20)]
    now = town.kit.clock.now()

    def edits(order: list[Any], text: str) -> list[dict[str, Any]]:
        return [
            op("household.update", {"address": f"{text}{n}", "base_rev": 1}, now, target=home["id"])
            for n, home in enumerate(order)
        ]

    results = await asyncio.gather(
        push(village, now, *edits(homes, "甲"), device_id="a"),
        push(village, now, *edits(homes[::-1], "乙"), device_id="b"),
    )
    statuses = [sorted(r["status"] for r in one) for one in results]
    assert sorted(statuses) == [["applied"] * 20, ["conflict"] * 20]


async def test_what_stays_locked_is_answered_503_and_nothing_is_applied(town: Town) -> None:
    village = await town.village()
    made = await register(village, town)
    now = town.kit.clock.now()
    edit = op("household.update", {"address": "新址", "base_rev": 1}, now, target=made["id"])
    other = registration(town)
    async with held(town, "households", f"id = '{made['id']}'"), short_patience(town):
        answer = await village.post("/v1/sync/push", json=batch(now, other, edit))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"].isdigit()
    stored = "SELECT count(*) FROM operations WHERE township_code = $1"
    assert await town.owner.fetchval(stored, town.code) == 0
    assert [r["status"] for r in await push(village, now, other, edit)] == ["applied", "applied"]


@asynccontextmanager
async def short_patience(town: Town) -> AsyncIterator[None]:
    """Let the application's idle connections give up a lock after a moment."""
    database = town.kit.database
    for proxy in database._idle:
        await proxy.driver_connection.execute("SET lock_timeout = '200ms'")  # type: ignore[union-attr]
    try:
        yield
    finally:
        for proxy in database._idle:
            await proxy.driver_connection.execute("SET lock_timeout = '10s'")  # type: ignore[union-attr]


async def test_a_deadlock_is_tried_again(town: Town) -> None:
    """A foreign transaction waits for the push that waits for it: PostgreSQL ends one of them."""
    village = await town.village()
    first, second = [await register(village, town) for _ in range(2)]
    ids = sorted((first["id"], second["id"]))
    now = town.kit.clock.now()
    edits = [op("household.update", {"address": "新址", "base_rev": 1}, now, target=id_) for id_ in ids]
    async with town.owner.acquire() as rival:
        transaction = rival.transaction()
        await transaction.start()
        await rival.execute("SET LOCAL deadlock_timeout = '60s'")  # the push is the one that finds it
        await rival.execute("SELECT 1 FROM households WHERE id = $1 FOR UPDATE", ids[1])
        pushed = asyncio.create_task(push(village, now, *edits))

        async def waits() -> bool:
            return await waiting(town) > 0

        await until(waits)
        crossing = asyncio.create_task(
            rival.execute("SELECT 1 FROM households WHERE id = $1 FOR UPDATE", ids[0])
        )
        await crossing
        await transaction.rollback()
    assert [r["status"] for r in await pushed] == ["applied", "applied"]


async def test_a_poisonous_operation_does_not_block_its_neighbours(town: Town) -> None:
    """PostgreSQL itself refuses one row, for a reason that the product does not know."""
    village, now = await town.village(), town.kit.clock.now()
    ops = [
        op("household.register", household(town, address="有毒" if n == 2 else f"{n}组"), now)
        for n in range(5)
    ]
    await town.owner.execute(
        "ALTER TABLE households ADD CONSTRAINT poison CHECK (address <> '有毒') NOT VALID"
    )
    try:
        results = await push(village, now, *ops)
    finally:
        await town.owner.execute("ALTER TABLE households DROP CONSTRAINT poison")
    said = [(r["status"], r.get("code"), r["retry"]) for r in results]
    fine = ("applied", None, "never")
    assert said == [fine, fine, ("rejected", "internal-error", "later"), fine, fine]
    again = await push(village, now, *ops)
    assert [r["status"] for r in again] == ["duplicate", "duplicate", "applied", "duplicate", "duplicate"]
