"""Quarantine orders: who is under one, for how long, and what every day of it asks for."""

from datetime import UTC, datetime
from uuid import uuid4

from tests.conftest import TestClock
from tests.scene import assert_counters_true, counted, open_order, register
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
