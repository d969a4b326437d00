"""Funds: exact to the last digit, and never more spent than there is."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from tests.conftest import TestClock
from tests.counting import counted
from tests.noon import NOON
from tests.pictures import jpeg, sha256
from tests.pushing import op, push
from tests.supplies import a_fund, assert_books, granted, made
from tests.town import Town


async def balances(client: AsyncClient, **params: str) -> dict[str, list[str]]:
    """Granted, spent, returned and left, by unit."""
    answer = await client.get("/v1/funds/balances", params=params)
    assert answer.status_code == 200, answer.text
    columns = ("granted_yuan", "spent_yuan", "returned_yuan", "balance_yuan")
    return {row["unit_code"]: [row[c] for c in columns] for row in answer.json()["items"]}


def fault(answer: Response) -> tuple[int, str, list[tuple[str, str]]]:
    body = answer.json()
    return answer.status_code, body["code"], [(e["pointer"], e["code"]) for e in body.get("errors", [])]


async def test_money_is_exact_to_the_last_digit(town: Town, noon: TestClock) -> None:
    office, village, unit = await town.township(), await town.village(), town.units[0]
    await granted(office, NOON, {unit: "9999999999.99"})
    await granted(office, NOON, {unit: "0.01", town.units[1]: "2000"})
    for _ in range(3):
        await made(village, "/v1/funds", a_fund(unit, "spend", "0.10", NOON))
    back = await made(village, "/v1/funds", a_fund(unit, "return", "9999999999.69", NOON))
    assert back["amount_yuan"] == "9999999999.69"
    assert await balances(office) == {
        unit: ["10000000000.00", "0.30", "9999999999.69", "0.01"],
        town.units[1]: ["2000.00", "0.00", "0.00", "2000.00"],
        town.units[2]: ["0.00", "0.00", "0.00", "0.00"],
    }
    assert list(await balances(village)) == [unit]
    assert list(await balances(office, code=town.units[1])) == [town.units[1]]
    assert (await counted(town, NOON.date()))["fund_records"] == 7
    await assert_books(town)


async def test_nobody_spends_what_is_not_there(town: Town, noon: TestClock) -> None:
    office, village, unit = await town.township(), await town.village(), town.units[0]
    await granted(office, NOON, {unit: "100.00", town.units[1]: "100.00"})
    for kind in ("spend", "return"):
        refused = await village.post("/v1/funds", json=a_fund(unit, kind, "100.01", NOON))
        assert fault(refused) == (409, "insufficient-funds", [])
    assert (await balances(village))[unit] == ["100.00", "0.00", "0.00", "100.00"]
    await made(village, "/v1/funds", a_fund(unit, "spend", "100.00", NOON))
    assert (await village.post("/v1/funds", json=a_fund(unit, "spend", "0.01", NOON))).status_code == 409
    await assert_books(town)


async def test_a_village_spends_its_own_and_grants_nothing(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village()
    mine, sibling = town.units[:2]
    await granted(office, NOON, {mine: "100.00", sibling: "100.00"})
    for unit in (mine, sibling, "499999999999"):
        refused = await village.post("/v1/funds", json=a_fund(unit, "grant", "1.00", NOON))
        assert fault(refused) == (403, "forbidden", []), unit
    for unit in (sibling, "499999999999", f"{town.code}000"):
        refused = await village.post("/v1/funds", json=a_fund(unit, "spend", "1.00", NOON))
        assert fault(refused) == (404, "not-found", []), unit
    (theirs,) = (await office.get("/v1/funds", params={"code": sibling})).json()["items"]
    assert (await village.get(f"/v1/funds/{theirs['id']}")).status_code == 404
    assert [one["unit_code"] for one in (await village.get("/v1/funds")).json()["items"]] == [mine]
    for path in ("/v1/funds", "/v1/funds/balances"):
        assert (await village.get(path, params={"code": sibling})).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"amount_yuan": 5}, "/amount_yuan", "invalid-type"),
        ({"amount_yuan": 0.1}, "/amount_yuan", "invalid-type"),
        *[
            ({"amount_yuan": text}, "/amount_yuan", "invalid-format")
            for text in ("", "1.001", "-1", "+1", "1e3", "01", "1.", ".5", "１", "NaN", "10000000000", " 1")
        ],
        ({"amount_yuan": "0.00"}, "/amount_yuan", "out-of-range"),
        ({"purpose": " "}, "/purpose", "blank"),
        ({"kind": "gift"}, "/kind", "not-allowed"),
        ({"at": (NOON + timedelta(hours=1)).isoformat()}, "/at", "in-the-future"),
    ],
)
async def test_what_is_no_money_is_refused(
    town: Town, noon: TestClock, change: dict[str, Any], pointer: str, code: str
) -> None:
    office = await town.township()
    body = a_fund(town.units[0], "grant", "1.00", NOON) | change
    assert fault(await office.post("/v1/funds", json=body)) == (422, "invalid", [(pointer, code)])


async def test_the_same_record_again_is_once(town: Town, noon: TestClock) -> None:
    office, village, unit = await town.township(), await town.village(), town.units[0]
    await granted(office, NOON, {unit: "10.00"})
    body = a_fund(unit, "spend", "10.00", NOON, id=str(uuid4()))
    first = await village.post("/v1/funds", json=body)
    again = await village.post("/v1/funds", json=body | {"amount_yuan": "10.0"})  # the same money
    other = await village.post("/v1/funds", json=body | {"amount_yuan": "9.99"})
    assert [a.status_code for a in (first, again, other)] == [201, 200, 409]
    assert other.json()["code"] == "id-reused"
    assert (await balances(village))[unit][1] == "10.00"


async def test_a_receipt_is_seen_by_its_unit_and_the_township(town: Town, noon: TestClock) -> None:
    office, village, photo = await town.township(), await town.village(), jpeg()
    await granted(office, NOON, {town.units[0]: "10.00"})
    spent = a_fund(town.units[0], "spend", "9.90", NOON, photo_ids=[sha256(photo)])
    stored = await made(village, "/v1/funds", spent)
    assert stored["photo_pending"] == [sha256(photo)]
    assert (await village.put(f"/v1/photos/{sha256(photo)}", content=photo)).status_code == 201
    assert (await office.get(f"/v1/funds/{stored['id']}")).json()["photo_pending"] == []
    assert (await office.get(f"/v1/photos/{sha256(photo)}")).status_code == 200
    assert (await (await town.village(1)).get(f"/v1/photos/{sha256(photo)}")).status_code == 404


async def test_a_phone_records_money_offline(town: Town, noon: TestClock) -> None:
    office, village, unit = await town.township(), await town.village(), town.units[0]
    await granted(office, NOON, {unit: "10.00"})
    sent = [
        op("fund.record", a_fund(unit, "spend", amount, NOON), NOON) for amount in ("6.00", "6.00", "4.00")
    ]
    sent.append(op("fund.record", a_fund(unit, "grant", "1.00", NOON), NOON))
    results = await push(village, NOON, *sent)
    assert [(r["status"], r.get("code")) for r in results] == [
        ("applied", None),
        ("rejected", "insufficient-funds"),
        ("applied", None),
        ("rejected", "forbidden"),
    ]
    assert (await balances(village))[unit] == ["10.00", "10.00", "0.00", "0.00"]
    funds = [c["data"] for c in (await village.get("/v1/sync/pull")).json()["changes"] if c["kind"] == "fund"]
    assert [(f["kind"], f["amount_yuan"]) for f in funds] == [
        ("grant", "10.00"),
        ("spend", "6.00"),
        ("spend", "4.00"),
    ]
    await assert_books(town)
