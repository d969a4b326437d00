"""Supplies: every move takes from one place and gives to another, and nothing is taken that is not there."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from httpx import AsyncClient, Response

from tests.conftest import TestClock
from tests.counting import counted
from tests.duty import a_shift
from tests.noon import NOON
from tests.pushing import op, push
from tests.supplies import a_move, assert_books, made, stocked
from tests.town import Town

MOVES = "/v1/supply-moves"


async def standing(client: AsyncClient, item: str, **params: str) -> dict[str, dict[str, Any]]:
    """What stands where of an item, by unit."""
    answer = await client.get("/v1/supplies", params={"item_id": item} | params)
    assert answer.status_code == 200, answer.text
    return {row["unit_code"]: row for row in answer.json()["items"]}


def fault(answer: Response) -> tuple[int, str, list[tuple[str, str]]]:
    body = answer.json()
    return answer.status_code, body["code"], [(e["pointer"], e["code"]) for e in body.get("errors", [])]


async def test_from_the_supplier_to_whoever_uses_it(town: Town, noon: TestClock) -> None:
    office, village, unit, store = (
        await town.township(),
        await town.village(),
        town.units[0],
        f"{town.code}000",
    )
    item = await stocked(office, NOON, {}, min_stock=5)
    for client, move in (
        (office, a_move(item, "receive", 100.5, NOON)),
        (office, a_move(item, "issue", 20, NOON, unit)),
        (village, a_move(item, "confirm", 18, NOON, unit)),
        (village, a_move(item, "consume", 14.125, NOON)),
        (village, a_move(item, "return", 1, NOON, unit)),
        (office, a_move(item, "adjust", -0.5, NOON)),
        (office, a_move(item, "adjust", -1, NOON, unit, place="on_the_way")),
        (office, a_move(item, "consume", 2, NOON)),
    ):
        stored = await made(client, MOVES, move)
        assert (stored["quantity"], stored["kind"]) == (move["quantity"], move["kind"])
        assert (await office.get(f"{MOVES}/{stored['id']}")).json() == stored
    rows = await standing(office, item)
    columns = ("stock", "on_the_way", "used", "received", "corrected", "low")
    assert [rows[store][c] for c in columns] == [79, 0, 2, 100.5, -0.5, False]
    assert [rows[unit][c] for c in columns] == [2.875, 1, 14.125, 0, -1, True]
    assert [rows[town.units[1]][c] for c in columns] == [0, 0, 0, 0, 0, True]
    told = {c: sum(Decimal(str(row[c])) for row in rows.values()) for c in columns[:5]}
    assert told["stock"] + told["on_the_way"] + told["used"] == told["received"] + told["corrected"]
    assert list(await standing(village, item)) == [unit]
    await assert_books(town)
    totals = await counted(town, NOON.date())
    assert (totals["supply_moves"], totals["supplies_confirmed"]) == (
        5,
        1,
    )  # the units' own; what the store does stands in its own row


async def test_a_move_says_where_it_went(town: Town, noon: TestClock) -> None:
    office, unit, store = await town.township(), town.units[0], f"{town.code}000"
    item = await stocked(office, NOON, {unit: 3})
    (issued, received) = (await office.get(MOVES)).json()["items"]
    sides = ("unit_code", "taken_from", "taken_code", "given_to", "given_code")
    assert [received[s] for s in sides] == [store, "supplier", store, "stock", store]
    assert [issued[s] for s in sides] == [unit, "stock", store, "on_the_way", unit]
    asked = (await office.get(MOVES, params={"code": unit, "kind": "issue", "item_id": item})).json()["items"]
    assert asked == [issued]
    assert (await office.get(MOVES, params={"day": "2026-02-02"})).json()["items"] == []


@pytest.mark.parametrize(
    ("kind", "quantity", "more"),
    [
        ("issue", 91, {}),
        ("confirm", 10.001, {}),
        ("consume", 0.001, {}),
        ("return", 1, {}),
        ("adjust", -0.001, {}),
        ("adjust", -11, {"place": "on_the_way"}),
    ],
)
async def test_nothing_is_taken_that_is_not_there(
    town: Town, noon: TestClock, kind: str, quantity: float, more: dict[str, Any]
) -> None:
    office, unit = await town.township(), town.units[0]
    item = await stocked(office, NOON, {unit: 10})
    await made(office, MOVES, a_move(item, "receive", 90, NOON))
    before = await standing(office, item)
    refused = await office.post(MOVES, json=a_move(item, kind, quantity, NOON, unit, **more))
    assert fault(refused) == (409, "insufficient-stock", [])
    assert await standing(office, item) == before
    await assert_books(town)


async def test_the_database_itself_keeps_a_stock_from_less_than_nothing(town: Town, noon: TestClock) -> None:
    office = await town.township()
    await stocked(office, NOON, {town.units[0]: 10})
    change = "UPDATE supply_stocks SET balance = -0.001 WHERE township_code = $1 AND place = $2"
    for place in ("stock", "on_the_way"):
        with pytest.raises(asyncpg.CheckViolationError, match="ck_supply_stocks_never_negative"):
            await town.owner.execute(change, town.code, place)


async def test_a_village_does_what_is_a_villages(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village()
    mine, sibling = town.units[:2]
    item = await stocked(office, NOON, {mine: 10, sibling: 10})
    for kind in ("receive", "issue", "adjust"):
        for unit in (mine, sibling, "499999999999", None):
            refused = await village.post(MOVES, json=a_move(item, kind, 1, NOON, unit))
            assert fault(refused) == (403, "forbidden", []), (kind, unit)
    for kind in ("confirm", "consume", "return"):
        for unit in (sibling, "499999999999", f"{town.code}000"):
            refused = await village.post(MOVES, json=a_move(item, kind, 1, NOON, unit))
            assert fault(refused) == (404, "not-found", []), (kind, unit)
    unknown = await village.post(MOVES, json=a_move(str(uuid4()), "confirm", 1, NOON, mine))
    assert fault(unknown) == (404, "not-found", [])
    (theirs,) = (await office.get(MOVES, params={"code": sibling})).json()["items"]
    assert (await village.get(f"{MOVES}/{theirs['id']}")).status_code == 404
    assert [one["unit_code"] for one in (await village.get(MOVES)).json()["items"]] == [mine]
    for path in ("/v1/supplies", MOVES, "/v1/supplies/forecast"):
        for code in (sibling, str(town.code), f"{town.code}000"):
            assert (await village.get(path, params={"code": code})).status_code == 404, (path, code)
    body = {"name": "热饭", "unit_of_measure": "份"}
    assert (await village.post("/v1/supply-items", json=body)).status_code == 403
    assert [one["id"] for one in (await village.get("/v1/supply-items")).json()["items"]] == [item]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"quantity": 0}, "/quantity", "out-of-range"),
        ({"quantity": -1}, "/quantity", "out-of-range"),
        ({"quantity": 0.0001}, "/quantity", "three-decimals"),
        ({"quantity": 1e9}, "/quantity", "out-of-range"),
        ({"quantity": 1e18}, "/quantity", "out-of-range"),
        ({"quantity": "1"}, "/quantity", "invalid-type"),
        ({"quantity": True}, "/quantity", "invalid-type"),
        ({"kind": "adjust", "quantity": 0}, "/quantity", "out-of-range"),
        ({"kind": "adjust", "place": "used"}, "/place", "not-allowed"),
        ({"kind": "adjust", "unit_code": "{code}000", "place": "on_the_way"}, "/place", "not-allowed"),
        ({"place": "stock"}, "/place", "adjust-only"),
        ({"kind": "receive"}, "/unit_code", "store-only"),
        ({"kind": "issue", "unit_code": "{code}000"}, "/unit_code", "not-allowed"),
        ({"kind": "issue", "unit_code": None}, "/unit_code", "required"),
        ({"at": "2026-02-03T13:00:00+08:00"}, "/at", "in-the-future"),
    ],
)
async def test_a_move_that_cannot_be_is_refused(
    town: Town, noon: TestClock, change: dict[str, Any], pointer: str, code: str
) -> None:
    office, unit = await town.township(), town.units[0]
    item = await stocked(office, NOON, {unit: 10})
    body = a_move(item, "confirm", 1, NOON, unit) | change
    if isinstance(body["unit_code"], str):
        body["unit_code"] = body["unit_code"].format(code=town.code)
    assert fault(await office.post(MOVES, json=body)) == (422, "invalid", [(pointer, code)])


async def test_the_same_move_again_is_once(town: Town, noon: TestClock) -> None:
    """Also when what is left would not do for a second one."""
    office, unit = await town.township(), town.units[0]
    item = await stocked(office, NOON, {unit: 10})
    body = a_move(item, "confirm", 10, NOON, unit, id=str(uuid4()))
    first, again = [await office.post(MOVES, json=body) for _ in range(2)]
    assert (first.status_code, again.status_code, again.headers["idempotent-replay"]) == (201, 200, "true")
    assert first.json() == again.json()
    other = await office.post(MOVES, json=body | {"quantity": 9})
    assert fault(other) == (409, "id-reused", [])
    assert (await standing(office, item))[unit]["stock"] == 10
    await assert_books(town)


async def test_a_phones_moves_act_in_the_order_in_which_they_were_made(town: Town, noon: TestClock) -> None:
    office, village, unit = await town.township(), await town.village(), town.units[0]
    item = await stocked(office, NOON, {unit: 10})
    early, late = [
        [op("supply.move", a_move(item, kind, 10, NOON, unit), NOON) for kind in kinds]
        for kinds in (("consume", "confirm"), ("consume", "consume"))
    ]
    results = await push(village, NOON, *early)
    assert [(r["status"], r.get("code")) for r in results] == [
        ("rejected", "insufficient-stock"),
        ("applied", None),
    ]
    results = await push(village, NOON, *late)
    assert [r["status"] for r in results] == ["applied", "rejected"]
    assert results[0]["entity"] == {"kind": "supply_move", "id": late[0]["op_id"], "rev": 1}
    again = await push(village, NOON, *early, *late)
    assert [r["status"] for r in again] == ["rejected", "duplicate", "duplicate", "rejected"]
    assert (await standing(village, item))[unit]["used"] == 10
    await assert_books(town)
    changes = (await village.get("/v1/sync/pull")).json()["changes"]
    moves = [c["data"] for c in changes if c["kind"] == "supply_move"]
    said = [(m["kind"], m["item"], m["quantity"], m["given_to"]) for m in moves]
    assert said == [
        ("issue", "口罩", 10.0, "on_the_way"),
        ("confirm", "口罩", 10.0, "stock"),
        ("consume", "口罩", 10.0, "used"),
    ]


async def test_the_forecast_counts_posts_and_what_is_still_to_be_disinfected(
    town: Town, noon: TestClock
) -> None:
    office, village, unit = await town.township(), await town.village(), town.units[0]
    masks = await stocked(office, NOON, {unit: 5}, per_person_per_shift=2)
    bleach = await stocked(office, NOON, {unit: 9}, per_site=0.5, per_person_per_shift=0.125)
    await stocked(office, NOON, {unit: 9})
    await made(village, MOVES, a_move(masks, "confirm", 3, NOON, unit))
    await made(village, MOVES, a_move(bleach, "confirm", 9, NOON, unit))
    people = [await town.account("village", [unit]) for _ in range(3)]
    evening = NOON + timedelta(hours=8)
    await made(office, "/v1/shifts", a_shift(unit, evening, *people[:2]))
    taken_off = await made(office, "/v1/shifts", a_shift(unit, evening, people[2]))
    await made(office, "/v1/shifts", a_shift(unit, evening + timedelta(days=1), people[0]))
    site = await made(
        office,
        "/v1/disinfection-sites",
        {"unit_code": unit, "name": "超市", "kind": "supermarket", "times_per_day": 3},
    )
    await made(office, "/v1/disinfection-logs", {"site_id": site["id"], "occurred_at": NOON.isoformat()})
    assert (await office.patch(f"/v1/shifts/{taken_off['id']}", json={"cancelled": True})).status_code == 200

    async def needs(client: AsyncClient, **params: Any) -> dict[str, list[float]]:
        rows = (await client.get("/v1/supplies/forecast", params=params)).json()["items"]
        assert {row["unit_code"] for row in rows} <= {unit}
        columns = ("people", "sites", "need", "stock", "on_the_way", "shortage")
        return {row["item_id"]: [row[c] for c in columns] for row in rows}

    today = {masks: [2, 2, 4, 3, 2, 1], bleach: [2, 2, 1.25, 9, 0, 0]}
    assert await needs(office) == await needs(village) == today
    assert await needs(office, day="2026-02-03", short=True) == {masks: today[masks]}
    assert await needs(office, short=False) == {bleach: today[bleach]}
    assert await needs(office, day="2026-02-04") == {
        masks: [1, 3, 2, 3, 2, 0],
        bleach: [1, 3, 1.625, 9, 0, 0],
    }
    assert await needs(await town.village(1)) == {}


async def test_lists_go_on_where_the_page_before_ended(town: Town, noon: TestClock) -> None:
    office = await town.township()
    items = [await stocked(office, NOON, {}) for _ in range(2)]
    found, after = [], ""
    while True:
        page = (await office.get(f"/v1/supplies?limit=3{after}")).json()
        found += [(row["unit_code"], row["item_id"]) for row in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == [(unit, item) for unit in (f"{town.code}000", *town.units) for item in sorted(items)]
    assert fault(await office.get("/v1/supplies?after=x")) == (422, "invalid", [("/after", "bad-mark")])
