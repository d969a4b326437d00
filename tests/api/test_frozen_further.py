"""Frozen days and the township's further systems: causes are named, and what no report shows restates none."""

import json
from datetime import date, timedelta
from typing import Any

import httpx

from tests.conftest import TestClock
from tests.counting import assert_recounted
from tests.duty import a_patrol
from tests.freezing import DAY, END, end_of_day, freeze, office_since_morning, recomputed, report
from tests.outcomes import a_tip, an_incident
from tests.publicity import a_closure, a_publicity_log, a_round, a_venue, an_inspection, make_material
from tests.supplies import a_fund, a_move, granted, made, stocked
from tests.town import Town

LATE = END - timedelta(hours=2)
office = office_since_morning


async def touch(town: Town, clock: TestClock) -> None:
    """Let something of the day before come late: every day since is compared again."""
    body = a_patrol(town.units[0], END - timedelta(days=1, hours=2))
    await made(await town.village(), "/v1/patrols", body)
    await freeze(town)


async def revisions(town: Town) -> int:
    """Return how far the day has come."""
    return int(
        await town.owner.fetchval("SELECT max(revision) FROM report_days WHERE township_code = $1", town.code)
    )


async def test_what_counts_in_the_townships_own_row_restates_no_day(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    item = await stocked(office, clock.now(), {})
    await made(office, "/v1/supply-moves", a_move(item, "receive", 5, clock.now()))
    await made(office, "/v1/tips", a_tip(None))
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    for _ in range(3):
        await touch(town, clock)
        clock.fixed += timedelta(hours=2)
        assert await revisions(town) == 2
    own = "SELECT supply_moves FROM daily_counters WHERE township_code = $1 AND unit_code = $1 * 1000"
    assert await town.owner.fetchval(own, town.code) == 1
    await assert_recounted(town)


async def test_each_further_record_that_came_late_is_named(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village, unit, now = await town.village(), town.units[0], clock.now()
    item, material = await stocked(office, now, {unit: 9}), await make_material(office)
    await granted(office, now, {unit: "9"})
    shop = (await made(office, "/v1/venues", a_venue(unit)))["id"]
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    late: dict[str, tuple[str, dict[str, Any]]] = {
        "patrol": ("/v1/patrols", a_patrol(unit, LATE)),
        "publicity": ("/v1/publicity-logs", a_publicity_log(unit, material, LATE)),
        "inspection": ("/v1/inspections", an_inspection(shop, LATE, "open")),
        "supply_move": ("/v1/supply-moves", a_move(item, "confirm", 2, LATE, unit)),
        "fund": ("/v1/funds", a_fund(unit, "spend", "1.50", LATE)),
        "tip": ("/v1/tips", a_tip(unit, at=LATE.isoformat())),
        "incident": ("/v1/incidents", an_incident(unit, LATE)),
    }
    ids = {kind: (await made(village, *sent))["id"] for kind, sent in late.items()}
    await freeze(town)
    changes = (await report(town, 3))["changes"]
    told = {c["metric"]: [(record["kind"], record["id"]) for record in c["records"]] for c in changes}
    counts = {c["metric"]: (c["before"], c["after"]) for c in changes}
    assert {metric: named[0][0] for metric, named in told.items()} == {
        "patrols": "patrol",
        "leaflets": "publicity",
        "inspections": "inspection",
        "venues_found_open": "inspection",
        "supply_moves": "supply_move",
        "supplies_confirmed": "supply_move",
        "fund_records": "fund",
        "tips": "tip",
        "incidents": "incident",
        "machines_destroyed": "incident",
    }
    assert all(named == [(kind, ids[kind])] for named in told.values() for kind, _ in named)
    assert counts["supply_moves"] == (1, 2)
    assert counts["leaflets"] == (0, 100)


async def test_what_an_older_program_did_not_count_did_not_change(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    await made(village, "/v1/tips", a_tip(town.units[0]))
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    rows = await town.owner.fetch(
        "SELECT unit_code, revision, numbers FROM frozen_reports WHERE township_code = $1", town.code
    )
    for row in rows:
        older = {name: n for name, n in json.loads(row["numbers"]).items() if name != "tips"}
        await town.owner.execute(
            "UPDATE frozen_reports SET numbers = $4 WHERE township_code = $1 AND unit_code = $2 AND revision = $3",
            town.code,
            row["unit_code"],
            row["revision"],
            json.dumps(older, sort_keys=True, separators=(",", ":")),
        )
    await touch(town, clock)
    assert await revisions(town) == 2
    clock.fixed += timedelta(hours=2)
    await made(village, "/v1/patrols", a_patrol(town.units[0], LATE))
    await freeze(town)
    said = await report(town, 3)
    assert [(c["metric"], c["before"], c["after"]) for c in said["changes"]] == [("patrols", 0, 1)]
    assert said["totals"]["tips"] == 1


async def test_a_round_that_is_called_off_late_is_named_and_the_day_stays_as_it_was_frozen(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    day, (one, two, three) = date.fromisoformat(DAY), town.units
    kept, off = [
        (await made(office, "/v1/market-rounds", a_round(day, *stops)))["id"]
        for stops in ([one], [one, two, one])
    ]
    await made(office, "/v1/market-rounds", a_round(day + timedelta(days=1), three))
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    for revision, cancelled in ((3, True), (4, False)):
        await office.patch(f"/v1/market-rounds/{off}", json={"cancelled": cancelled})
        await freeze(town)
        said = await report(town, revision)
        changes = {c["unit_code"]: (c["metric"], c["before"], c["after"]) for c in said["changes"]}
        first, second = (("market_stops", *(n[::-1] if not cancelled else n)) for n in ((3, 1), (1, 0)))
        assert changes == {one: first, two: second}
        assert {r["id"] for c in said["changes"] for r in c["records"]} == {off}
        clock.fixed += timedelta(hours=2)
    assert (await report(town, 2))["totals"]["market_stops"] == 4
    for revision in (1, 2, 3, 4):
        assert all(stored == again for stored, again in (await recomputed(town, revision)).values())
    assert kept not in str(said["changes"])
    await assert_recounted(town)


async def test_a_closure_that_came_late_restates_the_days_since_its_first(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    unit, body = town.units[0], a_closure(DAY, market_code=town.units[0])
    await made(office, "/v1/closures", a_closure(DAY, road="G212"))
    await end_of_day(town, clock)
    clock.fixed = END + timedelta(hours=2)
    shut = (await made(office, "/v1/closures", body))["id"]
    await freeze(town)
    (change,) = (await report(town, 3))["changes"]
    assert (change["unit_code"], change["metric"], change["before"], change["after"]) == (
        unit,
        "closures",
        0,
        1,
    )
    assert [(record["kind"], record["id"]) for record in change["records"]] == [("closure", shut)]
    clock.fixed += timedelta(hours=2)
    await office.patch(f"/v1/closures/{shut}", json={"ends_on": DAY})
    await freeze(town)
    assert await revisions(town) == 3, "lifted from the next day on, it was shut on this one"
    for revision in (1, 2, 3):
        assert all(stored == again for stored, again in (await recomputed(town, revision)).values())
    await assert_recounted(town)
