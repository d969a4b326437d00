"""A cursor never steps over a change that commits late: two writers in every order, and one who reads."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.pushing import batch, op, push
from tests.sync.follower import Follower
from tests.sync.snares import account_of, stop, until, waiting
from tests.town import Town

# Where the first writer is stopped. Until it has its numbers in the feed the second overtakes it; from then on the
# second waits, because a number must not be seen before the one below it.
BEFORE = {
    "claim": ("operations", "BEFORE INSERT"),
    "record": ("households", "BEFORE INSERT"),
    "counters": ("daily_counters", "BEFORE INSERT"),
}
BEHIND = {
    "number": ("feed", "BEFORE INSERT"),
    "head": ("feed_heads", "AFTER UPDATE"),
    "settled": ("operations", "BEFORE UPDATE"),
    "commit": ("operations", "COMMIT"),
}

_END_THOSE_WHO_WAIT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND application_name = 'wangge' AND datname = current_database()
"""


def registration(town: Town, unit: int = 0) -> dict[str, Any]:
    """Return an operation that registers a household of one."""
    body = {
        "id": str(uuid4()),
        "unit_code": town.units[unit],
        "address": "一组1号",
        "head": {"id": str(uuid4()), "name": "李四"},
    }
    return op("household.register", body, town.kit.clock.now())


@pytest.mark.parametrize("point", [*BEFORE, *BEHIND])
async def test_a_writer_stopped_anywhere_is_missed_by_nobody(
    town: Town, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine under load a push would be put off while it is stopped here, and be tried again behind the second.
    monkeypatch.setattr("app.services.sync.push._SHORT", "SET LOCAL lock_timeout = '20s'")
    slow, quick, reader = [await town.village() for _ in range(3)]
    early, first, now = registration(town), registration(town), town.kit.clock.now()
    home = early["body"]["id"]
    # Of another row of counters than the first, or none: nothing but the feed itself makes the second wait.
    second = op("household.update", {"address": "二组2号"}, now, target=home, base_rev=1)
    await push(quick, now, early)
    follower = Follower(reader)
    await follower.read()
    async with stop(town, *(BEFORE | BEHIND)[point], account_of(slow)) as stopped:
        slowly = asyncio.create_task(push(slow, now, first))
        await until(stopped.reached)
        quickly = asyncio.create_task(push(quick, now, second))

        async def the_second_is_through_or_waits() -> bool:
            return quickly.done() or await waiting(town) == 2

        await until(the_second_is_through_or_waits)
        overtook = quickly.done()
        await follower.read()
        await stopped.release()
        results = [*await slowly, *await quickly]
    assert [result["status"] for result in results] == ["applied", "applied"]
    await follower.read()
    new = first["body"]["id"]
    assert follower.ids("household") == ([home, home, new] if point in BEFORE else [home, new, home])
    follower.without_gaps()
    assert overtook is (point in BEFORE)


@pytest.mark.parametrize("point", BEHIND)
async def test_an_abort_behind_the_numbers_leaves_no_gap(town: Town, point: str) -> None:
    """The writer's connection is ended when it has its numbers: they are given again, and nothing of it stays."""
    lost, other, reader = [await town.village() for _ in range(3)]
    first, second, now = registration(town), registration(town), town.kit.clock.now()
    async with stop(town, *BEHIND[point], account_of(lost)) as stopped:
        sent = asyncio.create_task(lost.post("/v1/sync/push", json=batch(now, first)))
        await until(stopped.reached)
        await town.owner.execute(_END_THOSE_WHO_WAIT)
        answer = await sent
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    await push(other, now, second)
    follower = Follower(reader)
    await follower.read()
    assert follower.ids("household") == [second["body"]["id"]]
    follower.without_gaps()
    (again,) = await push(lost, now, first)
    assert again["status"] == "applied"
    await follower.read()
    assert follower.ids("household") == [second["body"]["id"], first["body"]["id"]]
    follower.without_gaps()
