"""Decisions at checkpoints over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.access import in_townships_name
from app.schemas.decisions import DecisionBody, DecisionView
from app.services.decisions import decide as decide_all
from app.services.sealing import unseal
from tests.gate import ID_NUMBER, PHONE, counters, make_checkpoint, on_staff, resident, seen
from tests.town import Town


async def decide(client: httpx.AsyncClient, checkpoint: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/v1/checkpoints/{checkpoint}/decisions", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def codes(ruling: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in ruling["reasons"]]


async def test_a_resident_passes_and_the_answer_is_the_contracts(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    await resident(town)
    ruling = await decide(
        office, gate, seen({"id_number": ID_NUMBER}, id="0190a0a0-0000-7000-8000-000000000001")
    )
    assert ruling == {
        "id": "0190a0a0-0000-7000-8000-000000000001",
        "verdict": "pass",
        "reasons": [],
        "rules_version": 1,
        "subject": {"kind": "resident", "name_masked": "张**", "unit_code": town.units[0]},
        "day": town.today().isoformat(),
    }
    assert await counters(town) == {(town.units[0], "passes"): 1}


async def test_every_way_to_identify_oneself(town: Town, other_town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    person_id = str(await resident(town))
    elsewhere = str(await resident(other_town, id_number="11010519491231002X"))
    known = (
        {"id_number": ID_NUMBER},
        {"person_id": person_id},
        {"name": "张三丰", "phone": PHONE},
        {"name": " 张三丰 ", "phone": "+86 139-0000-0001"},
        {"name": "李四", "id_number": ID_NUMBER},
    )
    for subject in known:
        assert (await decide(office, gate, seen(subject)))["subject"]["kind"] == "resident", subject
    strangers: tuple[tuple[dict[str, Any], str | None], ...] = (
        ({}, None),
        ({"name": "张三丰"}, "张**"),
        ({"phone": PHONE}, None),
        ({"name": "张三", "phone": PHONE}, "张*"),
        ({"name": "张三丰", "phone": "13900000002"}, "张**"),
        ({"person_id": str(uuid4())}, None),
        ({"person_id": elsewhere}, None),
        ({"id_number": "11010519491231002X"}, None),
        ({"id_number": "11010519491231002X", "name": "张三丰", "phone": PHONE}, "张**"),
        ({"plate": "川R12345"}, None),
    )
    for subject, shown in strangers:
        ruling = await decide(office, gate, seen(subject))
        assert codes(ruling) == ["outsider"], subject
        assert ruling["subject"] == {"kind": "outsider", "name_masked": shown, "unit_code": None}, subject


async def test_all_reasons_are_listed_in_the_contracts_order(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[1])
    await resident(town, quarantined=True)
    body = seen({"id_number": ID_NUMBER}, temperature_c=37.3, mask=False, purpose="other")
    ruling = await decide(office, gate, body)
    assert ruling["verdict"] == "deny"
    assert codes(ruling) == ["outsider", "fever", "no_mask", "purpose_not_allowed", "in_quarantine"]
    assert ruling["subject"] == {"kind": "outsider", "name_masked": "张**", "unit_code": town.units[0]}
    assert [reason["text"] for reason in ruling["reasons"]] == [
        "外来人员,禁止通行。",
        "体温异常,禁止通行。",
        "未戴口罩,禁止通行。",
        "非采购食品药品等允许事由,禁止通行。",
        "居家隔离期间,禁止外出。",
    ]
    assert await counters(town) == {
        (town.units[1], "denials"): 1,
        (town.units[1], "denied_outsider"): 1,
        (town.units[1], "denied_fever"): 1,
        (town.units[1], "denied_no_mask"): 1,
        (town.units[1], "denied_purpose_not_allowed"): 1,
        (town.units[1], "denied_in_quarantine"): 1,
        (town.units[0], "alerts_open"): 1,
    }


async def test_reasons_speak_the_language_of_the_request(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    path, body = f"/v1/checkpoints/{gate}/decisions", seen(id=str(uuid4()))
    first = await office.post(path, json=body, headers={"Accept-Language": "en"})
    assert first.json()["reasons"] == [{"code": "outsider", "text": "Not a resident here."}]
    assert (first.headers["Content-Language"], first.headers["Vary"]) == ("en", "Accept-Language")
    again = await office.post(path, json=body)
    assert again.json()["reasons"] == [{"code": "outsider", "text": "外来人员,禁止通行。"}]
    listed = await office.get(path, headers={"Accept-Language": "en"})
    assert listed.json()["items"][0]["reasons"] == first.json()["reasons"]


async def test_a_returnee_at_another_villages_gate_alerts_monitor_and_township_only(town: Town) -> None:
    office, at_home, far = await town.township(), await town.village(0), await town.village(2)
    gate_id = await make_checkpoint(office, town.units[1])
    other_id = await make_checkpoint(office, town.units[1], 2)
    gate = await town.login("checkpoint", [town.units[1]], checkpoint_ids=[gate_id])
    beside = await town.login("checkpoint", [town.units[1]], checkpoint_ids=[other_id])
    person_id = await resident(town, quarantined=True)
    ruling = await decide(gate, gate_id, seen({"name": "张三丰", "phone": PHONE}))
    assert (ruling["verdict"], codes(ruling)) == ("deny", ["outsider", "in_quarantine"])
    for client in (office, at_home):
        (alert,) = (await client.get("/v1/alerts?status=open")).json()["items"]
        assert (alert["kind"], alert["unit_code"]) == ("breach", town.units[0])
        assert (alert["person_id"], alert["checkpoint_id"]) == (str(person_id), gate_id)
        assert alert["order_id"] is not None
    (alert,) = (await gate.get("/v1/alerts?status=open")).json()["items"]
    assert (alert["kind"], alert["checkpoint_id"]) == ("breach", gate_id)
    assert alert.get("person_id") is None
    for client in (far, beside):
        assert (await client.get("/v1/alerts")).json()["items"] == []


async def test_staff_on_duty_are_exempt_from_residence_and_purpose_alone(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[1])
    await on_staff(town, await resident(town))
    subject = {"id_number": ID_NUMBER}
    duty = await decide(office, gate, seen(subject, purpose="duty"))
    assert (duty["verdict"], duty["subject"]["kind"]) == ("pass", "staff")
    shopping = await decide(office, gate, seen(subject))
    assert (codes(shopping), shopping["subject"]["kind"]) == (["outsider"], "outsider")
    ill = await decide(office, gate, seen(subject, purpose="duty", temperature_c=38, mask=False))
    assert codes(ill) == ["fever", "no_mask"]


@pytest.mark.parametrize("unfit", [{"health": "unfit"}, {"active": False}])
async def test_staff_who_are_unfit_or_left_are_nobody_on_duty(town: Town, unfit: dict[str, Any]) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[1])
    await on_staff(town, await resident(town), **unfit)
    ruling = await decide(office, gate, seen({"id_number": ID_NUMBER}, purpose="duty"))
    assert codes(ruling) == ["outsider", "purpose_not_allowed"]


async def test_an_entrance_lets_the_whole_township_in(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[1], kind="town_entrance")
    await resident(town)
    ruling = await decide(office, gate, seen({"id_number": ID_NUMBER}))
    assert (ruling["verdict"], ruling["subject"]["kind"]) == ("pass", "resident")


async def test_changed_rules_act_on_the_next_person(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    await resident(town)
    assert codes(await decide(office, gate, seen({"id_number": ID_NUMBER}, mask=False))) == ["no_mask"]
    await office.patch(f"/v1/checkpoints/{gate}/rules", json={"mask_required": False})
    ruling = await decide(office, gate, seen({"id_number": ID_NUMBER}, mask=False))
    assert (ruling["verdict"], ruling["rules_version"]) == ("pass", 2)


async def test_what_a_gate_may_not_send(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    bad: tuple[tuple[dict[str, Any], str, str], ...] = (
        (seen({"id_number": "511303198001011232"}), "/subject/id_number", "id-check-digit"),
        (seen({"id_number": "12345"}), "/subject/id_number", "id-length"),
        (seen({"id_number": "511303198002301231"}), "/subject/id_number", "id-date"),
        (seen({"person_id": str(uuid4()), "id_number": ID_NUMBER}), "/subject", "one-identity"),
        (seen({"surname": "张"}), "/subject", "unknown-field"),
        (seen(temperature_c=29.9), "/temperature_c", "out-of-range"),
        (seen(direction="up"), "/direction", "not-allowed"),
        (seen(occurred_at="2999-01-01T00:00:00+08:00"), "/occurred_at", "out-of-range"),
        (seen(occurred_at="2199-01-01T00:00:00+08:00"), "/occurred_at", "in-the-future"),
    )
    for body, pointer, code in bad:
        answer = await office.post(f"/v1/checkpoints/{gate}/decisions", json=body)
        assert answer.status_code == 422, code
        found = answer.json()["errors"]
        assert [(error["pointer"], error["code"]) for error in found] == [(pointer, code)]
    assert (
        await town.owner.fetchval("SELECT count(*) FROM decisions WHERE township_code = $1", town.code) == 0
    )
    assert await counters(town) == {}
    assert codes(await decide(office, gate, seen({"pass": "P1:XYZ"}))) == ["outsider", "pass_invalid"]


async def test_a_repeat_is_answered_as_it_was_and_other_content_refused(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    other = await make_checkpoint(office, town.units[0], 2)
    path, body = f"/v1/checkpoints/{gate}/decisions", seen({"id_number": ID_NUMBER}, id=str(uuid4()))
    first = await office.post(path, json=body)
    await resident(town)
    await office.patch(f"/v1/checkpoints/{gate}/rules", json={"mask_required": False})
    again = await office.post(path, json=body)
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (200, "true")
    assert again.content == first.content
    for path_, body_ in ((path, body | {"mask": False}), (f"/v1/checkpoints/{other}/decisions", body)):
        reused = await office.post(path_, json=body_)
        assert (reused.status_code, reused.json()["code"]) == (409, "id-reused")
    assert await counters(town) == {(town.units[0], "denials"): 1, (town.units[0], "denied_outsider"): 1}


async def test_an_id_of_a_hidden_decision_is_refused_as_used(town: Town) -> None:
    office = await town.township()
    here, there = (
        await make_checkpoint(office, town.units[0]),
        await make_checkpoint(office, town.units[1], 2),
    )
    gate = await town.login("checkpoint", [town.units[0]], checkpoint_ids=[here])
    body = seen(id=str(uuid4()))
    await decide(office, there, body)
    answer = await gate.post(f"/v1/checkpoints/{here}/decisions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "id-reused")


async def test_nobody_decides_at_anothers_gate(town: Town, other_town: Town) -> None:
    office = await town.township()
    here, beside = (
        await make_checkpoint(office, town.units[0]),
        await make_checkpoint(office, town.units[0], 2),
    )
    gate = await town.login("checkpoint", [town.units[0]], checkpoint_ids=[here])
    stranger = await other_town.township()
    answers = [
        await gate.post(f"/v1/checkpoints/{beside}/decisions", json=seen()),
        await gate.post(f"/v1/checkpoints/{uuid4()}/decisions", json=seen()),
        await stranger.post(f"/v1/checkpoints/{here}/decisions", json=seen()),
    ]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert bodies[0] == bodies[1] == bodies[2]
    village = await town.village()
    assert (await village.post(f"/v1/checkpoints/{here}/decisions", json=seen())).status_code == 403
    assert (await village.get(f"/v1/checkpoints/{here}/decisions")).status_code == 200


async def test_the_bytes_are_what_the_schema_would_write(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    await resident(town, quarantined=True)
    for subject in ({}, {"name": '王"\\<小>\u2028二'}, {"id_number": ID_NUMBER}):
        answer = await office.post(f"/v1/checkpoints/{gate}/decisions", json=seen(subject, mask=False))
        view = DecisionView.model_validate_json(answer.content)
        assert answer.content.decode() == view.model_dump_json()
        assert answer.headers["content-type"] == "application/json"


async def test_what_a_person_claims_is_kept_sealed(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    claimed = {"name": "欧阳测试", "phone": "13911112222", "id_number": ID_NUMBER, "plate": "川R12345"}
    ruling = await decide(office, gate, seen(claimed, note="从武汉回来"))
    row = await town.owner.fetchrow(
        "SELECT *, d::text AS everything FROM decisions d WHERE township_code = $1", town.code
    )
    for secret in ("欧阳测试", "13911112222", ID_NUMBER, ID_NUMBER[6:14]):
        assert secret not in row["everything"]
        assert secret.encode().hex() not in row["everything"]
    assert (row["plate"], row["note"], row["name_masked"]) == ("川R12345", "从武汉回来", "欧***")
    opened = unseal(town.kit, "decisions.claimed", row["id"], row["claimed_sealed"])  # type: ignore[arg-type]
    assert opened == '{"name": "欧阳测试", "phone": "13911112222", "id_number": "511303198001011231"}'
    assert ruling["subject"]["name_masked"] == "欧***"


async def test_lists_are_newest_first_by_day_and_verdict(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    await resident(town)
    now = town.kit.clock.now()
    times = {
        name: (now - timedelta(hours=hours)).isoformat()
        for name, hours in (("old", 48), ("mid", 24), ("new", 0))
    }
    made = {
        "mid": await decide(office, gate, seen(occurred_at=times["mid"])),
        "new": await decide(
            office, gate, seen({"id_number": ID_NUMBER, "plate": "川R1"}, occurred_at=times["new"], note="甲")
        ),
        "old": await decide(office, gate, seen(occurred_at=times["old"])),
    }
    path = f"/v1/checkpoints/{gate}/decisions"
    everything = (await office.get(path)).json()["items"]
    assert [item["id"] for item in everything] == [made[name]["id"] for name in ("new", "mid", "old")]
    newest = everything[0]
    assert {name: newest[name] for name in made["new"]} == made["new"]
    assert (newest["plate"], newest["note"], newest["checkpoint_id"]) == ("川R1", "甲", gate)
    assert (newest["temperature_c"], newest["mask"], newest["purpose"], newest["direction"]) == (
        36.5,
        True,
        "food",
        "in",
    )
    page = (await office.get(path, params={"limit": 1})).json()
    rest = (await office.get(path, params={"limit": 5, "after": page["next"]})).json()
    assert page["items"] + rest["items"] == everything
    denied = (await office.get(path, params={"verdict": "deny"})).json()["items"]
    assert denied == everything[1:]
    of_day = (await office.get(path, params={"day": made["old"]["day"]})).json()["items"]
    assert of_day == [everything[2]]


async def test_counters_equal_what_is_stored(town: Town) -> None:
    office = await town.township()
    gates = [await make_checkpoint(office, unit, number) for number, unit in enumerate(town.units, 1)]
    await resident(town)
    await resident(town, 1, id_number="11010519491231002X", phone="13900000009", quarantined=True)
    subjects: tuple[dict[str, Any], ...] = ({}, {"id_number": ID_NUMBER}, {"id_number": "11010519491231002X"})
    for gate in gates:
        for subject in subjects:
            for more in ({}, {"mask": False, "temperature_c": 37.3}, {"purpose": "duty"}):
                await decide(office, gate, seen(subject, **more))
    stored = await town.owner.fetch(
        "SELECT unit_code, verdict, reasons FROM decisions WHERE township_code = $1", town.code
    )
    expected: dict[tuple[str, str], int] = {(town.units[1], "alerts_open"): 9}
    for row in stored:
        unit = str(row["unit_code"])
        kinds = [
            "passes" if row["verdict"] == "pass" else "denials",
            *(f"denied_{r}" for r in row["reasons"]),
        ]
        for kind in kinds:
            expected[unit, kind] = expected.get((unit, kind), 0) + 1
    assert len(stored) == 27
    assert await counters(town) == expected


async def test_a_batch_keeps_its_good_items(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    await resident(town, 1, quarantined=True)
    stored = seen(id=str(uuid4()))
    first = await decide(office, gate, stored)
    same = seen({"id_number": ID_NUMBER, "name": "李四"}, id=str(uuid4()), mask=False, note="甲")
    bodies = [
        same,
        stored,
        seen({"pass": "P1:"}),
        same,
        same | {"mask": True},
        stored | {"mask": False},
        seen(occurred_at="2199-01-01T00:00:00Z"),
        seen({"person_id": str(uuid4())}, purpose="duty"),
    ]
    async with in_townships_name(town.kit, town.code) as work:
        outcomes = await decide_all(work, UUID(gate), [DecisionBody.model_validate(body) for body in bodies])
        nowhere = await decide_all(work, uuid4(), [DecisionBody.model_validate(seen()) for _ in range(2)])
        assert await decide_all(work, UUID(gate), []) == []
    assert [(o.problem.code if o.problem else "stored", o.replayed) for o in outcomes] == [
        ("stored", False),
        ("stored", True),
        ("stored", False),
        ("stored", True),
        ("id-reused", False),
        ("id-reused", False),
        ("invalid", False),
        ("stored", False),
    ]
    answers = [outcome.value.answer("zh") if outcome.value else {} for outcome in outcomes]
    assert codes(answers[0]) == ["outsider", "no_mask", "in_quarantine"]
    assert (answers[3], answers[1]) == (answers[0], first)
    assert codes(answers[7]) == ["outsider", "purpose_not_allowed"]
    assert [outcome.problem.code for outcome in nowhere if outcome.problem] == ["not-found", "not-found"]
    assert await counters(town) == {
        (town.units[0], "denials"): 4,
        (town.units[0], "denied_outsider"): 4,
        (town.units[0], "denied_no_mask"): 1,
        (town.units[0], "denied_purpose_not_allowed"): 1,
        (town.units[0], "denied_pass_invalid"): 1,
        (town.units[0], "denied_in_quarantine"): 1,
        (town.units[1], "alerts_open"): 1,
    }
