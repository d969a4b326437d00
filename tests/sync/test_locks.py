"""Batches that get in each other's way: tried again inside, answered alike, and one that breaks blocks no other."""

import asyncio
import re
from collections import Counter
from typing import Any

import pytest
from httpx import AsyncClient

from app.services.sync import push as pushing
from app.services.sync.acting import _LOCKS
from app.services.sync.filing import TABLES
from tests.pushing import batch, op, pull, push
from tests.register import assert_counters_true, counted, register
from tests.sync.follower import Follower
from tests.sync.snares import counting, snare, until, waiting
from tests.sync.test_cursor import registration
from tests.town import Town

_ROWS = "SELECT count(*) FROM households WHERE township_code = $1"


async def send(client: AsyncClient, town: Town, *ops: Any) -> tuple[int, list[dict[str, Any]]]:
    """Push; return the status, and the results if there are any."""
    answer = await client.post("/v1/sync/push", json=batch(town.kit.clock.now(), *ops))
    return answer.status_code, answer.json().get("results", [])


def readdressing(town: Town, homes: list[str], text: str) -> list[dict[str, Any]]:
    """Return operations that give households another address."""
    now = town.kit.clock.now()
    return [op("household.update", {"address": text}, now, target=home, base_rev=1) for home in homes]


async def test_retries_of_one_batch_in_reversed_order_answer_alike(town: Town) -> None:
    village = await town.village()
    for round_ in range(1, 6):
        ops = [registration(town) for _ in range(20)]
        answers = await asyncio.gather(
            *(send(village, town, *(ops if n % 2 else ops[::-1])) for n in range(4))
        )
        assert [status for status, _ in answers] == [200] * 4
        by_op: dict[str, list[dict[str, Any]]] = {}
        for _, results in answers:
            for result in results:
                by_op.setdefault(result["op_id"], []).append(result)
        for results in by_op.values():
            assert Counter(result.pop("status") for result in results) == {"applied": 1, "duplicate": 3}
            assert results == [results[0]] * 4
        assert await counted(town) == {"households": 20 * round_, "people": 20 * round_}


def test_whatever_operations_name_is_locked_in_one_order() -> None:
    """But gates: nothing changes them, and their decisions are each a row of its own."""
    locked = {re.search(r"FROM (\w+)", statement)[1] for statement in _LOCKS}  # type: ignore[index]
    assert locked == set(TABLES.values()) - {"checkpoints"}


async def test_the_same_households_in_opposite_order_do_not_deadlock(town: Town) -> None:
    one, two = await town.village(), await town.village()
    homes = [(await register(one, town))["id"] for _ in range(12)]
    before = await town.owner.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    for round_ in range(4):
        answers = await asyncio.gather(
            send(one, town, *readdressing(town, homes, f"{round_}组1号"), registration(town)),
            send(two, town, *readdressing(town, homes[::-1], f"{round_}组2号"), registration(town)),
        )
        assert [status for status, _ in answers] == [200, 200]
        assert {r["status"] for _, results in answers for r in results} <= {"applied", "merged", "conflict"}
    stats = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await town.owner.fetchval(stats) == before
    page = await pull(one)
    digests = {scope: stand["digest"] for scope, stand in page["scopes"].items()}
    assert (await one.post("/v1/sync/verify", json={"digests": digests})).json() == {"differ": []}


async def test_a_deadlock_forced_from_outside_is_tried_again_inside(town: Town) -> None:
    village = await town.village()
    homes = sorted([(await register(village, town))["id"] for _ in range(2)])
    ops = [*readdressing(town, homes, "新址"), registration(town)]
    lock = "SELECT FROM households WHERE township_code = $1 AND id = $2 FOR UPDATE"
    async with town.owner.acquire() as other:
        foreign = other.transaction()
        await foreign.start()
        await other.execute("SET LOCAL deadlock_timeout = '30s'")  # so that the push is the victim
        await other.execute(lock, town.code, homes[1])
        pushed = asyncio.create_task(send(village, town, *ops))

        async def it_waits() -> bool:
            return await waiting(town) == 1

        await until(it_waits)
        await other.execute(lock, town.code, homes[0])
        assert not pushed.done()
        await foreign.rollback()
    status, results = await pushed
    assert (status, [r["status"] for r in results]) == (200, ["applied"] * 3)
    assert [(await village.get(f"/v1/households/{home}")).json()["rev"] for home in homes] == [2, 2]


@pytest.mark.parametrize("error", ["deadlock_detected", "serialization_failure", "lock_not_available"])
@pytest.mark.parametrize("event", ["BEFORE INSERT", "COMMIT"])
async def test_what_passes_at_the_third_try_is_applied_once(town: Town, error: str, event: str) -> None:
    village, made = await town.village(), registration(town)
    async with counting(town) as numbers:
        body = f"IF nextval('{numbers}') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = '{error}'; END IF;"
        async with snare(town, "operations", event, body):
            (result,) = await push(village, town.kit.clock.now(), made)
        assert await town.owner.fetchval(f"SELECT last_value FROM {numbers}") == 3
    assert result["status"] == "applied"
    assert await counted(town) == {"households": 1, "people": 1}


