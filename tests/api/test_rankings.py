"""The ranking over HTTP: why a unit stands where it stands, and a finished day that stays as it was."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conftest import TestClock
from tests.freezing import freeze
from tests.register import check, line, register
from tests.town import Town

DAY = "2026-03-02"
NOON = datetime.fromisoformat("2026-03-02T12:00:00+08:00")


@pytest.fixture
async def day(town: Town, clock: TestClock) -> Town:
    """A day on which the first unit did its work, the second half of it, and the third nothing."""
    clock.fixed = NOON
    await town.owner.execute("UPDATE townships SET created_at = $2 WHERE code = $1", town.code, NOON)
    for unit in range(3):
        village = await town.village(unit)
        homes = [await register(village, town, unit) for _ in range(2)]
        for home in homes[: 2 - unit]:
            await check(village, home["id"], NOON.isoformat(), line(home["head"]["id"]))
        if unit < 2:
            clock.fixed = NOON + timedelta(hours=5 * unit)
            await village.post(f"/v1/units/{town.units[unit]}/daily-reports/{DAY}/submit", json={})
            clock.fixed = NOON
    return town


async def ranking(client: Any, **query: Any) -> dict[str, Any]:
    """Read the ranking of the day."""
    answer = await client.get("/v1/rankings", params={"day": DAY, **query})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def test_each_unit_learns_why(day: Town) -> None:
    said = await ranking(await day.township())
    assert (said["formula_version"], said["final"], said["ranked"]) == (1, False, 3)
    assert [(u["unit_code"], u["rank"], u["score"]) for u in said["units"]] == [
        (day.units[0], 1, 100.0),
        (day.units[1], 2, 50.0),
        (day.units[2], 3, 22.2),
    ]
    second = said["units"][1]
    assert second["not_counted"] == ["slots", "disinfection", "acknowledgement"]
    assert second["components"] == [
        {"component": "coverage", "share": 0.5, "points": 33.3, "of": 66.7, "done": 1, "due": 2},
        {"component": "report", "share": 0.5, "points": 16.7, "of": 33.3, "done": None, "due": None},
    ]


async def test_a_unit_sees_its_own_rank_among_all(day: Town) -> None:
    said = await ranking(await day.village(1))
    assert (said["ranked"], [(u["unit_code"], u["rank"]) for u in said["units"]]) == (3, [(day.units[1], 2)])
    assert (await ranking(await day.clinic()))["weights"] == {"slots": 30}
    guard = await day.login("checkpoint", [day.units[0]], checkpoint_ids=[])
    assert (await guard.get("/v1/rankings")).status_code == 403


async def test_a_finished_day_keeps_its_ranking_for_ever(day: Town, clock: TestClock) -> None:
    office = await day.township()
    live = await ranking(office)
    clock.fixed = NOON + timedelta(hours=12)
    await freeze(day)
    final = await ranking(office)
    assert final == live | {"final": True}
    village = await day.village(2)
    home = await register(village, day, 2)
    await check(village, home["id"], NOON.isoformat(), line(home["head"]["id"]))
    weights = {"ranking_weight_coverage": 0, "ranking_weight_report": 100}
    await office.patch(f"/v1/townships/{day.code}", json={"settings": weights})
    clock.fixed = NOON + timedelta(days=3)
    await freeze(day)
    assert await ranking(office) == final
    assert (await ranking(office, day="2026-03-04"))["weights"]["report"] == 100


async def test_the_formula_is_published(day: Town) -> None:
    said = (await (await day.village()).get("/v1/rankings/formula")).json()
    assert (said["version"], said["prior"], said["weights"]["slots"]) == (1, 4, 30)
    assert set(said["components"]) == set(said["weights"])
    assert "同分同名次" in said["text"]


async def test_days_to_come_and_townships_elsewhere(day: Town, other_town: Town) -> None:
    office = await day.township()
    assert (await office.get("/v1/rankings?day=2026-03-03")).status_code == 404
    assert (await office.get(f"/v1/rankings?code={other_town.code}")).status_code == 404
    one = await ranking(office, code=day.units[2])
    assert [(u["unit_code"], u["rank"]) for u in one["units"]] == [(day.units[2], 3)]
