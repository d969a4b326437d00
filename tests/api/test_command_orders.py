"""Orders of the command post: to 58 units at one moment, answered in step, silence that speaks up."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.conftest import TestClock
from tests.orders import SEVEN, answer, mine, write
from tests.pushing import op, push
from tests.scene import tick
from tests.town import Town

NOW = datetime.fromisoformat("2026-03-02T18:30:00+08:00")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def office(town: Town, clock: TestClock) -> httpx.AsyncClient:
    clock.fixed = NOW
    return await town.township()


async def alerts(town: Town) -> list[tuple[str, str, str]]:
    """Return what the clock makes of silence: kind, unit and status of every alert."""
    await tick(town)
    items = (await (await town.township()).get("/v1/alerts")).json()["items"]
    return sorted((item["kind"], item["unit_code"], item["status"]) for item in items)


async def test_an_order_goes_to_every_unit_at_once(town: Town, office: httpx.AsyncClient) -> None:
    order = await write(office, town)
    assert (order["status"], order["issued_at"]) == ("issued", "2026-03-02T10:30:00Z")
    assert [(u["unit_code"], u["state"], u["minutes"]) for u in order["units"]] == [
        (unit, "issued", None) for unit in town.units
    ]
    seen = (await (await town.village()).get(f"/v1/orders/{order['id']}")).json()
    assert [part["unit_code"] for part in seen["units"]] == [town.units[0]]
    assert (seen["title"], seen["progress"]["issued"]) == ("排查外来车辆", 1)


async def test_the_clock_issues_at_its_minute(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    draft = await write(office, town, issue_at=SEVEN.isoformat())
    village = await town.village()
    assert (draft["status"], draft["units"]) == ("draft", [])
    clock.fixed = SEVEN - timedelta(milliseconds=100)
    await tick(town)
    assert (await village.get(f"/v1/orders/{draft['id']}")).status_code == 404
    assert (await village.get("/v1/orders")).json()["items"] == []
    clock.fixed = SEVEN
    await tick(town)
    await tick(town)
    shown = (await village.get(f"/v1/orders/{draft['id']}")).json()
    assert (shown["status"], shown["issued_at"]) == ("issued", "2026-03-02T11:00:00Z")
    assert len((await office.get(f"/v1/orders/{draft['id']}")).json()["units"]) == 3


async def test_units_answer_in_step(town: Town, office: httpx.AsyncClient, clock: TestClock) -> None:
    order, village = await write(office, town), await town.village()
    clock.fixed = NOW + 7 * MINUTE + timedelta(seconds=59)
    said = (await answer(village, order, "acknowledge")).json()
    part = mine(said, town.units[0])
    assert (part["state"], part["minutes"], part["fulfilled"], part["on_time"]) == (
        "acknowledged",
        7,
        False,
        None,
    )
    clock.fixed = NOW + 60 * MINUTE
    said = (await answer(village, order, "feedback", text="已出动12人")).json()
    assert mine(said, town.units[0])["state"] == "feedback"
    await answer(village, order, "acknowledge", unit_code=town.units[0])
    clock.fixed = NOW + 90 * MINUTE
    said = (await answer(village, order, "complete", text="全部完成")).json()
    part = mine(said, town.units[0])
    assert (part["state"], part["fulfilled"], part["on_time"]) == ("completed", True, True)
    assert (part["minutes"], part["minutes_to_fulfil"]) == (7, 90)
    assert [(a["kind"], a["text"]) for a in part["answers"]] == [
        ("acknowledge", None), ("feedback", "已出动12人"), ("acknowledge", None), ("complete", "全部完成"),
    ]  # fmt: skip
    whole = (await office.get(f"/v1/orders/{order['id']}")).json()
    assert whole["progress"] == {
        "issued": 2,
        "acknowledged": 0,
        "feedback": 0,
        "completed": 1,
        "fulfilled": 1,
    }


async def test_an_answer_stands_for_those_before_it(town: Town, office: httpx.AsyncClient) -> None:
    order, village = await write(office, town, requires="acknowledge"), await town.village()
    part = mine((await answer(village, order, "complete", text="已完成")).json(), town.units[0])
    assert (part["state"], part["minutes"], part["fulfilled"]) == ("completed", 0, True)


async def test_the_same_again_and_the_id_reused(town: Town, office: httpx.AsyncClient) -> None:
    order, village = await write(office, town), await town.village()
    id_ = "018f0000-0000-7000-8000-000000000002"
    first = await answer(village, order, "feedback", id=id_, text="一")
    again = await answer(village, order, "feedback", id=id_, text="一")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    other = await answer(village, order, "complete", id=id_, text="一")
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    body = {k: order[k] for k in ("id", "title", "body", "codes", "due_at", "requires")}
    repeated = await office.post("/v1/orders", json=body)
    assert (repeated.status_code, repeated.headers["Idempotent-Replay"]) == (200, "true")
    assert (await office.post("/v1/orders", json=body | {"title": "另一"})).json()["code"] == "id-reused"


async def test_silence_is_reminded_alerted_and_settled(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    order, village = await write(office, town, requires="feedback"), await town.village()
    clock.fixed = NOW + 15 * MINUTE
    assert await alerts(town) == []
    shown = (await office.get(f"/v1/orders/{order['id']}")).json()
    assert {part["reminded_at"] for part in shown["units"]} == {"2026-03-02T10:45:00Z"}
    await answer(village, order, "acknowledge")
    clock.fixed = NOW + 30 * MINUTE
    silent = [("order_unanswered", unit, "open") for unit in town.units[1:]]
    assert await alerts(town) == silent
    assert await alerts(town) == silent, "once"
    await answer(await town.village(1), order, "feedback", text="在做")
    assert await alerts(town) == [
        ("order_unanswered", town.units[1], "resolved"), ("order_unanswered", town.units[2], "open"),
    ]  # fmt: skip
    clock.fixed = SEVEN + timedelta(hours=17)
    overdue = [
        kind for kind, unit, status in await alerts(town) if unit == town.units[0] and status == "open"
    ]
    assert overdue == ["order_overdue"]
    assert [k for k, unit, status in await alerts(town) if unit == town.units[1] and status == "open"] == []
    await answer(village, order, "complete", text="迟了")
    assert ("order_overdue", town.units[0], "resolved") in await alerts(town)
    part = mine((await office.get(f"/v1/orders/{order['id']}")).json(), town.units[0])
    assert (part["fulfilled"], part["on_time"]) == (True, False)


async def test_a_withdrawn_order_asks_for_nothing(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    order, village = await write(office, town), await town.village()
    clock.fixed = NOW + 40 * MINUTE
    assert len(await alerts(town)) == 3
    shown = (await office.post(f"/v1/orders/{order['id']}/withdraw")).json()
    assert (shown["status"], shown["withdrawn_at"]) == ("withdrawn", "2026-03-02T11:10:00Z")
    assert {status for _, _, status in await alerts(town)} == {"resolved"}
    refused = await answer(village, order, "acknowledge")
    assert (refused.status_code, refused.json()["code"]) == (409, "order-withdrawn")
    clock.fixed = NOW + timedelta(days=3)
    assert {status for _, _, status in await alerts(town)} == {"resolved"}


async def test_drafts_change_and_what_went_out_does_not(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    draft = await write(office, town, issue_at=SEVEN.isoformat())
    path = f"/v1/orders/{draft['id']}"
    changed = (await office.patch(path, json={"title": "排查返乡人员", "codes": town.units[1:2]})).json()
    assert (changed["title"], changed["codes"], changed["rev"]) == ("排查返乡人员", town.units[1:2], 2)
    clock.fixed = SEVEN
    await tick(town)
    assert [u["unit_code"] for u in (await office.get(path)).json()["units"]] == town.units[1:2]
    refused = await office.patch(path, json={"title": "晚了"})
    assert (refused.status_code, refused.json()["code"]) == (409, "already-issued")
    assert (await (await town.village()).get(path)).status_code == 404, "not for this unit"


@pytest.mark.parametrize(
    ("more", "status", "pointer"),
    [
        ({"due_at": NOW.isoformat()}, 422, "/due_at"),
        ({"issue_at": (SEVEN + timedelta(days=2)).isoformat()}, 422, "/due_at"),
        ({"codes": []}, 422, "/codes"),
        ({"codes": ["51"]}, 404, None),
        ({"codes": ["999999999201"]}, 404, None),
        ({"requires": "obedience"}, 422, "/requires"),
        ({"body": " "}, 422, "/body"),
    ],
)
async def test_bad_orders_are_refused(
    town: Town, office: httpx.AsyncClient, more: dict[str, Any], status: int, pointer: str | None
) -> None:
    body = {
        "title": "一", "body": "二", "codes": [str(town.code)], "requires": "feedback",
        "due_at": (SEVEN + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    refused = await office.post("/v1/orders", json=body | more)
    assert refused.status_code == status, refused.text
    assert [e["pointer"] for e in refused.json().get("errors", [])] == ([pointer] if pointer else [])


async def test_who_reads_and_who_answers(town: Town, office: httpx.AsyncClient) -> None:
    order = await write(office, town, codes=town.units[:1])
    assert (await answer(office, order, "acknowledge", unit_code=town.units[0])).status_code == 403
    assert (await answer(await town.village(1), order, "acknowledge")).status_code == 404
    forged = await answer(await town.village(1), order, "acknowledge", unit_code=town.units[0])
    assert forged.status_code == 404
    two = await town.login("village", town.units[:2])
    assert (await answer(two, order, "acknowledge")).json()["errors"][0]["pointer"] == "/unit_code"
    assert (await answer(two, order, "acknowledge", unit_code=town.units[0])).status_code == 201
    path = f"/v1/orders/{order['id']}"
    assert (await (await town.clinic()).get(path)).status_code == 200
    gate = UUID(int=7)
    guard = await town.login("checkpoint", [town.units[1]], checkpoint_ids=[gate])
    assert (await guard.get(path)).status_code == 404
    assert (await guard.post(f"{path}/acknowledge", json={})).status_code == 403


async def test_a_phone_is_told_of_orders_and_answers_them(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    order, village = await write(office, town), await town.village()
    pulled = (await village.get("/v1/sync/pull")).json()
    (told,) = [c for c in pulled["changes"] if c["kind"] == "order"]
    assert (told["data"]["order_id"], told["data"]["title"], told["rev"]) == (order["id"], "排查外来车辆", 1)
    clock.fixed = NOW + 5 * MINUTE
    sent = [
        op("order.acknowledge", {}, clock.fixed, target=order["id"]),
        op("order.complete", {"text": "完成"}, clock.fixed, target=order["id"]),
    ]
    results = await push(village, clock.fixed, *sent)
    assert [(r["status"], r["entity"]["kind"], r["entity"]["id"]) for r in results] == [
        ("applied", "order", told["id"])
    ] * 2
    assert [r["status"] for r in await push(village, clock.fixed, *sent)] == ["duplicate"] * 2
    part = mine((await office.get(f"/v1/orders/{order['id']}")).json(), town.units[0])
    assert (part["state"], part["minutes"], len(part["answers"])) == ("completed", 5, 2)
