"""Real parallel requests about one person's quarantine."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx

from app.access import in_townships_name
from app.services.moves import move_household
from tests.conftest import TestClock
from tests.scene import assert_counters_true, counted, open_order, register, tick, visit_body
from tests.town import Town

NOW = datetime(2020, 2, 3, 2, 0, tzinfo=UTC)


async def test_the_same_visit_twenty_times_is_one_visit(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    body = visit_body(order["id"], NOW, "temperature", id=str(uuid4()), temperature_c=38.0)
    answers = await asyncio.gather(*(village.post("/v1/visits", json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert await town.owner.fetchval("SELECT count(*) FROM visits WHERE township_code = $1", town.code) == 1
    slots = await town.owner.fetch(
        "SELECT visits FROM quarantine_slots WHERE township_code = $1 AND visits > 0", town.code
    )
    assert [slot["visits"] for slot in slots] == [1]
    assert await counted(town, "temperature_done") == {"2020-02-03": 1}
    assert await counted(town, "fevers") == {"2020-02-03": 1}
    assert await counted(town, "alerts_open") == {"2020-02-03": 1}
    await assert_counters_true(town)


async def test_twenty_visits_for_one_slot_are_counted_once(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village, clinic = await town.village(), await town.clinic()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    body = visit_body(order["id"], NOW, "temperature")
    answers = await asyncio.gather(
        *((village, clinic)[n % 2].post("/v1/visits", json=body) for n in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert await counted(town, "temperature_done") == {"2020-02-03": 1}
    slot = await town.owner.fetchval(
        "SELECT visits FROM quarantine_slots WHERE township_code = $1 AND visits > 0", town.code
    )
    assert slot == 20
    await assert_counters_true(town)


async def test_late_visits_and_the_clock_together(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village, clinic = await town.village(), await town.clinic()
    orders = []
    for _ in range(4):
        person_id, _ = await register(town)
        orders.append(await open_order(village, person_id, "2020-02-03"))
    clock.fixed = NOW + timedelta(days=1)
    calls = [
        client.post("/v1/visits", json=visit_body(order["id"], NOW, "temperature"))
        for order in orders
        for client in (village, clinic)
    ]
    answers = await asyncio.gather(*calls, *(tick(town) for _ in range(4)))
    assert {a.status_code for a in answers if isinstance(a, httpx.Response)} == {201}
    await tick(town)
    assert await counted(town, "temperature_done") == {"2020-02-03": 4}
    assert await counted(town, "temperature_missed") == {"2020-02-03": 4}
    assert await counted(town, "service_missed") == {"2020-02-03": 8}
    opened = "SELECT count(*) FROM alerts WHERE township_code = $1 AND status = 'open'"
    assert await town.owner.fetchval(opened, town.code) == 12
    await assert_counters_true(town)


async def test_the_same_order_twenty_times_is_one_order(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    body = {
        "id": str(uuid4()),
        "person_id": str(person_id),
        "reason": "contact",
        "starts_on": "2020-02-03",
    }
    answers = await asyncio.gather(*(village.post("/v1/quarantine-orders", json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert await counted(town, "orders_active") == {"2020-02-03": 1}
    assert await counted(town, "sites_due") == {"2020-02-03": 1}
    await assert_counters_true(town)


async def test_of_many_orders_for_one_person_one_is_opened(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    body = {"person_id": str(person_id), "reason": "contact", "starts_on": "2020-02-03"}
    answers = await asyncio.gather(*(village.post("/v1/quarantine-orders", json=body) for _ in range(12)))
    codes = sorted(answer.json().get("code", "opened") for answer in answers)
    assert codes == ["already-quarantined"] * 11 + ["opened"]
    assert await counted(town, "orders_active") == {"2020-02-03": 1}
    await assert_counters_true(town)


async def test_visits_while_the_order_is_released(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    path = f"/v1/quarantine-orders/{order['id']}/release"
    calls = [village.post("/v1/visits", json=visit_body(order["id"], NOW)) for _ in range(6)]
    releases = [village.post(path, json={"reason": "核酸阴性"}) for _ in range(6)]
    mixed = [call for pair in zip(calls, releases, strict=True) for call in pair]
    answers = await asyncio.gather(*mixed)
    assert {answer.status_code for answer in answers} == {200, 201}
    await assert_counters_true(town)
    visits = await town.owner.fetchval("SELECT count(*) FROM visits WHERE order_id = $1", UUID(order["id"]))
    assert visits == 6


async def test_an_alert_is_resolved_once(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    await village.post("/v1/visits", json=visit_body(order["id"], NOW, at_home=False))
    alert_id = await town.owner.fetchval("SELECT id FROM alerts WHERE township_code = $1", town.code)
    answers = await asyncio.gather(
        *(village.post(f"/v1/alerts/{alert_id}/resolve", json={"note": f"{n % 2}"}) for n in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 5
    assert await counted(town, "alerts_open") == {}
    await assert_counters_true(town)


async def test_moves_visits_releases_and_the_clock_together(town: Town, clock: TestClock) -> None:
    """Nobody waits for anybody in a circle, and every counter is right afterwards."""
    clock.fixed = NOW
    township, clinic = await town.township(), await town.clinic()
    orders = []
    for _ in range(6):
        person_id, _ = await register(town)
        orders.append(await open_order(township, person_id, "2020-02-01"))
    for turn, hours in enumerate((30, 31, 54)):
        clock.fixed = NOW + timedelta(hours=hours)
        calls = []
        for number, order in enumerate(orders):
            at = clock.fixed - timedelta(hours=(4, 26)[number % 2])
            calls.append(clinic.post("/v1/visits", json=visit_body(order["id"], at, "temperature")))
            calls.append(township.post("/v1/visits", json=visit_body(order["id"], at, at_home=False)))
            calls.append(move(town, UUID(order["household_id"]), town.units[(number + hours) % 3]))
            calls.append(tick(town))
        release = f"/v1/quarantine-orders/{orders[turn]['id']}/release"
        calls.append(township.post(release, json={"reason": f"{hours}"}))
        answers = [answer for answer in await asyncio.gather(*calls) if answer is not None]
        after_release = {422}
        assert {answer.status_code for answer in answers} - after_release <= {200, 201}
        await assert_counters_true(town)
        for table in ("quarantine_slots", "visits", "alerts"):
            strayed = (
                f"SELECT count(*) FROM {table} t JOIN quarantine_orders o ON o.id = t.order_id"
                " WHERE t.township_code = $1 AND t.unit_code <> o.unit_code"
            )
            assert await town.owner.fetchval(strayed, town.code) == 0, table
    for _ in range(2):
        await tick(town)
    await assert_counters_true(town)


async def move(town: Town, household_id: UUID, to_unit: str) -> None:
    async with in_townships_name(town.kit, town.code) as work:
        await move_household(work, household_id, int(to_unit))


async def test_a_visit_waits_for_a_move_under_way(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    township = await town.township()
    person_id, household_id = await register(town)
    order = await open_order(township, person_id, "2020-02-03")
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with in_townships_name(town.kit, town.code) as work:
        await move_household(work, household_id, int(town.units[1]))
        post = asyncio.create_task(township.post("/v1/visits", json=visit_body(order["id"], NOW)))
        while not post.done() and not await town.owner.fetchval(waiting):
            pass
        assert not post.done()
    assert (await post).json()["unit_code"] == town.units[1]
    assert await counted(town, "service_done", 1) == {"2020-02-03": 1}
    await assert_counters_true(town)
