"""Visits: for which slot they count, what they raise, who may make them, and how late they may come."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access import in_townships_name
from app.schemas.visits import VisitBody
from app.services.visits import record_visits
from tests.conftest import TestClock
from tests.scene import assert_counters_true, counted, open_order, register, tick, visit, visit_body
from tests.town import Town

NOW = datetime(2020, 2, 3, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai


@pytest.fixture
async def order(town: Town, clock: TestClock) -> dict[str, Any]:
    """An order of the first unit, opened at NOW, from the day before to 15 February."""
    clock.fixed = NOW
    person_id, _ = await register(town)
    return await open_order(await town.village(), person_id, "2020-02-02")


async def test_a_visit_is_stored_and_shown(town: Town, order: dict[str, Any]) -> None:
    village = await town.village()
    body = visit_body(
        order["id"],
        "2020-02-03T09:12:00+08:00",
        purchases=[{"item": "大米10斤", "amount_yuan": 32.5}, {"item": "感冒药"}],
        needs=["买盐"],
        symptoms=["咳嗽"],
        note="精神尚可",
        photo_ids=["ab" * 32],
    )
    answer = await village.post("/v1/visits", json=body)
    assert answer.status_code == 201
    made = answer.json()
    assert made == {
        "id": made["id"],
        "order_id": order["id"],
        "unit_code": town.units[0],
        "kind": "service",
        "occurred_at": "2020-02-03T01:12:00Z",
        "claimed_at": None,
        "time_quality": None,
        "day": "2020-02-03",
        "slot": "am",
        "temperature_c": None,
        "symptoms": ["咳嗽"],
        "at_home": True,
        "purchases": [{"item": "大米10斤", "amount_yuan": 32.5}, {"item": "感冒药", "amount_yuan": None}],
        "needs": ["买盐"],
        "note": "精神尚可",
        "photo_ids": ["ab" * 32],
        "photo_pending": ["ab" * 32],
        "alerts": ["symptoms"],
        "author_id": str(village.auth.account_id),
        "recorded_at": "2020-02-03T02:00:00Z",
    }
    assert (await village.get(f"/v1/visits/{made['id']}")).json() == made


async def test_two_visits_for_one_slot_are_kept_and_counted_once(town: Town, order: dict[str, Any]) -> None:
    village = await town.village()
    first = await visit(village, order["id"], "2020-02-03T08:00:00+08:00")
    second = await visit(village, order["id"], "2020-02-03T09:00:00+08:00")
    assert await counted(town, "service_done") == {"2020-02-03": 1}
    listed = await village.get("/v1/visits", params={"order_id": order["id"], "day": "2020-02-03"})
    assert [item["id"] for item in listed.json()["items"]] == [second["id"], first["id"]]
    days = (await village.get(f"/v1/quarantine-orders/{order['id']}")).json()["days"]
    assert days[1]["slots"][0]["visit_ids"] == [first["id"], second["id"]]
    await assert_counters_true(town)


@pytest.mark.parametrize(
    ("occurred_at", "sent", "slot"),
    [
        ("2020-02-03T11:59:59.999+08:00", None, "am"),
        ("2020-02-03T12:00:00+08:00", None, "pm"),
        ("2020-02-03T12:20:00+08:00", "am", "am"),
        ("2020-02-03T23:59:59.999999+08:00", None, "pm"),
    ],
)
async def test_the_slot_of_a_visit(
    town: Town, clock: TestClock, order: dict[str, Any], occurred_at: str, sent: str | None, slot: str
) -> None:
    clock.fixed = NOW + timedelta(days=1)
    made = await visit(await town.village(), order["id"], occurred_at, slot=sent)
    assert (made["day"], made["slot"]) == ("2020-02-03", slot)
    stored = await town.owner.fetchrow(
        "SELECT visits FROM quarantine_slots WHERE order_id = $1 AND day = '2020-02-03' AND kind = 'service'"
        " AND slot = $2",
        UUID(order["id"]),
        slot,
    )
    assert stored["visits"] == 1


@pytest.mark.parametrize(
    ("kind", "temperature", "alerts", "fevers"),
    [
        ("temperature", 37.2, [], {}),
        ("temperature", 37.3, ["fever"], {"2020-02-03": 1}),
        ("service", 38.0, ["fever"], {}),  # raises an alert; the report counts temperature visits
    ],
)
async def test_fever_begins_at_the_limit(
    town: Town,
    order: dict[str, Any],
    kind: str,
    temperature: float,
    alerts: list[str],
    fevers: dict[str, int],
) -> None:
    village = await town.village()
    made = await visit(village, order["id"], NOW, kind, temperature_c=temperature)
    assert (made["temperature_c"], made["alerts"]) == (temperature, alerts)
    assert await counted(town, "fevers") == fevers
    await assert_counters_true(town)


async def test_what_a_visit_raises(town: Town, order: dict[str, Any]) -> None:
    village = await town.village()
    body = visit_body(
        order["id"], NOW, "temperature", temperature_c=39.0, symptoms=["咳嗽", "乏力"], at_home=False
    )
    made = (await village.post("/v1/visits", json=body)).json()
    assert made["alerts"] == ["fever", "symptoms", "not_at_home"]
    listed = (await village.get("/v1/alerts", params={"status": "open"})).json()["items"]
    assert {alert["kind"] for alert in listed} == {"fever", "symptoms", "not_at_home"}
    for alert in listed:
        assert alert["visit_id"] == made["id"]
        assert (alert["order_id"], alert["person_id"]) == (order["id"], order["person_id"])
        assert alert["at"] == "2020-02-03T02:00:00Z"
    assert await counted(town, "alerts_open") == {"2020-02-03": 3}
    await assert_counters_true(town)


async def test_a_repeat_is_answered_from_what_is_stored(
    town: Town, clock: TestClock, order: dict[str, Any]
) -> None:
    village = await town.village()
    body = visit_body(order["id"], NOW, "temperature", id=str(uuid4()), temperature_c=38.0)
    first = await village.post("/v1/visits", json=body)
    reason = {"reason": "转院"}
    clock.fixed = NOW + timedelta(days=40)  # long over: a repeat is still a repeat
    assert (
        await village.post(f"/v1/quarantine-orders/{order['id']}/release", json=reason)
    ).status_code == 200
    again = await village.post("/v1/visits", json=body)
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == first.json()
    other = await village.post("/v1/visits", json={**body, "temperature_c": 38.1})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    assert await counted(town, "fevers") == {"2020-02-03": 1}
    assert await counted(town, "alerts_open") == {"2020-02-03": 1}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"temperature_c": None}, "/temperature_c", "required"),
        ({"temperature_c": 37.25}, "/temperature_c", "one-decimal"),
        ({"temperature_c": 45.1}, "/temperature_c", "out-of-range"),
        ({"occurred_at": "2020-02-03T10:05:01+08:00"}, "/occurred_at", "in-the-future"),
        ({"occurred_at": "2020-02-01T23:59:59+08:00"}, "/occurred_at", "outside-order"),
        ({"occurred_at": "2020-02-03T10:00:00"}, "/occurred_at", "time-without-offset"),
        ({"at_home": 1}, "/at_home", "invalid-type"),
        ({"slot": "noon"}, "/slot", "not-allowed"),
        ({"purchases": [{"item": "米", "amount_yuan": -1}]}, "/purchases/0/amount_yuan", "out-of-range"),
        ({"photo_ids": ["x"]}, "/photo_ids/0", "invalid-format"),
    ],
)
async def test_what_is_refused(
    town: Town, order: dict[str, Any], change: dict[str, Any], pointer: str, code: str
) -> None:
    body = {**visit_body(order["id"], NOW, "temperature"), **change}
    answer = await (await town.village()).post("/v1/visits", json=body)
    assert answer.status_code == 422, answer.text
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert await town.owner.fetchval("SELECT count(*) FROM visits WHERE township_code = $1", town.code) == 0


async def test_five_minutes_ahead_are_a_phones_clock(town: Town, order: dict[str, Any]) -> None:
    made = await visit(await town.village(), order["id"], NOW + timedelta(minutes=5))
    assert made["occurred_at"] == "2020-02-03T02:05:00Z"


async def test_a_visit_for_a_slot_that_was_not_required_counts_nothing(
    town: Town, order: dict[str, Any]
) -> None:
    village = await town.village()
    made = await visit(village, order["id"], "2020-02-02T09:00:00+08:00")
    assert await counted(town, "service_done") == {}
    days = (await village.get(f"/v1/quarantine-orders/{order['id']}")).json()["days"]
    assert days[0]["slots"][0] == {
        "kind": "service",
        "slot": "am",
        "status": "done",
        "visit_ids": [made["id"]],
    }
    await assert_counters_true(town)


async def test_a_late_visit_turns_missed_into_done(
    town: Town, clock: TestClock, order: dict[str, Any]
) -> None:
    village = await town.village()
    clock.fixed = NOW + timedelta(days=1)
    await tick(town)
    assert await counted(town, "service_missed") == {"2020-02-03": 2}
    assert await counted(town, "temperature_missed") == {"2020-02-03": 2}
    assert await counted(town, "alerts_open") == {"2020-02-04": 4}
    await visit(village, order["id"], "2020-02-03T11:00:00+08:00")
    assert await counted(town, "service_missed") == {"2020-02-03": 1}
    assert await counted(town, "service_done") == {"2020-02-03": 1}
    assert await counted(town, "alerts_open") == {"2020-02-04": 3}
    [resolved] = (await village.get("/v1/alerts", params={"status": "resolved"})).json()["items"]
    assert (resolved["kind"], resolved["at"]) == ("missed_slot", "2020-02-03T04:00:00Z")
    assert resolved["resolved_by"] == str(UUID(int=0))
    assert resolved["resolved_at"] == "2020-02-04T02:00:00Z"
    await visit(village, order["id"], "2020-02-03T11:30:00+08:00")  # a second one changes nothing more
    assert await counted(town, "service_done") == {"2020-02-03": 1}
    await tick(town)
    await assert_counters_true(town)


async def test_the_clinics_late_visit_is_settled_by_the_clock(
    town: Town, clock: TestClock, order: dict[str, Any]
) -> None:
    clinic = await town.clinic()
    clock.fixed = NOW + timedelta(days=1)
    await tick(town)
    await visit(clinic, order["id"], "2020-02-03T11:00:00+08:00", "temperature")
    assert await counted(town, "temperature_missed") == {"2020-02-03": 1}
    assert await counted(town, "temperature_done") == {"2020-02-03": 1}
    assert await counted(town, "alerts_open") == {"2020-02-04": 4}  # the clinic does not see this alert
    await tick(town)
    assert await counted(town, "alerts_open") == {"2020-02-04": 3}
    await tick(town)
    assert await counted(town, "alerts_open") == {"2020-02-04": 3}
    await assert_counters_true(town)


async def test_a_visit_told_after_the_release(town: Town, clock: TestClock, order: dict[str, Any]) -> None:
    village = await town.village()
    clock.fixed = NOW + timedelta(days=1)
    path = f"/v1/quarantine-orders/{order['id']}/release"
    assert (await village.post(path, json={"reason": "核酸阴性"})).status_code == 200
    clock.fixed = NOW + timedelta(days=2)
    await tick(town)
    await visit(village, order["id"], "2020-02-03T15:00:00+08:00")
    after = visit_body(order["id"], "2020-02-04T10:00:01+08:00")
    refused = await village.post("/v1/visits", json=after)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "outside-order")
    assert await counted(town, "service_done") == {"2020-02-03": 1}
    assert await counted(town, "service_missed") == {"2020-02-03": 1}
    await assert_counters_true(town)


async def test_who_may_visit(town: Town, other_town: Town, order: dict[str, Any]) -> None:
    clinic, sibling = await town.clinic(), await town.village(1)
    township, gate = await town.township(), await town.login("checkpoint", [town.units[0]])
    service = visit_body(order["id"], NOW)
    temperature = visit_body(order["id"], NOW, "temperature")
    assert (await clinic.post("/v1/visits", json=service)).status_code == 403
    assert (await clinic.post("/v1/visits", json=temperature)).status_code == 201
    assert (await township.post("/v1/visits", json=service)).status_code == 201
    assert (await gate.post("/v1/visits", json=temperature)).status_code == 403
    assert (await sibling.post("/v1/visits", json=temperature)).status_code == 404
    assert (await (await other_town.clinic()).post("/v1/visits", json=temperature)).status_code == 404
    [made] = (await clinic.get("/v1/visits", params={"order_id": order["id"]})).json()["items"][1:]
    assert (await sibling.get(f"/v1/visits/{made['id']}")).status_code == 404
    assert (await sibling.get("/v1/visits", params={"order_id": order["id"]})).json()["items"] == []


async def test_the_clinic_finds_nobody_at_home(town: Town, order: dict[str, Any]) -> None:
    clinic, village = await town.clinic(), await town.village()
    made = await visit(clinic, order["id"], NOW, "temperature", temperature_c=37.5, at_home=False)
    assert made["alerts"] == ["fever", "not_at_home"]
    for client, kinds in ((clinic, {"fever"}), (village, {"fever", "not_at_home"})):
        listed = (await client.get("/v1/alerts")).json()["items"]
        assert {alert["kind"] for alert in listed} == kinds
    assert await counted(town, "alerts_open") == {"2020-02-03": 2}
    await assert_counters_true(town)


async def test_a_batch_stops_for_nobody(town: Town, order: dict[str, Any]) -> None:
    twice = visit_body(order["id"], NOW, id=str(uuid4()))
    sent = [
        visit_body(order["id"], NOW, "temperature", temperature_c=None),
        twice,
        visit_body(uuid4(), NOW),
        {**twice, "note": "另一份"},
        twice,
        visit_body(order["id"], NOW - timedelta(minutes=1)),
    ]
    async with in_townships_name(town.kit, town.code) as work:
        outcomes = await record_visits(work, [VisitBody.model_validate(body) for body in sent])
    ends = [(o.problem.code if o.problem else None, o.replayed) for o in outcomes]
    assert ends == [
        ("invalid", False),
        (None, False),
        ("not-found", False),
        ("id-reused", False),
        (None, True),
        (None, False),
    ]
    assert [str(o.id) for o in outcomes[1:5:3]] == [twice["id"]] * 2
    assert await counted(town, "service_done") == {"2020-02-03": 1}
    slot = await town.owner.fetchval(
        "SELECT visits FROM quarantine_slots WHERE township_code = $1 AND visits > 0", town.code
    )
    assert slot == 2
