"""A household moves to another unit: what stands moves with it, what has happened stays."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access import in_townships_name
from app.core.problems import NotFound
from app.core.work import Work
from app.domain.metrics import Metric
from app.services.moves import move_household
from tests.conftest import TestClock
from tests.scene import add_person, assert_counters_true, counted, open_order, register, tick, visit
from tests.town import Town

NOW = datetime(2020, 2, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai


async def move(town: Town, household_id: UUID, to_unit: str) -> None:
    async with in_townships_name(town.kit, town.code) as work:
        await move_household(work, household_id, int(to_unit))


def registered_count(work: Work, unit: str, people: int) -> None:
    """What registering through the API counts; `register` writes the rows only."""
    work.count(int(unit), work.today, Metric.HOUSEHOLDS)
    work.count(int(unit), work.today, Metric.PEOPLE, people)


@pytest.fixture
async def moved(town: Town, clock: TestClock) -> dict[str, Any]:
    """An order of three days: half of yesterday missed, a visit this morning; then the household moves at 13:00."""
    await town.owner.execute(
        "UPDATE townships SET settings = '{\"quarantine_days\": 3}' WHERE code = $1", town.code
    )
    clock.fixed = NOW
    village = await town.village()
    person_id, household_id = await register(town)
    await add_person(town, 0, household_id, UUID(int=town.code), "李小明")
    async with in_townships_name(town.kit, town.code) as work:
        registered_count(work, town.units[0], 2)
    order = await open_order(village, person_id, "2020-02-03")
    await visit(village, order["id"], NOW, "temperature", temperature_c=38.0)
    clock.fixed = NOW + timedelta(days=1)
    await visit(village, order["id"], clock.fixed)
    await tick(town)
    clock.fixed = NOW + timedelta(days=1, hours=3)
    await move(town, household_id, town.units[1])
    return {**order, "village": village}


async def test_stocks_and_what_is_to_come_move(town: Town, moved: dict[str, Any]) -> None:
    today = "2020-02-04"
    assert await counted(town, "households", 0) == {"2020-02-03": 1, today: -1}
    assert await counted(town, "households", 1) == {today: 1}
    assert await counted(town, "people", 1) == {today: 2}
    assert await counted(town, "orders_active", 0) == {"2020-02-03": 1, today: -1}
    assert await counted(town, "orders_active", 1) == {today: 1}
    assert await counted(town, "sites_due", 0) == {"2020-02-03": 1, today: -1}
    assert await counted(town, "sites_due", 1) == {today: 1}
    # The morning of today belongs to the old unit, afternoon and tomorrow to the new one.
    assert await counted(town, "service_due", 0) == {"2020-02-03": 2, today: 1}
    assert await counted(town, "service_due", 1) == {today: 1, "2020-02-05": 2}
    assert await counted(town, "service_done", 0) == {today: 1}
    assert await counted(town, "service_missed", 0) == {"2020-02-03": 2}
    assert await counted(town, "temperature_missed", 0) == {"2020-02-03": 1, today: 1}
    assert await counted(town, "fevers", 0) == {"2020-02-03": 1}
    # one fever; missed: two services and a temperature yesterday, this morning's temperature
    assert sum((await counted(town, "alerts_open", 1)).values()) == 5
    assert sum((await counted(town, "alerts_open", 0)).values()) == 0
    await assert_counters_true(town)


async def test_the_new_unit_sees_the_whole_history_and_the_old_one_nothing(
    town: Town, moved: dict[str, Any]
) -> None:
    new, old = await town.village(1), moved["village"]
    path = f"/v1/quarantine-orders/{moved['id']}"
    assert (await old.get(path)).status_code == 404
    assert (await old.get("/v1/alerts")).json()["items"] == []
    shown = (await new.get(path)).json()
    assert (shown["unit_code"], shown["rev"]) == (town.units[1], 2)
    assert shown["person"]["name"] == "李春花"
    slots = {(d["day"], s["kind"], s["slot"]): s["status"] for d in shown["days"] for s in d["slots"]}
    assert slots["2020-02-03", "temperature", "am"] == "done"
    assert slots["2020-02-04", "service", "am"] == "done"
    assert slots["2020-02-04", "temperature", "am"] == "missed"
    assert slots["2020-02-04", "temperature", "pm"] == "due"
    assert len((await new.get("/v1/alerts", params={"status": "open"})).json()["items"]) == 5


async def test_the_new_unit_makes_good_what_the_old_one_missed(
    town: Town, clock: TestClock, moved: dict[str, Any]
) -> None:
    """A village may not write another unit's counters: the clock books it."""
    new = await town.village(1)
    await visit(new, moved["id"], "2020-02-03T09:00:00+08:00")
    await assert_counters_true(town)
    assert await counted(town, "service_missed", 0) == {"2020-02-03": 2}
    await tick(town)
    assert await counted(town, "service_missed", 0) == {"2020-02-03": 1}
    assert await counted(town, "service_done", 0) == {"2020-02-03": 1, "2020-02-04": 1}
    await assert_counters_true(town)


async def test_to_the_end_in_the_new_unit(town: Town, clock: TestClock, moved: dict[str, Any]) -> None:
    new = await town.village(1)
    await visit(new, moved["id"], clock.fixed, "temperature", temperature_c=37.5)
    assert await counted(town, "fevers", 1) == {"2020-02-04": 1}
    clock.fixed = NOW + timedelta(days=4)
    await tick(town)
    assert (await new.get(f"/v1/quarantine-orders/{moved['id']}")).json()["status"] == "released"
    assert await counted(town, "orders_active", 1) == {"2020-02-04": 1, "2020-02-06": -1}
    assert await counted(town, "temperature_missed", 1) == {"2020-02-05": 2}
    await assert_counters_true(town)


async def test_moving_to_where_it_is_changes_nothing(town: Town, moved: dict[str, Any]) -> None:
    before = await town.owner.fetch("SELECT * FROM daily_counters WHERE township_code = $1", town.code)
    await move(town, UUID(moved["household_id"]), town.units[1])
    after = await town.owner.fetch("SELECT * FROM daily_counters WHERE township_code = $1", town.code)
    assert after == before


async def test_a_unit_that_is_not_there(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    _, household_id = await register(town)
    for unit in (f"{town.code}999", "511303106243"):
        with pytest.raises(NotFound):
            await move(town, household_id, unit)
