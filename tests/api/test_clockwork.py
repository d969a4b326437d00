"""The clockwork: what happens to quarantine because time passes, and nobody calls."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.access import in_townships_name
from app.services.quarantine_clock import close_slots
from tests.conftest import TestClock
from tests.scene import assert_counters_true, counted, open_order, register, tick, visit
from tests.town import Town

NOW = datetime(2020, 2, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
MILLISECOND = timedelta(milliseconds=1)


def at(text: str) -> datetime:
    """Return a moment by Shanghai's clock."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


async def statuses(client: httpx.AsyncClient, order: dict[str, Any], day: str) -> list[str]:
    """Return the statuses of a day's slots: service am, pm, temperature am, pm."""
    days = (await client.get(f"/v1/quarantine-orders/{order['id']}")).json()["days"]
    [slots] = [d["slots"] for d in days if d["day"] == day]
    return [slot["status"] for slot in slots]


async def test_a_whole_order_day_by_day(town: Town, clock: TestClock) -> None:
    clock.fixed = at("2020-02-03T00:00:00")
    village = await town.village()
    person_id, household_id = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    done = {"service": 0, "temperature": 0}
    for number in range(14):
        day = date(2020, 2, 3) + timedelta(days=number)
        for hour, slot in ((9, "am"), (15, "pm")):
            for kind in ("service", "temperature"):
                if kind == "temperature" and slot == "pm" and number % 2:
                    continue  # every second day's evening temperature is forgotten
                clock.fixed = at(f"{day}T{hour:02}:00:00")
                await visit(village, order["id"], clock.fixed, kind)
                done[kind] += 1
            await tick(town)
    assert done == {"service": 28, "temperature": 21}
    days = [str(date(2020, 2, 3) + timedelta(days=n)) for n in range(14)]
    assert await counted(town, "service_done") == dict.fromkeys(days, 2)

    clock.fixed = at("2020-02-16T23:59:59.999")
    await tick(town)
    shown = (await village.get(f"/v1/quarantine-orders/{order['id']}")).json()
    assert (shown["status"], shown["days"][13]["slots"][3]["status"]) == ("active", "due")
    assert len(await counted(town, "temperature_missed")) == 6

    clock.fixed = at("2020-02-17T00:00:00")
    await tick(town)
    shown = (await village.get(f"/v1/quarantine-orders/{order['id']}")).json()
    assert (shown["status"], shown["released_at"]) == ("released", "2020-02-16T16:00:00Z")
    assert shown["release_reason"] is None
    assert shown["days"][13]["slots"][3]["status"] == "missed"
    assert await counted(town, "temperature_missed") == dict.fromkeys(days[1::2], 1)
    assert await counted(town, "orders_active") == {"2020-02-03": 1, "2020-02-17": -1}
    person = await town.owner.fetchrow("SELECT * FROM people WHERE id = $1", person_id)
    assert person["quarantine_order_id"] is None
    sites = "SELECT active FROM disinfection_sites WHERE household_id = $1"
    assert await town.owner.fetchval(sites, household_id) is False
    await assert_counters_true(town)


