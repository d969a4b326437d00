"""Five phones, and everything that may happen to them: in the end all hold the same, and nothing is lost."""

import itertools
import os
from typing import Any

import asyncpg
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.conftest import TestClock
from tests.feed import untold
from tests.sync.world import ACTIONS, CREATES, World, make_world
from tests.town import make_town

RUNS = int(os.environ.get("WANGGE_TEST_MODEL_RUNS", "200"))
STEPS = int(os.environ.get("WANGGE_TEST_MODEL_STEPS", "40"))

_towns = itertools.count(1)
_step = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 4), st.integers(0, 2**20))


@examples(
    max_examples=RUNS,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(_step, min_size=STEPS, max_size=STEPS))
async def test_whatever_happens_all_hold_the_same_in_the_end(
    app: FastAPI, owner: asyncpg.Pool, clock: TestClock, steps: list[tuple[str, int, int]]
) -> None:
    code = 430000000 + os.getpid() % 1000 * 1000 + next(_towns)
    async with make_town(app, owner, code) as town:
        world = await make_world(town)
        for action, number, seed in steps:
            await world.do(action, number, seed)
        await world.settle()
        for phone in world.phones:
            assert await phone.verify() == []
        assert await untold(town) == []
        await _nothing_is_lost_and_nothing_is_twice(world)
        for client in town.clients:
            await client.aclose()


async def _nothing_is_lost_and_nothing_is_twice(world: World) -> None:
    """Every operation has an answer; what was applied stands once, what was not can be read."""
    made: dict[str, set[str]] = {table: set() for table in CREATES.values()}
    made["households"] |= world.homes
    for phone in (*world.phones, *world.gone):
        for op in (*phone.done.values(), *phone.outbox.values()):
            result = phone.results.get(op["op_id"])
            if result is None:  # of a phone that is gone: its twin has sent it since
                assert phone in world.gone
                continue
            assert result["status"] in ("applied", "merged", "duplicate", "conflict", "held", "rejected")
            if "entity" in result and op["kind"] in CREATES:
                made[CREATES[op["kind"]]].add(result["entity"]["id"])
            await _is_on_record(world, op, result)
    for table, ids in made.items():
        rows = await world.town.owner.fetch(
            f"SELECT id FROM {table} WHERE township_code = $1", world.town.code
        )
        assert {str(row["id"]) for row in rows} == ids, table


async def _is_on_record(world: World, op: dict[str, Any], result: dict[str, Any]) -> None:
    row = await world.town.owner.fetchrow(
        "SELECT status, op_sealed IS NOT NULL AS kept FROM operations WHERE township_code = $1 AND id = $2",
        world.town.code,
        op["op_id"],
    )
    assert row is not None
    said = {"duplicate": ("applied", "merged")}.get(result["status"], (result["status"],))
    assert (
        row["status"] in (*said, "applied", "merged") if result["status"] == "held" else row["status"] in said
    )
    assert row["kept"] is (row["status"] in ("held", "rejected", "conflict"))
