"""Alerts: raised once a cause, seen by those whom they concern, resolved once."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from app.access import in_townships_name
from app.core.ids import uuid7
from app.domain.enums import AlertKind
from app.services.alerts import NewAlert, raise_alerts
from tests.conftest import TestClock
from tests.scene import assert_counters_true, counted, open_order, register, visit
from tests.town import Town

NOW = datetime(2020, 2, 3, 2, 0, tzinfo=UTC)


async def raised(town: Town, *alerts: NewAlert) -> None:
    async with in_townships_name(town.kit, town.code) as work:
        await raise_alerts(work, alerts)


def breach(town: Town, unit: int, gate: UUID, gate_unit: int, cause: str = "decision:1") -> NewAlert:
    return NewAlert(
        AlertKind.BREACH,
        cause,
        int(town.units[unit]),
        NOW,
        order_id=uuid7(),
        person_id=uuid7(),
        checkpoint_id=gate,
        gate_unit_code=int(town.units[gate_unit]),
        decision_id=uuid7(),
    )


async def test_one_cause_raises_one_alert(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    alert = NewAlert(AlertKind.FEVER, "visit:1:fever", int(town.units[0]), NOW)
    other = NewAlert(AlertKind.FEVER, "visit:2:fever", int(town.units[1]), NOW)
    await raised(town, alert, alert)
    await raised(town, alert, other)
    assert await counted(town, "alerts_open", 0) == {"2020-02-03": 1}
    assert await counted(town, "alerts_open", 1) == {"2020-02-03": 1}
    await assert_counters_true(town)


async def test_resolving(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    person_id, _ = await register(town)
    order = await open_order(village, person_id, "2020-02-03")
    made = await visit(village, order["id"], NOW, "temperature", temperature_c=38.5)
    [alert] = (await village.get("/v1/alerts", params={"status": "open", "kind": "fever"})).json()["items"]
    assert alert == {
        "id": alert["id"],
        "kind": "fever",
        "unit_code": town.units[0],
        "order_id": order["id"],
        "person_id": str(person_id),
        "visit_id": made["id"],
        "checkpoint_id": None,
        "decision_id": None,
        "status": "open",
        "at": "2020-02-03T02:00:00Z",
        "opened_at": "2020-02-03T02:00:00Z",
        "resolved_at": None,
        "resolved_by": None,
        "note": None,
        "rev": 1,
    }
    path = f"/v1/alerts/{alert['id']}/resolve"
    clock.fixed = datetime(2020, 2, 4, 2, 0, tzinfo=UTC)
    done = await village.post(path, json={"note": "已送发热门诊"})
    assert done.status_code == 200
    assert done.json() == {
        **alert,
        "status": "resolved",
        "resolved_at": "2020-02-04T02:00:00Z",
        "resolved_by": str(village.auth.account_id),
        "note": "已送发热门诊",
        "rev": 2,
    }
    again = await village.post(path, json={"note": "已送发热门诊"})
    assert (again.status_code, again.json()) == (200, done.json())
    late = await village.post(path, json={"note": "别的"})
    assert (late.status_code, late.json()["code"]) == (409, "already-resolved")
    assert await counted(town, "alerts_open") == {"2020-02-03": 1, "2020-02-04": -1}
    assert (await village.get("/v1/alerts", params={"status": "open"})).json()["items"] == []
    await assert_counters_true(town)


async def test_who_sees_which_alert(town: Town, other_town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    gate, other_gate = uuid7(), uuid7()
    at_gate = await town.login("checkpoint", [town.units[1]], checkpoint_ids=[gate])
    village, sibling, clinic = await town.village(), await town.village(1), await town.clinic()
    kinds = (AlertKind.FEVER, AlertKind.SYMPTOMS, AlertKind.NOT_AT_HOME, AlertKind.MISSED_SLOT)
    unit = int(town.units[0])
    await raised(town, *(NewAlert(kind, f"test:{kind}", unit, NOW) for kind in kinds))
    mine = breach(town, 0, gate, 1)
    await raised(town, mine, breach(town, 0, other_gate, 1, "decision:2"))

    def seen(answer: object) -> list[str]:
        return sorted(alert["kind"] for alert in answer.json()["items"])  # type: ignore[attr-defined]

    assert seen(await village.get("/v1/alerts")) == sorted([*kinds, "breach", "breach"])
    assert seen(await clinic.get("/v1/alerts")) == ["fever", "symptoms"]
    assert seen(await sibling.get("/v1/alerts")) == []  # the person is not theirs, though the gate is
    assert seen(await (await other_town.township()).get("/v1/alerts")) == []
    [at_my_gate] = (await at_gate.get("/v1/alerts")).json()["items"]
    assert at_my_gate["checkpoint_id"] == str(gate)
    assert at_my_gate["decision_id"] == str(mine.decision_id)
    assert (at_my_gate["person_id"], at_my_gate["order_id"], at_my_gate["visit_id"]) == (None, None, None)
    assert (await at_gate.post(f"/v1/alerts/{at_my_gate['id']}/resolve", json={})).status_code == 403


async def test_what_is_not_seen_cannot_be_resolved(town: Town, other_town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    clinic, sibling = await town.clinic(), await town.village(1)
    await raised(town, NewAlert(AlertKind.NOT_AT_HOME, "test:absent", int(town.units[0]), NOW))
    alert_id = await town.owner.fetchval("SELECT id FROM alerts WHERE township_code = $1", town.code)
    nothing = (await clinic.post(f"/v1/alerts/{uuid4()}/resolve", json={})).json()
    for client in (clinic, sibling, await other_town.township()):
        answer = await client.post(f"/v1/alerts/{alert_id}/resolve", json={"note": "x"})
        assert answer.status_code == 404
        assert {**answer.json(), "request_id": ""} == {**nothing, "request_id": ""}
    assert await counted(town, "alerts_open") == {"2020-02-03": 1}


async def test_pages_and_filters(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    township = await town.township()
    for unit, number in ((0, 1), (1, 2), (0, 3)):
        await raised(town, NewAlert(AlertKind.FEVER, f"visit:{number}:fever", int(town.units[unit]), NOW))
    first = (await township.get("/v1/alerts", params={"limit": 2})).json()
    rest = (await township.get("/v1/alerts", params={"limit": 2, "after": first["next"]})).json()
    units = [alert["unit_code"] for alert in first["items"] + rest["items"]]
    assert units == [town.units[0], town.units[1], town.units[0]]
    assert len({alert["id"] for alert in first["items"] + rest["items"]}) == 3
    assert rest["next"] is None
    of_unit = (await township.get("/v1/alerts", params={"unit_code": town.units[1]})).json()
    assert [alert["unit_code"] for alert in of_unit["items"]] == [town.units[1]]
    assert (await township.get("/v1/alerts", params={"kind": "breach"})).json()["items"] == []
    assert (await township.get("/v1/alerts", params={"kind": "nonsense"})).status_code == 422
