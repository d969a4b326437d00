"""Ten thousand operations, each delivered up to twenty times, shuffled and batched anew, twenty pushes at once."""

import asyncio
import os
import random
from collections import Counter
from typing import Any

from httpx import AsyncClient

from tests import register, scene
from tests.counting import assert_recounted
from tests.pushing import batch, op
from tests.supplies import assert_books
from tests.sync.pushers import bodies_of, make_grounds
from tests.town import Town

OPERATIONS = int(os.environ.get("WANGGE_TEST_DELIVERED", "10000"))
MOST, AT_ONCE = 20, 20
TABLES = {
    "visit.record": "visits",
    "disinfection.log": "disinfection_logs",
    "household.check": "household_checks",
    "household.register": "households",
    "supply.move": "supply_moves",
    "fund.record": "funds",
    "patrol.record": "patrols",
    "publicity.log": "publicity_logs",
    "inspection.record": "inspections",
    "tip.record": "tips",
    "incident.record": "incidents",
}
BEFORE = {"household.register": 41, "supply.move": 2, "fund.record": 1}
"""What the office has written before: homes; a receipt and an issue; a grant."""


async def make_operations(town: Town, office: AsyncClient) -> list[dict[str, Any]]:
    """Return operations of many kinds about forty-one households, a pharmacy, a shop, masks and money of one unit."""
    chance, now = random.Random(3), town.kit.clock.now()
    (ground,) = await make_grounds(town, office, 0)
    homes = [await register.register(office, town) for _ in range(40)]
    orders = [await scene.open_order(office, home["head"]["id"], town.today()) for home in homes[:20]]
    others = bodies_of(ground, town.units[0], now)

    def one() -> dict[str, Any]:
        home = chance.choice(homes)
        kind = chance.choices(list(TABLES), (10, 4, 4, 2, *[1] * (len(TABLES) - 4)))[0]
        bodies: dict[str, Any] = {
            "visit.record": scene.visit_body(
                chance.choice(orders)["id"], now, chance.choice(["service", "temperature"])
            ),
            "household.check": register.check_body(
                home["id"], now.isoformat(), register.line(home["head"]["id"])
            ),
        }
        return op(kind, bodies.get(kind) or others[kind](), now)

    return [one() for _ in range(OPERATIONS)]


def deliveries(ops: list[dict[str, Any]], chance: random.Random) -> list[list[dict[str, Any]]]:
    """Return batches in which each operation stands 1 to 20 times, few of them often."""
    copies = [
        one
        for one in ops
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4, MOST)) if chance.random() < 0.5 else 1)
    ]
    chance.shuffle(copies)
    batches = []
    while copies:
        size = chance.choice((1, 7, 60, 200, 500))
        batches.append(copies[:size])
        del copies[:size]
    return batches


async def test_rows_are_distinct_operations_and_every_repeat_answers_as_the_first_time(town: Town) -> None:
    office, phone = await town.township(), await town.village()
    ops = await make_operations(town, office)
    batches = deliveries(ops, random.Random(4))
    answers: dict[str, list[dict[str, Any]]] = {}
    room = asyncio.Semaphore(AT_ONCE)

    async def deliver(sent: list[dict[str, Any]]) -> None:
        async with room:
            whole = batch(town.kit.clock.now(), *sent)
            while (answer := await phone.post("/v1/sync/push", json=whole)).status_code == 503:
                pass  # a machine under load puts pushes off; a phone sends the same again
            assert answer.status_code == 200, answer.text
            for result in answer.json()["results"]:
                answers.setdefault(result["op_id"], []).append(result)

    await asyncio.gather(*(deliver(sent) for sent in batches))
    assert len(answers) == OPERATIONS
    for results in answers.values():
        assert Counter(result["status"] for result in results)["applied"] == 1
        assert {result["status"] for result in results} <= {"applied", "duplicate"}
        assert len({str({**result, "status": ""}) for result in results}) == 1
    kinds = Counter(one["kind"] for one in ops)
    for kind, table in TABLES.items():
        count = await town.owner.fetchval(f"SELECT count(*) FROM {table} WHERE township_code = $1", town.code)
        assert count == kinds[kind] + BEFORE.get(kind, 0), table
    await register.assert_counters_true(town)
    await scene.assert_counters_true(town)
    await assert_recounted(town)
    await assert_books(town)
