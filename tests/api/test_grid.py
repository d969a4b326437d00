"""Townships, units and rosters."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access import in_townships_name
from app.core.paging import mark
from app.domain.metrics import Metric
from app.services.township_settings import settings_of
from tests.town import Town

DEFAULTS = {
    "report_due": "16:00",
    "meeting": "18:00",
    "orders_issued": "19:00",
    "temperature_limit_c": 37.3,
    "quarantine_days": 14,
    "service_visits_per_day": 2,
    "temperatures_per_day": 2,
    "max_crossings_per_day": 4,
    "order_reminder_minutes": 15,
    "order_silence_minutes": 30,
    "ranking_weight_coverage": 30,
    "ranking_weight_slots": 30,
    "ranking_weight_disinfection": 15,
    "ranking_weight_report": 15,
    "ranking_weight_acknowledgement": 10,
    "min_rest_hours": 8,
    "leaflets_per_unit": 500,
    "slogans_per_unit": 6,
    "supply_alert_hours": 12,
}


def problem(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    body = answer.json()
    return answer.status_code, body["code"], [(e["pointer"], e["code"]) for e in body.get("errors", [])]


def nameless(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    del body["request_id"]
    return body


async def checkpoint_of(town: Town, unit: int) -> str:
    made = await (await town.township()).post(
        "/v1/checkpoints",
        json={"number": unit + 1, "unit_code": town.units[unit], "name": "村口", "kind": "village"},
    )
    assert made.status_code == 201
    return str(made.json()["id"])


async def test_every_role_reads_its_own_township(town: Town, other_town: Town) -> None:
    shown = {"code": str(town.code), "name": "试验镇", "timezone": "Asia/Shanghai", "settings": DEFAULTS}
    for client in (await town.township(), await town.village(), await town.clinic()):
        assert (await client.get("/v1/townships")).json() == {"items": [shown], "next": None}
        assert (await client.get(f"/v1/townships/{town.code}")).json() == shown
        hidden = await client.get(f"/v1/townships/{other_town.code}")
        absent = await client.get("/v1/townships/999999999")
        assert hidden.status_code == 404
        assert nameless(hidden) == nameless(absent)
        assert (await client.get("/v1/townships", params={"after": mark(town.code)})).json()["items"] == []


async def test_settings_merge_and_reach_the_services(town: Town) -> None:
    office = await town.township()
    path = f"/v1/townships/{town.code}"
    first = await office.patch(path, json={"settings": {"temperature_limit_c": 37.5, "report_due": "15:30"}})
    assert first.json()["settings"] == DEFAULTS | {"temperature_limit_c": 37.5, "report_due": "15:30"}
    second = await office.patch(path, json={"name": "东观镇", "settings": {"service_visits_per_day": 1}})
    changed = DEFAULTS | {"temperature_limit_c": 37.5, "report_due": "15:30", "service_visits_per_day": 1}
    assert second.json() == {
        "code": str(town.code),
        "name": "东观镇",
        "timezone": "Asia/Shanghai",
        "settings": changed,
    }
    assert (await office.patch(path, json={})).json() == second.json()
    assert (await office.patch(path, json=second.json() | {"code": "1"})).status_code == 422
    async with in_townships_name(town.kit, town.code) as work:
        settings = settings_of(work)
        assert (str(settings.temperature_limit_c), settings.service_visits_per_day) == ("37.5", 1)
        assert settings is settings_of(work)
    stored = await town.owner.fetchval("SELECT settings FROM townships WHERE code = $1", town.code)
    assert "meeting" not in stored


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"settings": {"report_due": "24:00"}}, "/settings/report_due", "invalid-format"),
        ({"settings": {"report_due": "9:00"}}, "/settings/report_due", "invalid-format"),
        ({"settings": {"meeting": "１８:00"}}, "/settings/meeting", "invalid-format"),
        ({"settings": {"meeting": "18:00\n"}}, "/settings/meeting", "invalid-format"),
        ({"settings": {"temperature_limit_c": 34.9}}, "/settings/temperature_limit_c", "out-of-range"),
        ({"settings": {"temperature_limit_c": 37.31}}, "/settings/temperature_limit_c", "one-decimal"),
        ({"settings": {"temperature_limit_c": "37.3"}}, "/settings/temperature_limit_c", "invalid-type"),
        ({"settings": {"quarantine_days": 0}}, "/settings/quarantine_days", "out-of-range"),
        ({"settings": {"quarantine_days": True}}, "/settings/quarantine_days", "invalid-type"),
        ({"settings": {"service_visits_per_day": 3}}, "/settings/service_visits_per_day", "out-of-range"),
        ({"settings": {"temperatures_per_day": 0}}, "/settings/temperatures_per_day", "out-of-range"),
        ({"settings": {"min_rest_hours": 25}}, "/settings/min_rest_hours", "out-of-range"),
        ({"settings": {"min_rest_hours": None}}, "/settings/min_rest_hours", "invalid-type"),
        ({"settings": {"supply_alert_hours": 73}}, "/settings/supply_alert_hours", "out-of-range"),
        ({"settings": {"lunch": "12:00"}}, "/settings", "unknown-field"),
        ({"settings": None}, "/settings", "invalid-type"),
        ({"name": None}, "/name", "invalid-type"),
        ({"name": " "}, "/name", "blank"),
        ({"timezone": "Asia/Urumqi"}, "/timezone", "timezone-fixed"),
        ({"timezone": "Mars/Olympus"}, "/timezone", "timezone-fixed"),
    ],
)
async def test_settings_refuse(town: Town, body: dict[str, Any], pointer: str, code: str) -> None:
    office = await town.township()
    answer = await office.patch(f"/v1/townships/{town.code}", json=body)
    assert problem(answer) == (422, "invalid", [(pointer, code)])
    assert (await office.get(f"/v1/townships/{town.code}")).json()["settings"] == DEFAULTS


async def test_only_the_township_changes_its_settings(town: Town, other_town: Town) -> None:
    body = {"settings": {"quarantine_days": 7}}
    village = await town.village()
    assert (await village.patch(f"/v1/townships/{town.code}", json=body)).status_code == 403
    assert (await village.patch("/v1/townships/999999999", json=body)).status_code == 403
    stranger = await other_town.township()
    assert (await stranger.patch(f"/v1/townships/{town.code}", json=body)).status_code == 404
    assert (
        await town.owner.fetchval("SELECT settings::text FROM townships WHERE code = $1", town.code) == "{}"
    )


async def test_units_show_the_registered_stocks(town: Town) -> None:
    async with in_townships_name(town.kit, town.code) as work:
        unit = int(town.units[1])
        work.count(unit, work.today - timedelta(days=40), Metric.HOUSEHOLDS, 5)
        work.count(unit, work.today - timedelta(days=40), Metric.PEOPLE, 17)
        work.count(unit, work.today, Metric.HOUSEHOLDS, -1)
        work.count(unit, work.today, Metric.PEOPLE, -3)
        work.count(unit, work.today, Metric.PEOPLE_AT_HOME, 9)
    counts = {town.units[0]: (0, 0), town.units[1]: (4, 14), town.units[2]: (0, 0)}
    shown = [
        {
            "unit_code": code,
            "name": f"试验村{code[-3:]}",
            "kind": "village",
            "households": households,
            "people": people,
        }
        for code, (households, people) in counts.items()
    ]
    gate = await town.login("checkpoint", [town.units[1]])
    for client, own in (
        (await town.township(), shown),
        (await town.village(1), [shown[1]]),
        (gate, [shown[1]]),
    ):
        assert (await client.get("/v1/units")).json() == {"items": own, "next": None}
        assert (await client.get(f"/v1/units/{town.units[1]}")).json() == shown[1]


async def test_units_in_pages(town: Town) -> None:
    office = await town.township()
    seen, after = [], None
    while True:
        page = (
            await office.get("/v1/units", params={"limit": 2} | ({"after": after} if after else {}))
        ).json()
        seen.append([unit["unit_code"] for unit in page["items"]])
        after = page["next"]
        if after is None:
            break
    assert seen == [town.units[:2], town.units[2:]]


@pytest.mark.parametrize("after", ["x", "W10", mark(10**30), mark("a"), mark(1, 2)])
async def test_a_forged_mark_is_refused(town: Town, after: str) -> None:
    answer = await (await town.township()).get("/v1/units", params={"after": after})
    assert problem(answer) == (422, "invalid", [("/after", "bad-mark")])


@pytest.mark.parametrize("path", ["", "/roster"])
async def test_what_is_not_there_and_what_is_hidden_look_the_same(
    town: Town, other_town: Town, path: str
) -> None:
    village = await town.village()
    sibling, foreign, absent = [
        await village.get(f"/v1/units/{code}{path}")
        for code in (town.units[1], other_town.units[0], f"{town.code}999")
    ]
    assert sibling.status_code == foreign.status_code == absent.status_code == 404
    assert nameless(sibling) == nameless(foreign) == nameless(absent)
    assert (await village.get(f"/v1/units/{town.units[0]}{path}")).status_code == 200


async def staff(town: Town, unit: str, **more: Any) -> str:
    office = await town.township()
    body = {
        "username": f"s{next(_numbers)}-{unit}",
        "name": "李四",
        "role": "village",
        "codes": [unit],
        **more,
    }
    made = await office.post("/v1/staff", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


_numbers = iter(range(10**6))


async def test_roster_and_its_shortfalls(town: Town) -> None:
    unit = town.units[0]
    leader = await staff(town, unit, position="leader", codes=[unit, town.units[1]], phone="13900000001")
    unfit = await staff(town, unit, position="town_cadre", health="unfit")
    cadres = [await staff(town, unit, position="village_cadre", team="household") for _ in range(4)]
    gone = await staff(town, unit, position="village_cadre", team="emergency", active=False)
    gate = await staff(
        town,
        unit,
        role="checkpoint",
        codes=[],
        checkpoint_ids=[await checkpoint_of(town, 0)],
        team="checkpoint",
    )
    helper = await staff(town, unit)
    elsewhere = await staff(town, town.units[2], position="leader")
    roster = (await (await town.township()).get(f"/v1/units/{unit}/roster")).json()
    assert (roster["unit_code"], roster["name"]) == (unit, f"试验村{unit[-3:]}")
    ids = {name: [m["id"] for m in members] for name, members in roster["teams"].items()}
    assert ids == {"household": cadres, "checkpoint": [gate], "emergency": []}
    ids = {name: [m["id"] for m in members] for name, members in roster["positions"].items()}
    assert ids == {"leader": [leader], "town_cadre": [unfit], "village_cadre": cadres}
    assert [m["id"] for m in roster["others"]] == [helper]
    assert roster["positions"]["leader"][0] == {
        "id": leader,
        "name": "李四",
        "team": None,
        "position": "leader",
        "phone": "13900000001",
        "health": "fit",
    }
    assert roster["shortfalls"] == [
        {"code": "town_cadre", "required": 1, "actual": 0},
        {"code": "village_cadres", "required": 5, "actual": 4},
        {"code": "team_emergency", "required": 1, "actual": 0},
    ]
    assert gone not in str(roster)
    assert elsewhere not in str(roster)


async def test_a_leader_of_two_units_stands_in_both_rosters(town: Town) -> None:
    leader = await staff(town, town.units[0], position="leader", codes=town.units[:2])
    for unit in (0, 1):
        roster = (await (await town.village(unit)).get(f"/v1/units/{town.units[unit]}/roster")).json()
        assert [m["id"] for m in roster["positions"]["leader"]] == [leader]


async def test_phones_and_health_of_staff_are_for_the_office_and_the_cadres(town: Town) -> None:
    unit = town.units[0]
    await staff(town, unit, position="town_cadre", phone="13900000002", health="unfit")
    gate = await town.login("checkpoint", [unit])
    for client, phone, health in (
        (await town.village(), "13900000002", "unfit"),
        (gate, None, None),
        (await town.clinic(), None, None),
    ):
        (member,) = (await client.get(f"/v1/units/{unit}/roster")).json()["positions"]["town_cadre"]
        assert (member["phone"], member["health"]) == (phone, health)


async def test_an_observers_key_reads_no_grid(town: Town) -> None:
    key = await (await town.township()).post(
        "/v1/api-keys", json={"name": "大屏", "code": str(town.code), "expires_on": await tomorrow(town)}
    )
    dashboard = town.client({"X-Api-Key": key.json()["key"]})
    for path in (
        "/v1/townships",
        "/v1/units",
        f"/v1/units/{town.units[0]}",
        f"/v1/units/{town.units[0]}/roster",
    ):
        assert (await dashboard.get(path)).status_code == 403


async def tomorrow(town: Town) -> str:
    async with in_townships_name(town.kit, town.code) as work:
        return (work.today + timedelta(days=1)).isoformat()
