"""The source's day, over the API only: a household, a returnee, a fever, a breach, a pharmacy, and the report of it."""

import asyncio
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.enums import DenyReason
from app.domain.metrics import REPORTED
from tests.house.scenario import id_number
from tests.town import Town


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """What changed between two sets of totals."""
    changed = {m: after[m] - before[m] for m in REPORTED if after[m] != before[m]}
    for reason in DenyReason:
        more = after["denials_by_reason"][reason] - before["denials_by_reason"][reason]
        if more:
            changed[f"denials_by_reason.{reason}"] = more
    return changed


async def test_the_day(town: Town) -> None:
    office, cadre, neighbour, clinic = (
        await town.township(),
        await town.village(0),
        await town.village(1),
        await town.clinic(),
    )
    # 09:00 in the township, so that morning slots run and today's numbers are the same at any hour of the machine.
    kit = town.kit
    now = kit.clock.now()
    local = now.astimezone(ZoneInfo("Asia/Shanghai"))
    nine = local.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    kit.clock.moved = nine - now  # type: ignore[attr-defined]
    at = nine.isoformat()

    gate = {"number": 1, "unit_code": town.units[1], "name": "邻村卡点", "kind": "village"}
    gate_id = (await office.post("/v1/checkpoints", json=gate)).json()["id"]
    guard = await town.login("checkpoint", [town.units[1]], checkpoint_ids=[gate_id])
    pharmacy = {"unit_code": town.units[0], "name": "药房", "kind": "pharmacy"}
    site_id = (await office.post("/v1/disinfection-sites", json=pharmacy)).json()["id"]
    before = (await office.get("/v1/reports/daily")).json()

    # A cadre registers a household and checks it: one has returned from Wuhan, one is not there.
    home = {
        "unit_code": town.units[0],
        "address": "黄溪村三组8号",
        "register_no": "0308",
        "head": {"name": "李大山", "id_number": id_number(1), "phone": "19900000001"},
        "members": [{"name": "李小海", "id_number": id_number(3, "20010203"), "relation": "子"}],
    }
    household = await cadre.post("/v1/households", json=home)
    assert household.status_code == 201
    assert household.json()["head"]["id_number"].startswith("511303********")
    head, son = household.json()["head"]["id"], household.json()["members"][0]["id"]
    line = {"id_seen": True, "exposure": "none", "whereabouts": "home"}
    returned = {**line, "exposure": "hubei_returnee", "whereabouts": "returned", "returned_from": "武汉"}
    check = await cadre.post(
        "/v1/household-checks",
        json={
            "household_id": household.json()["id"],
            "occurred_at": at,
            "register_seen": True,
            "members": [{"person_id": son, **returned}],
        },
    )
    assert check.status_code == 201, check.text
    assert check.json()["unaccounted"] == [head]
    (order,) = check.json()["quarantine_orders"]
    assert (order["person_id"], order["reason"], order["status"]) == (son, "hubei_returnee", "active")
    assert order["monitor_id"] == str(town.accounts["village"])

    # The order has slots for 14 days: today's morning runs, the rest is to come.
    days = (await cadre.get(f"/v1/quarantine-orders/{order['id']}")).json()["days"]
    assert [d["day"] for d in days] == [(nine.date() + timedelta(days=n)).isoformat() for n in range(14)]
    today = {(s["kind"], s["slot"]): s["status"] for s in days[0]["slots"]}
    assert today == {
        ("service", "am"): "due",
        ("service", "pm"): "upcoming",
        ("temperature", "am"): "due",
        ("temperature", "pm"): "upcoming",
    }

    # The morning's service visit, and the clinic's reading: 38.1, sent twenty times at once by a nervous phone.
    service = {
        "order_id": order["id"],
        "kind": "service",
        "occurred_at": at,
        "at_home": True,
        "needs": ["大米"],
    }
    assert (await cadre.post("/v1/visits", json=service)).status_code == 201
    reading = {
        "id": "01900000-0000-7000-8000-0000000381aa"[:-6] + f"{town.code % 1000000:06d}",
        "order_id": order["id"],
        "kind": "temperature",
        "occurred_at": at,
        "temperature_c": 38.1,
        "at_home": True,
    }
    answers = await asyncio.gather(*(clinic.post("/v1/visits", json=reading) for _ in range(20)))
    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert len({a.content for a in answers}) == 1
    assert sum(a.headers.get("idempotent-replay") == "true" for a in answers) == 19
    assert (answers[0].json()["alerts"], answers[0].json()["slot"]) == (["fever"], "am")
    stored = await town.owner.fetchval("SELECT count(*) FROM visits WHERE township_code = $1", town.code)
    assert stored == 2

    # The returnee shows up at the next village's gate, whose guard cannot look into his household.
    ask = {
        "occurred_at": at,
        "direction": "in",
        "subject": {"id_number": id_number(3, "20010203")},
        "temperature_c": 36.8,
        "mask": True,
        "purpose": "food",
    }
    ruling = await guard.post(f"/v1/checkpoints/{gate_id}/decisions", json=ask)
    assert ruling.status_code == 201, ruling.text
    assert ruling.json()["verdict"] == "deny"
    assert [r["code"] for r in ruling.json()["reasons"]] == ["outsider", "in_quarantine"]
    assert ruling.json()["subject"]["name_masked"] == "李**"
    assert (await guard.get(f"/v1/households/{household.json()['id']}")).status_code == 403
    alerts = (await cadre.get("/v1/alerts?status=open")).json()["items"]
    assert {a["kind"] for a in alerts} == {"fever", "breach"}
    assert {a["order_id"] for a in alerts} == {order["id"]}
    assert (await neighbour.get("/v1/alerts?status=open")).json()["items"] == []

    log = await cadre.post(
        "/v1/disinfection-logs", json={"site_id": site_id, "occurred_at": at, "litres": 2.5}
    )
    assert log.status_code == 201, log.text

    after = (await office.get("/v1/reports/daily")).json()
    assert difference(before["totals"], after["totals"]) == {
        "households": 1,
        "households_checked": 1,
        "people_returned": 1,
        "exposed_found": 1,
        "orders_active": 1,
        "service_due": 2,
        "service_done": 1,
        "temperature_due": 2,
        "temperature_done": 1,
        "fevers": 1,
        "denials": 1,
        "denials_by_reason.outsider": 1,
        "denials_by_reason.in_quarantine": 1,
        "sites_due": 1,  # the household, beside the pharmacy that was due before
        "sites_disinfected": 1,
        "alerts_open": 2,
    }
    for metric in REPORTED:
        assert after["totals"][metric] == sum(u[metric] for u in after["units"])
    per_unit = {u["unit_code"]: u for u in after["units"]}
    assert per_unit[town.units[1]]["denials"] == 1
    assert per_unit[town.units[0]]["denials"] == 0
    assert after["as_of"] > before["as_of"]
