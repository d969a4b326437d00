"""Coverage: how far the checks have come, by the published rule, with the households that are left."""

from uuid import UUID

import pytest

from app.access import in_townships_name
from app.domain.coverage import Coverage, HouseholdFacts
from app.domain.coverage import coverage as rule
from app.schemas.households import HouseholdBody
from app.services.coverage import WORK_LIST
from app.services.households import register_households
from tests.register import check, household, line, register
from tests.town import Town

AT, LATER = "2020-02-03T09:00:00+08:00", "2020-02-04T09:00:00+08:00"


async def by_the_rule(town: Town, unit: str) -> Coverage:
    """Apply the published rule to what is stored."""
    rows = await town.owner.fetch(
        "SELECT h.id, (SELECT array_agg(p.id) FROM people p WHERE p.household_id = h.id) AS people,"
        " (SELECT array_agg(DISTINCT l.person_id) FROM household_checks c LEFT JOIN check_lines l ON l.check_id = c.id"
        "  WHERE c.household_id = h.id HAVING count(c.id) > 0) AS named"
        " FROM households h WHERE h.township_code = $1 AND h.unit_code = $2 ORDER BY h.id",
        town.code,
        int(unit),
    )
    return rule(HouseholdFacts(row["id"], row["people"], row["named"]) for row in rows)


async def test_coverage_follows_the_published_rule(town: Town) -> None:
    office, village = await town.township(), await town.village(0)
    full = await register(village, town, members=[{"name": "子"}])
    half = await register(village, town, members=[{"name": "子"}, {"name": "女"}])
    left = await register(village, town, address="山上", register_no="H-9")
    far = await register(office, town, 1)
    people = [full["head"]["id"], full["members"][0]["id"]]
    await check(village, full["id"], AT, *map(line, people))
    await check(village, half["id"], AT, line(half["head"]["id"]))
    await check(village, half["id"], LATER, line(half["members"][0]["id"], "away"))
    await check(office, far["id"], AT, line(far["head"]["id"]))
    answer = (await office.get("/v1/coverage")).json()
    assert answer["code"] == str(town.code)
    assert [unit["unit_code"] for unit in answer["units"]] == town.units
    for unit in answer["units"]:
        told = await by_the_rule(town, unit["unit_code"])
        shown = (unit["households"], unit["checked"], unit["people"], unit["accounted_for"], unit["complete"])
        assert shown == (told.households, told.checked, told.people, told.accounted_for, told.complete)
        assert [UUID(h["id"]) for h in unit["unchecked"]] == list(told.unchecked)
    first = answer["units"][0]
    assert (first["households"], first["checked"], first["people"], first["accounted_for"]) == (3, 2, 6, 4)
    assert first["unchecked"] == [{"id": left["id"], "address": "山上", "register_no": "H-9"}]
    assert (first["unchecked_total"], first["complete"]) == (1, False)
    assert (answer["units"][1]["complete"], answer["units"][2]["complete"]) == (True, True)
    totals = {"households": 4, "checked": 3, "people": 7, "accounted_for": 5, "complete": False}
    assert answer["totals"] == totals
    for checked, ids in (("false", {left["id"]}), ("true", {full["id"], half["id"]})):
        listed = await village.get("/v1/households", params={"checked": checked})
        assert {item["id"] for item in listed.json()["items"]} == ids


async def test_a_scope_sees_its_own_units(town: Town, other_town: Town) -> None:
    office, village = await town.township(), await town.village(1)
    own = (await village.get("/v1/coverage")).json()
    assert (own["code"], [unit["unit_code"] for unit in own["units"]]) == (town.units[1], [town.units[1]])
    one = (await office.get("/v1/coverage", params={"code": town.units[2]})).json()
    assert [unit["unit_code"] for unit in one["units"]] == [town.units[2]]
    outside = (town.units[0], str(town.code), str(town.code)[:6], other_town.units[0], f"{town.code}999")
    for code in outside:
        assert (await village.get("/v1/coverage", params={"code": code})).status_code == 404, code
    nowhere = await office.get("/v1/coverage", params={"code": f"{town.code}999"})
    assert nowhere.status_code == 404
    assert (await (await town.clinic()).get("/v1/coverage")).status_code == 403


@pytest.mark.parametrize("extra", [0, 1])
async def test_the_work_list_is_bounded(town: Town, extra: int) -> None:
    bodies = [HouseholdBody.model_validate(household(town)) for _ in range(WORK_LIST + extra)]
    async with in_townships_name(town.kit, town.code) as work:
        await register_households(work, bodies)
    unit = (await (await town.village()).get("/v1/coverage")).json()["units"][0]
    assert (unit["unchecked_total"], len(unit["unchecked"])) == (WORK_LIST + extra, WORK_LIST)
