"""Days as they froze: at the hour, at the day's end, after downtime, and restated with the records that did it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import TestClock
from tests.freezing import DAY, DUE, END, MINUTE, begin, freeze, recomputed, report
from tests.gate import make_checkpoint, seen
from tests.pushing import op, push
from tests.register import check, line, register
from tests.town import Town


@pytest.fixture
async def village(town: Town, clock: TestClock) -> Any:
    """The first unit's cadre, in a township that exists since that day's morning."""
    await begin(town, clock)
    return await town.village()


async def status_of(town: Town, revision: int, day: str = DAY) -> int:
    """Ask for a revision; return the answer's status."""
    client = await town.township()
    query = {"day": day, "revision": revision}
    return (await client.get("/v1/reports/daily", params=query)).status_code


async def found(village: Any, town: Town, at: datetime) -> str:
    """Register a household and check it; return the check's id."""
    home = await register(village, town)
    made = await check(village, home["id"], at.isoformat(), line(home["head"]["id"]))
    return str(made["id"])


@pytest.mark.parametrize(("early", "status"), [(timedelta(milliseconds=100), 404), (timedelta(0), 200)])
async def test_the_hour_freezes(
    town: Town, clock: TestClock, village: Any, early: timedelta, status: int
) -> None:
    await found(village, town, clock.now())
    clock.fixed = DUE - early
    await freeze(town)
    assert await status_of(town, 1) == status


async def test_the_afternoons_report_stands_whatever_comes_after(
    town: Town, clock: TestClock, village: Any
) -> None:
    await found(village, town, clock.now())
    await village.post(f"/v1/units/{town.units[0]}/daily-reports/{DAY}/submit", json={})
    clock.fixed = DUE
    await freeze(town)
    first = await report(town, 1)
    assert (first["revision"], first["status"], first["as_of"]) == (1, "provisional", "2026-03-02T08:00:00Z")
    assert (first["totals"]["households"], first["totals"]["households_checked"]) == (1, 1)
    assert first["reports"] == {"on_time": 1, "late": 0, "missing": 2}
    assert first["positions"][f"{town.units[0]}/unit"] == 6
    clock.fixed = DUE + MINUTE
    await found(village, town, clock.now())
    await freeze(town)
    assert await report(town, 1) == first
    assert (await report(town))["totals"]["households_checked"] == 2
    assert await status_of(town, 2) == 404
    assert all(stored == again for stored, again in (await recomputed(town, 1)).values())


async def test_what_was_slept_through_is_made_up_as_of_its_time(
    town: Town, clock: TestClock, village: Any
) -> None:
    await found(village, town, clock.now())
    clock.fixed = DUE + MINUTE
    await found(village, town, clock.now())
    clock.fixed = END + timedelta(hours=5)
    await found(village, town, clock.now())
    await freeze(town)
    one, two = await report(town, 1), await report(town, 2)
    assert [r["totals"]["households_checked"] for r in (one, two)] == [1, 2]
    assert (two["status"], two["as_of"]) == ("final", "2026-03-02T16:00:00Z")
    for revision in (1, 2):
        assert all(stored == again for stored, again in (await recomputed(town, revision)).values())


async def test_late_records_restate_the_day_and_are_named(town: Town, clock: TestClock, village: Any) -> None:
    """Two phones bring the same late batch: counted once; the restatement names exactly the late records."""
    office = await town.township()
    gate = await make_checkpoint(office, town.units[1])
    early = await found(village, town, clock.now())
    home = await register(village, town)
    clock.fixed = END
    await freeze(town)
    clock.fixed = END + timedelta(hours=8)
    at = END - timedelta(hours=2)
    body = {
        "household_id": home["id"], "occurred_at": at.isoformat(), "register_seen": True,
        "members": [line(home["head"]["id"], "away", away_to="重庆")],
    }  # fmt: skip
    late = op("household.check", body, at)
    for client, device in ((village, "phone-1"), (await town.village(), "phone-2")):
        await push(client, clock.now(), late, device_id=device)
    passing = seen({}, occurred_at=at.isoformat(), mask=False, id=str(uuid4()))
    assert (await office.post(f"/v1/checkpoints/{gate}/decisions", json=passing)).status_code == 201
    await freeze(town)
    third = await report(town, 3)
    assert third["status"] == "restated"
    changes = {
        (c["unit_code"], c["metric"]): (c["before"], c["after"], [r["id"] for r in c["records"]])
        for c in third["changes"]
    }
    by_check = [late["op_id"]]
    by_gate = [passing["id"]]
    assert changes == {
        (town.units[0], "households_checked"): (1, 2, by_check),
        (town.units[0], "people_away"): (0, 1, by_check),
        (town.units[1], "denials"): (0, 1, by_gate),
        (town.units[1], "denials_by_reason.outsider"): (0, 1, by_gate),
        (town.units[1], "denials_by_reason.no_mask"): (0, 1, by_gate),
    }
    assert early not in str(changes)
    assert third["totals"]["households_checked"] == (await report(town))["totals"]["households_checked"] == 2
    for revision in (1, 2, 3):
        assert all(stored == again for stored, again in (await recomputed(town, revision)).values())


