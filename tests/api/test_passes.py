"""Passes over HTTP: issued, shown, verified, used at gates, revoked; and what each role may see of them."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.domain.passes import PassClass, holder_tag, unpack
from app.services.pass_codes import read_code
from tests.conftest import TestClock
from tests.gate import seen
from tests.passes import HOUR, Gates, issue, plain
from tests.register import household
from tests.scene import open_order


async def test_a_pass_says_what_the_contract_says(place: Gates) -> None:
    now = place.town.kit.clock.now().replace(second=0, microsecond=0)
    made = await issue(
        place.cadre,
        place.person,
        now,
        checkpoint_id=place.gates[1],
        valid_from=now,
        valid_to=now + 45 * 24 * HOUR,
    )
    assert len(made["code"]) == 125
    assert made["code"].startswith("P1:")
    read = read_code(made["code"])
    assert read is not None
    said = unpack(read[0])
    assert (said.version, said.class_, said.gate) == (1, PassClass.STANDING, 8)
    assert (said.start, said.minutes) == (int(now.timestamp()) // 60, 45 * 24 * 60)
    assert said.holder_tag == holder_tag(said.number, place.number[-6:])
    assert made["number"] == f"{said.number:016x}"
    assert (made["valid_from"], made["status"]) == (now.isoformat().replace("+00:00", "Z"), "valid")
    assert (await place.cadre.get(f"/v1/passes/{made['id']}")).json() == made


async def test_a_good_pass_identifies_its_holder(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now())
    expected = {"verdict": "pass", "reasons": [], "kind": "resident", "name_masked": "李**"}
    assert await place.show(made["code"]) == {**expected, "unit_code": place.town.units[0]}
    assert (await place.show(made["code"], 2))["reasons"] == ["outsider"]
    assert (await place.show(made["code"], mask=False, temperature_c=37.9))["reasons"] == ["fever", "no_mask"]
    steps = ["length", "key", "signature", "time", "checkpoint", "revoked", "replay", "holder"]
    assert await place.verify(made["code"]) == ("pass", [(step, None) for step in steps])


@pytest.mark.parametrize(
    ("spoil", "step", "fault"),
    [
        (lambda code: code[:-1], "length", "malformed"),
        (lambda code: code.lower(), "length", "malformed"),
        (lambda code: code + " ", "length", "malformed"),
        (lambda code: "P2:" + code[3:], "length", "malformed"),
        (lambda code: code[:3] + code[3:].translate({ord("0"): "1", ord("1"): "0"}), None, None),
        (lambda code: "", "length", "malformed"),
        (lambda code: "通行码" * 41 + "码码", "length", "malformed"),
    ],
)
async def test_a_spoiled_code_identifies_nobody(
    place: Gates, spoil: Any, step: str | None, fault: str
) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now())
    code = spoil(made["code"])
    shown = await place.show(code)
    assert (shown["reasons"], shown["name_masked"]) == (["outsider", "pass_invalid"], None)
    verdict, steps = await place.verify(code)
    assert verdict == "deny"
    assert step is None or steps[-1] == (step, fault)


async def test_time_checkpoint_holder_and_revocation(place: Gates) -> None:
    now = place.town.kit.clock.now()
    old = await issue(place.cadre, place.person, now, valid_from=now - 48 * HOUR, valid_to=now - 24 * HOUR)
    early = await issue(place.cadre, place.person, now, valid_from=now + HOUR, valid_to=now + 2 * HOUR)
    there = await issue(place.cadre, place.person, now, checkpoint_id=place.gates[1])
    mine = await issue(place.cadre, place.person, now)
    wrong = "000000" if place.number[-6:] != "000000" else "000001"
    assert (await place.show(old["code"]))["reasons"] == ["outsider", "pass_expired"]
    assert (await place.show(early["code"]))["reasons"] == ["outsider", "pass_invalid"]
    assert (await place.show(there["code"]))["reasons"] == ["outsider", "pass_invalid"]
    assert (await place.show(there["code"], 1))["verdict"] == "pass"
    assert (await place.show(mine["code"], holder_last6=place.number[-6:].lower()))["verdict"] == "pass"
    at = (now - 36 * HOUR).isoformat()
    assert (await place.verify(old["code"], at=at))[0] == "pass"
    assert ("time", "not-yet-valid") in (await place.verify(early["code"]))[1]
    assert ("checkpoint", "other-checkpoint") in (await place.verify(there["code"]))[1]
    tag = unpack(read_code(mine["code"])[0])  # type: ignore[index]
    fault = None if holder_tag(tag.number, wrong) == tag.holder_tag else "wrong-holder"
    assert ("holder", fault) in (await place.verify(mine["code"], holder_last6=wrong))[1]
    gone = await place.cadre.post(f"/v1/passes/{mine['id']}/revoke", json={"reason": "遗失"})
    assert (gone.json()["status"], gone.json()["revoke_reason"]) == ("revoked", "遗失")
    assert (await place.show(mine["code"]))["reasons"] == ["outsider", "pass_revoked"]
    assert (await place.show(old["code"], mask=False))["reasons"] == ["outsider", "no_mask", "pass_expired"]


async def test_a_clock_that_was_set_back_revives_nothing(place: Gates, clock: TestClock) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, valid_to=now + HOUR)
    clock.moved = 2 * HOUR
    body = seen({"pass": made["code"]}, occurred_at=now.isoformat())
    answer = await place.office.post(f"/v1/checkpoints/{place.gates[0]}/decisions", json=body)
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["outsider", "pass_expired"]


async def test_a_single_pass_is_used_once_and_not_by_a_denial(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now(), **{"class": "single"})
    assert (await place.show(made["code"], mask=False))["reasons"] == ["no_mask"]
    assert (await place.show(made["code"]))["verdict"] == "pass"
    assert (await place.show(made["code"], 1, direction="out"))["reasons"] == ["outsider", "pass_replayed"]
    assert ("replay", "used") in (await place.verify(made["code"]))[1]


async def test_a_daily_pass_goes_out_and_in_once_a_day(place: Gates, clock: TestClock) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, valid_to=now + 72 * HOUR, **{"class": "daily"})
    assert (await place.show(made["code"], direction="out"))["verdict"] == "pass"
    assert (await place.show(made["code"], direction="in"))["verdict"] == "pass"
    assert (await place.show(made["code"], 1, direction="out"))["reasons"] == ["outsider", "pass_replayed"]
    clock.moved = 24 * HOUR
    assert (await place.show(made["code"], direction="out"))["verdict"] == "pass"


async def test_of_many_at_once_one_uses_a_single_pass(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now(), **{"class": "single"})
    shown = await asyncio.gather(*(place.show(made["code"], n % 2) for n in range(8)))
    assert sorted(one["verdict"] for one in shown) == ["deny"] * 7 + ["pass"]
    assert {tuple(one["reasons"]) for one in shown} == {(), ("outsider", "pass_replayed")}


async def test_a_repeated_decision_uses_nothing_more(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now(), **{"class": "single"})
    body = seen({"pass": made["code"]}, id=str(uuid4()))
    path = f"/v1/checkpoints/{place.gates[0]}/decisions"
    first, again = [await place.office.post(path, json=body) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert first.json()["verdict"] == "pass"


async def test_purposes_of_a_pass_narrow_those_of_the_gate(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now(), purposes=["medicine", "other"])
    assert (await place.show(made["code"]))["reasons"] == ["purpose_not_allowed"]
    assert (await place.show(made["code"], purpose="medicine"))["verdict"] == "pass"
    assert (await place.show(made["code"], purpose="other"))["reasons"] == ["purpose_not_allowed"]


async def test_quarantine_revokes_and_forbids_passes(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now())
    await open_order(place.cadre, place.person, place.town.today())  # type: ignore[arg-type]
    shown = (await place.cadre.get(f"/v1/passes/{made['id']}")).json()
    assert (shown["status"], shown["revoke_reason"]) == ("revoked", "quarantine")
    assert (await place.show(made["code"]))["reasons"] == ["outsider", "pass_revoked"]
    now = place.town.kit.clock.now()
    body = plain({"person_id": place.person, "class": "single", "valid_from": now, "valid_to": now + HOUR})
    answer = await place.cadre.post("/v1/passes", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "in-quarantine")


@pytest.mark.parametrize(
    ("more", "pointer", "code"),
    [
        ({"valid_to": timedelta(0)}, "/valid_to", "not-after-start"),
        ({"valid_to": timedelta(days=45, minutes=1)}, "/valid_to", "pass-too-long"),
        ({"valid_from": timedelta(days=46), "valid_to": timedelta(days=47)}, "/valid_from", "out-of-range"),
        ({"class": "weekly"}, "/class", "not-allowed"),
    ],
)
async def test_refusals(place: Gates, more: dict[str, Any], pointer: str, code: str) -> None:
    now = place.town.kit.clock.now().replace(second=0, microsecond=0)
    body = {"person_id": place.person, "class": "single", "valid_from": now, "valid_to": now + HOUR}
    body |= {k: now + v if isinstance(v, timedelta) else v for k, v in more.items()}
    answer = await place.cadre.post("/v1/passes", json=plain(body))
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]


async def test_another_unit_sees_no_pass_of_this_one(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now())
    other = await place.town.village(1)
    for path in (
        f"/v1/passes/{made['id']}",
        f"/v1/passes/{made['id']}/qr.svg",
        f"/v1/passes/{made['id']}/qr.png",
    ):
        assert (await other.get(path)).status_code == 404
    assert (await other.post(f"/v1/passes/{made['id']}/revoke", json={})).status_code == 404
    assert (await other.get("/v1/passes")).json()["items"] == []
    assert (await other.get(f"/v1/units/{place.town.units[0]}/passes/sheet")).status_code == 404
    now = place.town.kit.clock.now()
    body = plain({"person_id": place.person, "class": "single", "valid_from": now, "valid_to": now + HOUR})
    assert (await other.post("/v1/passes", json=body)).status_code == 404
    assert (await other.post("/v1/passes", json=body | {"person_id": str(uuid4())})).status_code == 404


async def test_a_household_that_moves_takes_its_passes_along(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now())
    home = (await place.cadre.get(f"/v1/people/{place.person}")).json()["household_id"]
    move = {"base_rev": 1, "unit_code": place.town.units[1]}
    assert (await place.office.patch(f"/v1/households/{home}", json=move)).status_code == 200
    other = await place.town.village(1)
    assert (await other.get(f"/v1/passes/{made['id']}")).json()["unit_code"] == place.town.units[1]
    assert (await place.cadre.get(f"/v1/passes/{made['id']}")).status_code == 404
    assert (await place.show(made["code"], 2))["verdict"] == "pass"


async def test_a_pass_is_issued_once_for_an_id(place: Gates) -> None:
    now = place.town.kit.clock.now()
    body = plain(
        {
            "id": str(uuid4()),
            "person_id": place.person,
            "class": "single",
            "valid_from": now,
            "valid_to": now + HOUR,
        }
    )
    first, again = [await place.cadre.post("/v1/passes", json=body) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    other = await place.cadre.post("/v1/passes", json=body | {"class": "daily"})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")


async def test_a_stranger_has_no_pass(place: Gates) -> None:
    body = household(place.town, head={"name": "无号"})
    home = (await place.cadre.post("/v1/households", json=body)).json()
    made = await issue(place.cadre, home["head"]["id"], place.town.kit.clock.now())
    assert (await place.show(made["code"]))["verdict"] == "pass"