async def test_a_lock_that_nobody_gives_up_is_answered_503_and_nothing_is_applied(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "PATIENCE", 1.0)
    village = await town.village()
    home = (await register(village, town))["id"]
    ops = [registration(town), *readdressing(town, [home], "新址")]
    async with counting(town) as numbers:
        impatient = f"PERFORM nextval('{numbers}'), set_config('lock_timeout', '50ms', true);"
        async with town.owner.acquire() as other, other.transaction():
            await other.execute("SELECT FROM households WHERE township_code = $1 FOR UPDATE", town.code)
            async with snare(town, "operations", "BEFORE INSERT", impatient):
                answer = await village.post("/v1/sync/push", json=batch(town.kit.clock.now(), *ops))
        tries = await town.owner.fetchval(f"SELECT last_value FROM {numbers}")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert tries > 3 * len(ops)
    assert await town.owner.fetchval(_ROWS, town.code) == 1
    assert (
        await town.owner.fetchval("SELECT count(*) FROM operations WHERE township_code = $1", town.code) == 0
    )
    assert await counted(town) == {"households": 1, "people": 1}
    status, results = await send(village, town, *ops)
    assert (status, [r["status"] for r in results]) == (200, ["applied"] * 2)


async def test_a_poison_blocks_no_neighbour_and_is_taken_when_its_cause_is_gone(town: Town) -> None:
    village, reader = await town.village(), Follower(await town.village())
    home = (await register(village, town))["id"]
    poison = registration(town)
    poison["body"]["address"] = "毒药"
    edit = readdressing(town, [home], "新址")[0]
    ops = [registration(town), poison, edit, registration(town)]
    async with snare(
        town, "households", "BEFORE INSERT", "IF NEW.address = '毒药' THEN RAISE division_by_zero; END IF;"
    ):
        status, results = await send(village, town, *ops)
        repeated = (await send(village, town, poison))[1]
    assert status == 200
    assert [r["status"] for r in results] == ["applied", "rejected", "applied", "applied"]
    said = {name: results[1][name] for name in ("status", "code", "retry")}
    assert said == {"status": "rejected", "code": "internal-error", "retry": "later"}
    assert repeated == [results[1]]
    rejected = (await village.get("/v1/sync/rejected")).json()["items"]
    assert [item["op"] for item in rejected] == [poison]
    assert await counted(town) == {"households": 3, "people": 3}
    status, healed = await send(village, town, *ops)
    assert [r["status"] for r in healed] == ["duplicate", "applied", "duplicate", "duplicate"]
    assert healed[1]["entity"]["id"] == poison["body"]["id"]
    assert (await send(village, town, poison))[1] == [healed[1] | {"status": "duplicate"}]
    assert (await village.get("/v1/sync/rejected")).json()["items"] == []
    assert await counted(town) == {"households": 4, "people": 4}
    await reader.read()
    reader.without_gaps()
    assert reader.ids("household").count(poison["body"]["id"]) == 1
    await assert_counters_true(town)


async def test_a_poison_sent_again_by_many_at_once_is_taken_once(town: Town) -> None:
    village, made = await town.village(), registration(town)
    async with snare(town, "people", "BEFORE INSERT", "RAISE division_by_zero;"):
        (result,) = await push(village, town.kit.clock.now(), made)
        assert result["code"] == "internal-error"
    answers = await asyncio.gather(*(send(village, town, made) for _ in range(6)))
    assert Counter(r["status"] for _, results in answers for r in results) == {"applied": 1, "duplicate": 5}
    assert await counted(town) == {"households": 1, "people": 1}


async def test_somebody_elses_poison_is_not_tried_again(town: Town) -> None:
    """The same words under the same id, from another account: it learns how the operation stands, no more."""
    village, other = await town.village(), await town.village()
    made = registration(town)
    async with snare(town, "people", "BEFORE INSERT", "RAISE division_by_zero;"):
        (result,) = await push(village, town.kit.clock.now(), made)
    assert await push(other, town.kit.clock.now(), made) == [result]
    assert await town.owner.fetchval(_ROWS, town.code) == 0


async def test_counters_and_facts_are_written_together(town: Town) -> None:
    """A counter that cannot be written takes everything back: the same batch, sent again, counts once."""
    village, ops = await town.village(), [registration(town) for _ in range(3)]
    async with snare(town, "daily_counters", "BEFORE INSERT", "RAISE division_by_zero;"):
        assert (await send(village, town, *ops))[0] == 500
        assert await town.owner.fetchval(_ROWS, town.code) == 0
    status, results = await send(village, town, *ops)
    assert (status, [r["status"] for r in results]) == (200, ["applied"] * 3)
    assert await counted(town) == {"households": 3, "people": 3}


@pytest.mark.parametrize("way", ["pushed", "online"])
async def test_no_answer_before_the_commit(town: Town, way: str) -> None:
    """COMMIT is what fails here; whoever had answered already would have lied."""
    village, made = await town.village(), registration(town)
    async with snare(town, "households", "COMMIT", "RAISE division_by_zero;"):
        if way == "pushed":
            assert (await send(village, town, made))[0] == 500
        else:
            assert (await village.post("/v1/households", json=made["body"])).status_code == 500
    assert await town.owner.fetchval(_ROWS, town.code) == 0
    assert await town.owner.fetchval("SELECT count(*) FROM feed WHERE township_code = $1", town.code) == 0


async def test_twelve_deliveries_at_once_are_one(town: Town) -> None:
    """Who is first with an id claims it; the others wait for its end, and say what it said."""
    village, made = await town.village(), registration(town)
    answers = await asyncio.gather(*(send(village, town, made) for _ in range(12)))
    assert [status for status, _ in answers] == [200] * 12
    results = [result for _, found in answers for result in found]
    assert Counter(result.pop("status") for result in results) == {"applied": 1, "duplicate": 11}
    assert results == [results[0]] * 12
    assert await counted(town) == {"households": 1, "people": 1}
    rows = "SELECT count(*) FROM operations WHERE township_code = $1 AND id = $2"
    assert await town.owner.fetchval(rows, town.code, made["op_id"]) == 1