async def test_at_most_one_restatement_an_hour(town: Town, clock: TestClock, village: Any) -> None:
    clock.fixed = END
    await freeze(town)
    clock.fixed = END + timedelta(hours=1)
    await found(village, town, END - MINUTE)
    await freeze(town)
    assert await status_of(town, 3) == 200
    clock.fixed += 59 * MINUTE
    await found(village, town, END - MINUTE)
    await freeze(town)
    assert await status_of(town, 4) == 404
    clock.fixed += MINUTE
    await freeze(town)
    assert (await report(town, 4))["totals"]["households_checked"] == 2
    clock.fixed += timedelta(days=1)
    await freeze(town)
    assert await status_of(town, 5) == 404, "nothing new"


async def test_who_sees_what_of_a_frozen_day(town: Town, clock: TestClock, village: Any) -> None:
    clock.fixed = END
    await freeze(town)
    clock.fixed = END + timedelta(hours=2)
    await found(village, town, END - MINUTE)
    await freeze(town)
    office = await town.township()
    key = await office.post(
        "/v1/api-keys", json={"name": "屏", "code": str(town.code), "expires_on": "2026-12-01"}
    )
    query = {"day": DAY, "revision": 3}
    dashboard = town.client({"X-Api-Key": key.json()["key"]})
    observed = (await dashboard.get("/v1/reports/daily", params=query)).json()
    mine = (await village.get("/v1/reports/daily", params=query)).json()
    assert [unit["unit_code"] for unit in mine["units"]] == [town.units[0]]
    assert mine["positions"].keys() == {f"{town.units[0]}/unit"}
    assert all(change["records"] for change in mine["changes"])
    neighbour = (await (await town.village(1)).get("/v1/reports/daily", params=query)).json()
    assert (neighbour["changes"], neighbour["totals"]["households_checked"]) == ([], 0)
    assert [change["metric"] for change in observed["changes"]] == ["households_checked", "people_at_home"]
    assert not any("records" in change for change in observed["changes"])


@pytest.mark.parametrize(
    ("day", "end"),
    [("2028-02-29", "2028-02-29T16:00:00Z"), ("2026-12-31", "2026-12-31T16:00:00Z")],
)
async def test_days_at_the_ends_of_months_and_years(
    town: Town, clock: TestClock, village: Any, day: str, end: str
) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00:00+08:00")
    await town.owner.execute("UPDATE townships SET created_at = $2 WHERE code = $1", town.code, noon)
    clock.fixed = noon
    await found(village, town, noon)
    clock.fixed = noon + timedelta(hours=13)
    await freeze(town)
    final = await report(town, 2, day)
    assert (final["as_of"], final["totals"]["households_checked"]) == (end, 1)


async def test_a_township_in_another_zone_freezes_by_its_own_clock(
    town: Town, clock: TestClock, village: Any
) -> None:
    await town.owner.execute("UPDATE townships SET timezone = 'Europe/Lisbon' WHERE code = $1", town.code)
    clock.fixed = datetime.fromisoformat("2026-03-02T15:59:59+00:00")
    await freeze(town)
    assert await status_of(town, 1) == 404
    clock.fixed += timedelta(seconds=1)
    await freeze(town)
    assert (await report(town, 1))["as_of"] == "2026-03-02T16:00:00Z"
