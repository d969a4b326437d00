"""What a fresh reader doubted of the frozen days, kept as tests: causes that are exact, counts that go up and down."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.access import in_townships_name
from app.services.moves import move_household
from app.services.recount import compare, mend
from app.services.townships import UnitRow, put_units
from tests.conftest import TestClock
from tests.counting import assert_recounted
from tests.freezing import DAY, DUE, END, MINUTE, begin, end_of_day, freeze, office_since_morning, report
from tests.gate import make_checkpoint, seen
from tests.register import register
from tests.scene import open_order, tick, visit
from tests.town import Town

office = office_since_morning


async def causes(town: Town, revision: int = 3) -> dict[str, list[tuple[str, str]]]:
    """Return the records that a revision names for each changed metric."""
    changes = (await report(town, revision))["changes"]
    return {c["metric"]: [(record["kind"], record["id"]) for record in c["records"]] for c in changes}


async def move(town: Town, home: dict[str, Any], unit: int = 1) -> None:
    """Let a household move to another unit."""
    async with in_townships_name(town.kit, town.code) as work:
        await move_household(work, UUID(home["id"]), int(town.units[unit]))


async def test_a_late_pass_does_not_explain_a_denial(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    gate = await make_checkpoint(office, town.units[0])
    home = await register(await town.village(), town)
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    at, known, stranger = (END - timedelta(hours=2)).isoformat(), str(uuid4()), str(uuid4())
    for id_, who in ((known, {"person_id": home["head"]["id"]}), (stranger, {})):
        body = seen(who, occurred_at=at) | {"id": id_}
        assert (await office.post(f"/v1/checkpoints/{gate}/decisions", json=body)).status_code == 201
    await freeze(town)
    named = await causes(town)
    assert (named["passes"], named["denials"]) == ([("decision", known)], [("decision", stranger)])


async def test_only_the_visit_that_came_late_explains_the_slot(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    homes = [await register(village, town) for _ in range(2)]
    first, second = [await open_order(village, home["head"]["id"], DAY) for home in homes]
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    changed = await office.patch(
        f"/v1/quarantine-orders/{second['id']}", json={"monitor_id": str(town.accounts["village"])}
    )
    assert changed.status_code == 200
    late = await visit(village, first["id"], END - timedelta(hours=2))
    await visit(village, first["id"], END - timedelta(hours=2), "temperature")
    await freeze(town)
    assert (await causes(town))["service_done"] == [("visit", late["id"])]


async def test_a_late_visit_explains_also_after_the_household_moved(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    home = await register(village, town)
    order = await open_order(village, home["head"]["id"], DAY)
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=1)
    await move(town, home)
    clock.fixed = END + timedelta(hours=2)
    late = await visit(office, order["id"], END - timedelta(hours=2))
    await tick(town)
    await freeze(town)
    assert ("visit", late["id"]) in (await causes(town))["service_done"]


async def test_a_home_site_that_ceased_again_was_due_that_day(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    home = await register(village, town)
    order = await open_order(village, home["head"]["id"], DAY)
    site = (await office.get("/v1/disinfection-sites")).json()["items"][0]
    log = {"site_id": site["id"], "occurred_at": (DUE - timedelta(hours=6)).isoformat()}
    assert (await village.post("/v1/disinfection-logs", json=log)).status_code == 201
    clock.fixed = DUE - timedelta(hours=5)
    await office.post(f"/v1/quarantine-orders/{order['id']}/release", json={"reason": "hospital"})
    await end_of_day(town, clock)
    frozen, live = (await report(town, 2))["totals"], (await report(town))["totals"]
    assert [(said["sites_due"], said["sites_disinfected"]) for said in (frozen, live)] == [(1, 1)] * 2
    await assert_recounted(town)


async def test_logs_count_by_how_often_the_site_was_due_when_they_came(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    body = {"unit_code": town.units[0], "name": "农贸市场", "kind": "market", "times_per_day": 1}
    site = (await office.post("/v1/disinfection-sites", json=body)).json()
    morning = DUE + timedelta(hours=18)
    clock.fixed = morning
    await office.patch(f"/v1/disinfection-sites/{site['id']}", json={"times_per_day": 3})
    for minute in range(1, 4):
        clock.fixed = morning + minute * MINUTE
        log = {"site_id": site["id"], "occurred_at": clock.fixed.isoformat()}
        assert (await village.post("/v1/disinfection-logs", json=log)).status_code == 201
    clock.fixed = morning + 4 * MINUTE
    await office.patch(f"/v1/disinfection-sites/{site['id']}", json={"times_per_day": 1})
    await assert_recounted(town)


async def test_a_recount_does_not_hurry_a_slot_that_is_not_settled(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    home = await register(await town.village(), town)
    order = await open_order(await town.village(), home["head"]["id"], DAY)
    clock.fixed = END + MINUTE
    await tick(town)
    await move(town, home)
    await visit(await town.village(1), order["id"], END - timedelta(hours=2))
    async with in_townships_name(town.kit, town.code) as work:
        found = await compare(work)
        mend(work, found)
    assert found == []
    await tick(town)
    await assert_recounted(town)


async def test_a_unit_that_was_added_later_restates_its_days(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    added = f"{town.code}209"
    async with in_townships_name(town.kit, town.code) as work:
        await put_units(work, [UnitRow(int(added), "新村", "village")])
    gate = await make_checkpoint(office, added, 9)
    body = seen({}, occurred_at=(END - timedelta(hours=3)).isoformat())
    assert (await office.post(f"/v1/checkpoints/{gate}/decisions", json=body)).status_code == 201
    await freeze(town)
    third = await report(town, 3)
    assert [(unit["unit_code"], unit["denials"]) for unit in third["units"]][-1] == (added, 1)
    assert third["totals"]["denials"] == (await report(town))["totals"]["denials"] == 1


async def test_what_came_after_the_end_and_before_it_was_frozen_restates(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    gate = await make_checkpoint(office, town.units[0])
    clock.fixed = END + timedelta(hours=2)
    body = seen({}, occurred_at=(END - timedelta(hours=3)).isoformat())
    assert (await office.post(f"/v1/checkpoints/{gate}/decisions", json=body)).status_code == 201
    for hours in (3, 5):
        clock.fixed = END + timedelta(hours=hours)
        await freeze(town)
    assert [(await report(town, revision))["totals"]["denials"] for revision in (2, 3)] == [0, 1]


@pytest.mark.parametrize("asleep", [False, True], ids=["awake", "asleep"])
async def test_a_quarantine_that_ended_while_the_server_slept_is_not_active(
    asleep: bool, town: Town, clock: TestClock
) -> None:
    start = DUE - timedelta(days=14, hours=6)
    await begin(town, clock, start)
    village = await town.village()
    home = await register(village, town)
    await open_order(village, home["head"]["id"], "2026-02-16")
    looks = [END - timedelta(days=day) for day in range(13, 0, -1)] + ([] if asleep else [DUE, END])
    for look in [*looks, END + timedelta(hours=5)]:
        clock.fixed = look
        await tick(town)
        await freeze(town)
    assert (await report(town, 2, "2026-03-01"))["totals"]["orders_active"] == 1
    assert (await report(town, 2))["totals"]["orders_active"] == 0


async def test_a_move_across_the_hour_counts_the_household_once(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    home = await register(village, town)
    clock.fixed = DUE + timedelta(seconds=1)
    await register(village, town)
    clock.fixed = DUE - timedelta(milliseconds=50)
    await move(town, home)
    clock.fixed = DUE + timedelta(seconds=5)
    await freeze(town)
    first = await report(town, 1)
    assert first["totals"]["households"] == 1
    assert [unit["households"] for unit in first["units"]][:2] == [0, 1]