async def test_a_slot_ends_at_noon_and_at_midnight(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    for moment, missed, expected in (
        (at("2020-02-03T11:59:59.999"), {}, ["due", "upcoming"]),
        (at("2020-02-03T12:00:00"), {"2020-02-03": 1}, ["missed", "due"]),
        (at("2020-02-03T23:59:59.999"), {"2020-02-03": 1}, ["missed", "due"]),
        (at("2020-02-04T00:00:00"), {"2020-02-03": 2}, ["missed", "missed"]),
    ):
        clock.fixed = moment
        await tick(town)
        assert await counted(town, "service_missed") == missed
        assert await counted(town, "temperature_missed") == missed
        assert await statuses(village, order, "2020-02-03") == expected * 2
        await assert_counters_true(town)


@pytest.mark.parametrize(
    ("day", "noon", "midnight"),
    [
        ("2020-03-28", "2020-03-28T11:00:00", "2020-03-28T23:00:00"),
        ("2020-03-29", "2020-03-29T10:00:00", "2020-03-29T22:00:00"),  # the clocks go forward: 23 hours
        ("2020-10-25", "2020-10-25T11:00:00", "2020-10-25T23:00:00"),  # and back: 25 hours
    ],
)
async def test_days_are_cut_in_the_townships_zone(
    town: Town, clock: TestClock, day: str, noon: str, midnight: str
) -> None:
    await town.owner.execute("UPDATE townships SET timezone = 'Europe/Berlin' WHERE code = $1", town.code)
    noon_at, midnight_at = (datetime.fromisoformat(t).replace(tzinfo=UTC) for t in (noon, midnight))
    clock.fixed = noon_at - timedelta(hours=2)
    village = await town.village()
    person_id, _ = await register(town)
    await open_order(village, person_id, day)
    for moment, missed in (
        (noon_at - MILLISECOND, {}),
        (noon_at, {day: 1}),
        (midnight_at - MILLISECOND, {day: 1}),
        (midnight_at, {day: 2}),
    ):
        clock.fixed = moment
        await tick(town)
        assert await counted(town, "service_missed") == missed
    await assert_counters_true(town)


async def test_a_tick_twice_is_a_tick_once(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    await open_order(village, person_id, "2020-01-25")
    clock.fixed = at("2020-02-08T09:00:00")  # past its end
    await tick(town)
    once = await town.owner.fetch("SELECT * FROM daily_counters WHERE township_code = $1", town.code)
    alerts = await town.owner.fetch("SELECT id, rev FROM alerts WHERE township_code = $1", town.code)
    assert len(alerts) == 20
    await tick(town)
    assert await town.owner.fetch("SELECT * FROM daily_counters WHERE township_code = $1", town.code) == once
    assert await town.owner.fetch("SELECT id, rev FROM alerts WHERE township_code = $1", town.code) == alerts


async def test_ticks_in_parallel_are_one(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    for _ in range(3):
        person_id, _ = await register(town)
        await open_order(village, person_id, "2020-01-25")
    clock.fixed = at("2020-02-08T09:00:00")
    await asyncio.gather(*(tick(town) for _ in range(6)))
    assert await counted(town, "orders_active") == {"2020-02-03": 3, "2020-02-08": -3}
    assert (await counted(town, "service_missed"))["2020-02-07"] == 6
    assert await counted(town, "alerts_open") == {"2020-02-08": 60}
    await assert_counters_true(town)


async def test_downtime_is_made_up_for_the_days_on_which_things_came_due(
    town: Town, clock: TestClock
) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-01-22")  # ends on 5 February
    clock.fixed = at("2020-02-09T10:00:00")
    await tick(town)
    assert await counted(town, "orders_active") == {"2020-02-03": 1, "2020-02-05": -1}
    assert await counted(town, "service_missed") == {"2020-02-03": 2, "2020-02-04": 2}
    shown = (await village.get(f"/v1/quarantine-orders/{order['id']}")).json()
    assert shown["released_at"] == "2020-02-04T16:00:00Z"
    alerts = (await village.get("/v1/alerts", params={"kind": "missed_slot"})).json()["items"]
    assert sorted(alert["at"] for alert in alerts) == sorted(
        2 * ["2020-02-03T04:00:00Z", "2020-02-03T16:00:00Z", "2020-02-04T04:00:00Z", "2020-02-04T16:00:00Z"]
    )
    assert await counted(town, "alerts_open") == {"2020-02-09": 8}
    await assert_counters_true(town)


async def test_a_long_absence_is_made_up_in_bounded_steps(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    await open_order(village, person_id, "2020-02-03")
    clock.fixed = at("2020-02-05T00:00:00")
    for missed in (3, 6, 8, 8):
        async with in_townships_name(town.kit, town.code) as work:
            await close_slots(work, limit=3)
        stored = "SELECT count(*) FROM quarantine_slots WHERE township_code = $1 AND missed"
        assert await town.owner.fetchval(stored, town.code) == missed
    await assert_counters_true(town)


async def test_an_order_past_its_end_is_over_before_the_clock_has_come(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-01-22")
    clock.fixed = at("2020-02-06T08:00:00")
    path = f"/v1/quarantine-orders/{order['id']}"
    refused = await village.patch(path, json={"helpers": []})
    assert (refused.status_code, refused.json()["code"]) == (409, "not-active")
    released = (await village.post(f"{path}/release", json={"reason": "期满"})).json()
    assert (released["status"], released["released_at"]) == ("released", "2020-02-04T16:00:00Z")
    assert await counted(town, "orders_active") == {"2020-02-03": 1, "2020-02-05": -1}
    await tick(town)
    assert await counted(town, "service_missed") == {"2020-02-03": 2, "2020-02-04": 2}
    await assert_counters_true(town)
