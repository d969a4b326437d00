"""Quarantine orders: who is under one, for how long, and what every day of it asks for."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.conftest import TestClock
from tests.scene import assert_counters_true, counted, open_order, register, tick, visit
from tests.town import Town

NOW = datetime(2020, 2, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai


async def test_an_order_opens_with_its_slots_and_counts(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, household_id = await register(town)
    answer = await village.post(
        "/v1/quarantine-orders",
        json={
            "person_id": str(person_id),
            "reason": "hubei_returnee",
            "starts_on": "2020-02-03",
            "helpers": [{"name": "邻居老张", "phone": "13800000000"}, {"name": "王婶"}],
        },
    )
    assert answer.status_code == 201
    order = answer.json()
    order_id = order.pop("id")
    assert order == {
        "person_id": str(person_id),
        "person": {
            "id": str(person_id),
            "name": "李春花",
            "sex": None,
            "birth_date": None,
            "phone": "13900001111",
        },
        "household_id": str(household_id),
        "unit_code": town.units[0],
        "address": "黄溪村三组12号",
        "reason": "hubei_returnee",
        "starts_on": "2020-02-03",
        "ends_on": "2020-02-17",
        "status": "active",
        "monitor_id": str(town.accounts["village"]),
        "helpers": [{"name": "邻居老张", "phone": "13800000000"}, {"name": "王婶", "phone": None}],
        "service_per_day": 2,
        "temperature_per_day": 2,
        "check_id": None,
        "opened_at": "2020-02-03T02:00:00Z",
        "released_at": None,
        "release_reason": None,
        "rev": 1,
    }
    person = await town.owner.fetchrow("SELECT * FROM people WHERE id = $1", person_id)
    assert str(person["quarantine_order_id"]) == order_id
    assert person["ever_quarantined"]
    days = [f"2020-02-{day:02}" for day in range(3, 17)]
    assert await counted(town, "service_due") == dict.fromkeys(days, 2)
    assert await counted(town, "temperature_due") == dict.fromkeys(days, 2)
    assert await counted(town, "orders_active") == {"2020-02-03": 1}
    await assert_counters_true(town)


async def test_one_active_order_a_person(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    await open_order(village, person_id, "2020-02-03")
    body = {"person_id": str(person_id), "reason": "other", "starts_on": "2020-02-03"}
    again = await village.post("/v1/quarantine-orders", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "already-quarantined")


async def test_the_same_order_again_is_the_stored_one(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    id_ = str(uuid4())
    order = await open_order(village, person_id, "2020-02-03", id=id_)
    body = {"id": id_, "person_id": str(person_id), "reason": "contact", "starts_on": "2020-02-03"}
    again = await village.post("/v1/quarantine-orders", json=body)
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == order
    other = await village.post("/v1/quarantine-orders", json={**body, "reason": "other"})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    assert await counted(town, "orders_active") == {"2020-02-03": 1}


@pytest.mark.parametrize(
    ("starts_on", "refused"),
    [
        ("2019-12-04", "out-of-range"),  # 61 days ago
        ("2020-01-20", "quarantine-over"),  # ended this midnight
        ("2020-01-21", None),  # its last day is today
        ("2020-03-04", None),  # 30 days ahead
        ("2020-03-05", "out-of-range"),
    ],
)
async def test_when_an_order_may_start(
    town: Town, clock: TestClock, starts_on: str, refused: str | None
) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    body = {"person_id": str(person_id), "reason": "other", "starts_on": starts_on}
    answer = await village.post("/v1/quarantine-orders", json=body)
    if refused is None:
        assert answer.status_code == 201
    else:
        assert answer.status_code == 422
        assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/starts_on", refused)]
        assert await counted(town, "orders_active") == {}


async def test_who_may_be_monitor(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    colleague = await town.account("village", [town.units[0]])
    stranger = await town.account("village", [town.units[1]])
    retired = await town.account("village", [town.units[0]])
    await town.owner.execute("UPDATE staff SET active = false WHERE id = $1", retired)
    person_id, _ = await register(town)
    body = {"person_id": str(person_id), "reason": "other", "starts_on": "2020-02-03"}
    for hidden in (stranger, retired, uuid4()):
        answer = await village.post("/v1/quarantine-orders", json={**body, "monitor_id": str(hidden)})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    answer = await village.post("/v1/quarantine-orders", json={**body, "monitor_id": str(colleague)})
    assert (answer.status_code, answer.json()["monitor_id"]) == (201, str(colleague))


async def test_only_within_the_callers_scope(town: Town, other_town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village, sibling, elsewhere = await town.village(), await town.village(1), await other_town.township()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    nowhere = (await sibling.get(f"/v1/quarantine-orders/{uuid4()}")).json()
    nowhere.pop("request_id")
    for client in (sibling, elsewhere):
        body = {"person_id": str(person_id), "reason": "other", "starts_on": "2020-02-03"}
        path = f"/v1/quarantine-orders/{order['id']}"
        for answer in (
            await client.post("/v1/quarantine-orders", json=body),
            await client.get(path),
            await client.patch(path, json={"helpers": []}),
            await client.post(f"{path}/release", json={"reason": "x"}),
        ):
            problem = answer.json()
            problem.pop("request_id")
            assert (answer.status_code, problem) == (404, nowhere)
        assert (await client.get("/v1/quarantine-orders")).json() == {"items": [], "next": None}
        hidden = await client.post("/v1/quarantine-orders", json={**body, "id": order["id"]})
        assert hidden.status_code == 404


async def test_an_id_that_is_taken_out_of_sight_is_reused(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village, sibling = await town.village(), await town.village(1)
    person_id, _ = await register(town)
    other_id, _ = await register(town, 1)
    order = await open_order(village, person_id, "2020-02-03")
    body = {"id": order["id"], "person_id": str(other_id), "reason": "contact", "starts_on": "2020-02-03"}
    answer = await sibling.post("/v1/quarantine-orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "id-reused")
    assert await counted(town, "orders_active", 1) == {}
    assert not await town.owner.fetchval("SELECT ever_quarantined FROM people WHERE id = $1", other_id)


async def test_roles(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village, clinic = await town.village(), await town.clinic()
    gate = await town.login("checkpoint", [town.units[0]])
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    path = f"/v1/quarantine-orders/{order['id']}"
    seen = await clinic.get(path)
    assert (seen.status_code, seen.json()["person"]["name"]) == (200, "李春花")
    assert (await clinic.patch(path, json={})).status_code == 403
    assert (await clinic.post(f"{path}/release", json={"reason": "x"})).status_code == 403
    assert (await gate.get(path)).status_code == 403
    assert (await gate.get("/v1/quarantine-orders")).status_code == 403


async def test_the_calendar(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-02")  # yesterday
    path = f"/v1/quarantine-orders/{order['id']}"
    made = await visit(village, order["id"], "2020-02-03T09:00:00+08:00")

    async def statuses(day: str) -> dict[str, str]:
        days = {d["day"]: d["slots"] for d in (await village.get(path)).json()["days"]}
        assert len(days) == 14
        return {f"{s['kind']} {s['slot']}": s["status"] for s in days[day]}

    assert set((await statuses("2020-02-02")).values()) == {"not_required"}
    assert await statuses("2020-02-03") == {
        "service am": "done",
        "service pm": "upcoming",
        "temperature am": "due",
        "temperature pm": "upcoming",
    }
    days = (await village.get(path)).json()["days"]
    assert days[1]["slots"][0] == {
        "kind": "service",
        "slot": "am",
        "status": "done",
        "visit_ids": [made["id"]],
    }
    clock.fixed = datetime(2020, 2, 3, 4, 0, tzinfo=UTC)  # noon
    assert (await statuses("2020-02-03"))["temperature am"] == "missed"
    assert (await statuses("2020-02-03"))["temperature pm"] == "due"


async def test_lists(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    township, village = await town.township(), await town.village()
    ids = []
    for unit in (0, 0, 1):
        clock.fixed += timedelta(seconds=1)
        person_id, _ = await register(town, unit)
        author = village if unit == 0 else township
        ids.append((await open_order(author, person_id, "2020-02-03"))["id"])
    newest_first = ids[::-1]

    async def listed(client: httpx.AsyncClient, **query: str) -> list[str]:
        page = (await client.get("/v1/quarantine-orders", params=query)).json()
        return [item["id"] for item in page["items"]]

    assert await listed(township) == newest_first
    assert await listed(village) == [ids[1], ids[0]]
    assert await listed(township, unit_code=town.units[1]) == [ids[2]]
    assert await listed(village, unit_code=town.units[1]) == []
    assert await listed(township, monitor="me") == [ids[2]]
    assert await listed(township, status="released") == []
    for kind in ("service", "temperature"):
        await visit(village, ids[0], clock.fixed, kind)
    assert await listed(village, due="true") == [ids[1]]
    assert await listed(village, due="false") == [ids[0]]
    page = (await township.get("/v1/quarantine-orders", params={"limit": 2})).json()
    assert [item["id"] for item in page["items"]] == newest_first[:2]
    rest = (await township.get("/v1/quarantine-orders", params={"limit": 2, "after": page["next"]})).json()
    assert ([item["id"] for item in rest["items"]], rest["next"]) == (newest_first[2:], None)


async def test_change_of_monitor_and_helpers(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    colleague = await town.account("village", [town.units[0]])
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03", helpers=[{"name": "老张"}])
    path = f"/v1/quarantine-orders/{order['id']}"
    assert (await village.patch(path, json={})).json() == order
    changed = (await village.patch(path, json={"monitor_id": str(colleague)})).json()
    assert changed == {**order, "monitor_id": str(colleague), "rev": 2}
    changed = (await village.patch(path, json={"helpers": []})).json()
    assert changed == {**order, "monitor_id": str(colleague), "helpers": [], "rev": 3}
    assert (await village.patch(path, json={"monitor_id": None})).status_code == 422
    stranger = await town.account("village", [town.units[1]])
    assert (await village.patch(path, json={"monitor_id": str(stranger)})).status_code == 404


async def test_extension_is_the_townships(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village, township = await town.village(), await town.township()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    path = f"/v1/quarantine-orders/{order['id']}"
    assert (await village.patch(path, json={"ends_on": "2020-02-19"})).status_code == 403
    for day in ("2020-02-16", "2020-06-03"):
        refused = await township.patch(path, json={"ends_on": day})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/ends_on")
    extended = await township.patch(path, json={"ends_on": "2020-02-19"})
    assert extended.json() == {**order, "ends_on": "2020-02-19", "rev": 2}
    days = [f"2020-02-{day:02}" for day in range(3, 19)]
    assert await counted(town, "service_due") == dict.fromkeys(days, 2)
    assert [d["day"] for d in (await village.get(path)).json()["days"]] == days
    await assert_counters_true(town)
    clock.fixed = datetime(2020, 2, 17, 1, 0, tzinfo=UTC)
    await tick(town)
    assert (await village.get(path)).json()["status"] == "active"


async def test_release_takes_back_what_was_still_to_come(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-02")
    await visit(village, order["id"], clock.fixed)
    path = f"/v1/quarantine-orders/{order['id']}"
    clock.fixed = datetime(2020, 2, 4, 5, 0, tzinfo=UTC)  # the next day, 13:00
    answer = await village.post(f"{path}/release", json={"reason": "核酸阴性"})
    assert answer.status_code == 200
    released = answer.json()
    assert released == {
        **order,
        "status": "released",
        "released_at": "2020-02-04T05:00:00Z",
        "release_reason": "核酸阴性",
        "rev": 2,
    }
    # owed: 3 February whole, 4 February until noon
    assert await counted(town, "service_due") == {"2020-02-03": 2, "2020-02-04": 1}
    assert await counted(town, "temperature_due") == {"2020-02-03": 2, "2020-02-04": 1}
    assert await counted(town, "orders_active") == {"2020-02-03": 1, "2020-02-04": -1}
    person = await town.owner.fetchrow("SELECT * FROM people WHERE id = $1", person_id)
    assert (person["quarantine_order_id"], person["ever_quarantined"]) == (None, True)
    slots = {
        (d["day"], s["kind"], s["slot"]): s["status"]
        for d in (await village.get(path)).json()["days"]
        for s in d["slots"]
    }
    assert slots["2020-02-04", "service", "am"] == "missed"
    assert slots["2020-02-04", "service", "pm"] == "not_required"
    await tick(town)
    await assert_counters_true(town)

    again = await village.post(f"{path}/release", json={"reason": "核酸阴性"})
    assert (again.status_code, again.json()) == (200, released)
    for refused in (
        await village.post(f"{path}/release", json={"reason": "别的原因"}),
        await village.patch(path, json={"helpers": []}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "not-active")
    await open_order(village, person_id, "2020-02-04")  # a new exposure
    await assert_counters_true(town)


async def test_one_visit_a_day(town: Town, clock: TestClock) -> None:
    await town.owner.execute(
        "UPDATE townships SET settings = $2 WHERE code = $1",
        town.code,
        '{"service_visits_per_day": 1, "temperatures_per_day": 2, "quarantine_days": 3}',
    )
    clock.fixed = datetime(2020, 2, 3, 12, 30, tzinfo=UTC)  # 20:30
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    assert order["ends_on"] == "2020-02-06"
    days = ["2020-02-03", "2020-02-04", "2020-02-05"]
    assert await counted(town, "service_due") == dict.fromkeys(days, 1)
    assert await counted(town, "temperature_due") == {days[0]: 1, days[1]: 2, days[2]: 2}
    made = await visit(village, order["id"], "2020-02-03T20:00:00+08:00", slot="pm")
    assert (made["day"], made["slot"]) == ("2020-02-03", "am")
    assert await counted(town, "service_done") == {days[0]: 1}
    await assert_counters_true(town)


async def test_helpers_are_sealed(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    await open_order(village, person_id, "2020-02-03", helpers=[{"name": "老张", "phone": "13812345678"}])
    stored = await town.owner.fetchval(
        "SELECT o::text FROM quarantine_orders o WHERE township_code = $1", town.code
    )
    assert "13812345678" not in stored
    assert b"13812345678".hex() not in stored
