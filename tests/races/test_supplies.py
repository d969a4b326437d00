"""Many hands at one store: real commits, real concurrency."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

from httpx import AsyncClient, Response

from tests.counting import counted
from tests.supplies import a_fund, a_move, assert_books, granted, made, stocked
from tests.town import Town

MOVES = "/v1/supply-moves"
STOCK = """
SELECT unit_code::text, place, balance FROM supply_stocks WHERE township_code = $1 AND item_id = $2 AND balance <> 0
"""


async def stock(town: Town, item: str) -> dict[tuple[str, str], int]:
    rows = await town.owner.fetch(STOCK, town.code, item)
    return {
        (row["unit_code"].removeprefix(str(town.code)), row["place"]): int(row["balance"]) for row in rows
    }


async def answered(client: AsyncClient, path: str, body: dict[str, Any]) -> Response:
    """Post under an id until there is an answer: what a busy server puts off is sent again."""
    body = {"id": str(uuid4())} | body
    while (answer := await client.post(path, json=body)).status_code == 503:
        pass
    return answer


async def test_of_200_parallel_issues_of_a_stock_of_100_exactly_100_succeed(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    item = await stocked(office, now, {})
    await made(office, MOVES, a_move(item, "receive", 100, now))
    bodies = [a_move(item, "issue", 1, now, town.units[n % 3], id=str(uuid4())) for n in range(200)]
    answers = await asyncio.gather(*(answered(office, MOVES, body) for body in bodies))
    assert Counter(answer.status_code for answer in answers) == {201: 100, 409: 100}
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refused == {"insufficient-stock"}
    issued = Counter(
        a.json()["unit_code"].removeprefix(str(town.code)) for a in answers if a.status_code == 201
    )
    on_the_way = {(unit, "on_the_way"): n for unit, n in issued.items()}
    assert await stock(town, item) == on_the_way | {("000", "supplier"): -100}
    assert (await counted(town, town.today()))["supply_moves"] == 100
    await assert_books(town)


async def test_twenty_identical_posts_are_one_move(town: Town) -> None:
    """Though only one would find anything in stock: the others are told what was done, not that there is nothing."""
    office, now = await town.township(), town.kit.clock.now()
    item = await stocked(office, now, {})
    await made(office, MOVES, a_move(item, "receive", 5, now))
    await granted(office, now, {town.units[0]: "5.00"})
    for path, body in (
        (MOVES, a_move(item, "issue", 5, now, town.units[0], id=str(uuid4()))),
        ("/v1/funds", a_fund(town.units[0], "spend", "5.00", now, id=str(uuid4()))),
    ):
        answers = await asyncio.gather(*(office.post(path, json=body) for _ in range(20)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}, path
        assert len({answer.content for answer in answers}) == 1
    await assert_books(town)


async def test_units_and_the_store_move_at_once_and_nothing_is_lost(town: Town) -> None:
    """Issues, confirmations and returns cross each other over three units and two items."""
    office, now = await town.township(), town.kit.clock.now()
    cadres = [await town.village(n) for n in range(3)]
    items = [await stocked(office, now, dict.fromkeys(town.units, 10)) for _ in range(2)]
    calls = []
    for item in items:
        await made(office, MOVES, a_move(item, "receive", 30, now))
        for unit, cadre in zip(town.units, cadres, strict=True):
            calls += [(office, a_move(item, "issue", 1, now, unit))] * 10
            calls += [(cadre, a_move(item, "confirm", 1, now, unit))] * 10
            calls += [(cadre, a_move(item, "return", 1, now, unit))] * 10
    answers = await asyncio.gather(*(answered(client, MOVES, body) for client, body in calls))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}, statuses
    done = Counter(a.json()["kind"] for a in answers if a.status_code == 201)
    assert (done["issue"], done["confirm"]) == (60, 60)
    for item in items:
        standing = await stock(town, item)
        assert sum(standing.values()) == 0
        assert sum(n for (_, place), n in standing.items() if place in ("stock", "on_the_way")) == 60
    await assert_books(town)


async def test_parallel_spendings_leave_no_unit_in_debt(town: Town) -> None:
    office, village, now = await town.township(), await town.village(), town.kit.clock.now()
    await granted(office, now, {town.units[0]: "10.05"})
    bodies = [a_fund(town.units[0], ("spend", "return")[n % 2], "0.33", now) for n in range(60)]
    answers = await asyncio.gather(*(answered(village, "/v1/funds", body) for body in bodies))
    assert Counter(answer.status_code for answer in answers) == {201: 30, 409: 30}
    (mine,) = (await village.get("/v1/funds/balances")).json()["items"]
    assert mine["balance_yuan"] == "0.15"
    await assert_books(town)
