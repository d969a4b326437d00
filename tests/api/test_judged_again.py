"""Rulings that a gate gave without signal: kept as they were given, judged again, and told where the two differ."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import TestClock
from tests.gate import counters, seen
from tests.passes import HOUR, Gates, disagreements, issue, ruled
from tests.pushing import push
from tests.scene import open_order

MINUTE = timedelta(minutes=1)
PASS, VERSION_1 = {"verdict": "pass", "rules_version": 1}, {"rules_version": 1}


async def listed(place: Gates, id_: str, gate: int = 0) -> dict[str, Any]:
    """Return a decision as it is listed."""
    items = (await place.office.get(f"/v1/checkpoints/{place.gates[gate]}/decisions")).json()["items"]
    return dict(next(item for item in items if item["id"] == id_))


async def test_where_both_agree_nothing_is_listed(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = ruled(place, now - HOUR, {"person_id": place.person}, PASS)
    denied = ruled(
        place, now - HOUR, {"person_id": place.person},
        {"verdict": "deny", "reasons": ["no_mask", "fever"], **VERSION_1}, mask=False, temperature_c=38.1,
    )  # fmt: skip
    results = await push(place.guard, now, made, denied)
    assert [result["status"] for result in results] == ["applied", "applied"]
    assert await disagreements(place) == []
    shown = await listed(place, made["op_id"])
    assert (shown["verdict"], shown["agrees"], shown["why"]) == ("pass", True, None)
    assert [reason["code"] for reason in (await listed(place, denied["op_id"]))["reasons"]] == [
        "fever",
        "no_mask",
    ]


async def test_what_the_gate_ruled_is_kept_and_counts_and_ours_stands_beside_it(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = ruled(place, now - HOUR, {"person_id": place.person}, PASS, mask=False)
    await push(place.guard, now, made)
    (found,) = await disagreements(place)
    given, judged = found["given"], found["judged"]
    assert (given["verdict"], given["reasons"]) == ("pass", [])
    assert (judged["verdict"], [reason["code"] for reason in judged["reasons"]]) == ("deny", ["no_mask"])
    assert (found["id"], found["bundle_no"], found["why"]) == (made["op_id"], 5, "other")
    shown = await listed(place, made["op_id"])
    assert (shown["verdict"], shown["agrees"], shown["why"]) == ("pass", False, "other")
    assert await counters(place.town) == {(place.town.units[0], "passes"): 1}


async def test_the_rules_of_that_time_judge(place: Gates, clock: TestClock) -> None:
    before = place.town.kit.clock.now()
    clock.moved = HOUR
    rules = f"/v1/checkpoints/{place.gates[0]}/rules"
    assert (await place.office.patch(rules, json={"mask_required": False})).json()["version"] == 2
    clock.moved = 2 * HOUR
    now = place.town.kit.clock.now()
    then = ruled(
        place,
        before + MINUTE,
        {"person_id": place.person},
        {"verdict": "deny", "reasons": ["no_mask"], **VERSION_1},
        mask=False,
    )
    later = ruled(
        place,
        now - MINUTE,
        {"person_id": place.person},
        {"verdict": "deny", "reasons": ["no_mask"], **VERSION_1},
        mask=False,
    )
    await push(place.guard, now, then, later)
    (found,) = await disagreements(place)
    assert (found["id"], found["why"]) == (later["op_id"], "stale_rules")
    assert (found["given"]["rules_version"], found["judged"]["rules_version"]) == (1, 2)


async def test_a_pass_that_was_revoked_since(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now)
    await place.cadre.post(f"/v1/passes/{made['id']}/revoke", json={})
    shown = ruled(place, now - MINUTE, {"pass": made["code"]}, PASS)
    await push(place.guard, now, shown)
    (found,) = await disagreements(place)
    assert (found["id"], found["why"]) == (shown["op_id"], "revoked_since")


async def test_a_single_pass_at_two_gates_without_signal_is_always_found(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, **{"class": "single"})
    first = ruled(place, now - 20 * MINUTE, {"pass": made["code"]}, PASS)
    second = ruled(place, now - 10 * MINUTE, {"pass": made["code"]}, PASS, gate=1)
    await push(place.guard, now, second)
    await push(place.guard, now, first)
    found = [*await disagreements(place), *await disagreements(place, 1)]
    assert [(one["id"], one["why"]) for one in found] == [(first["op_id"], "replayed")]
    assert (await listed(place, first["op_id"]))["verdict"] == "pass"
    again = await push(place.guard, now, first)
    assert again[0]["status"] == "duplicate"


async def test_a_denial_without_signal_uses_no_pass_up(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, **{"class": "single"})
    ruling = {"verdict": "deny", "reasons": ["fever"], **VERSION_1}
    await push(place.guard, now, ruled(place, now - MINUTE, {"pass": made["code"]}, ruling))
    assert (await place.show(made["code"]))["verdict"] == "pass"


async def test_a_pass_that_was_over_by_the_clock(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, valid_from=now - 9 * HOUR, valid_to=now - 3 * HOUR)
    shown = ruled(place, now - HOUR, {"pass": made["code"]}, PASS)
    await push(place.guard, now, shown)
    assert [one["why"] for one in await disagreements(place)] == ["clock"]


async def test_somebody_in_quarantine_who_was_let_through_is_an_alert(place: Gates) -> None:
    now = place.town.kit.clock.now()
    await open_order(place.cadre, place.person, place.town.today())  # type: ignore[arg-type]
    made = ruled(place, now - MINUTE, {"person_id": place.person}, PASS)
    await push(place.guard, now, made)
    (found,) = await disagreements(place)
    assert [reason["code"] for reason in found["judged"]["reasons"]] == ["in_quarantine"]
    alerts = (await place.cadre.get("/v1/alerts?kind=breach")).json()["items"]
    assert [(alert["kind"], alert["decision_id"]) for alert in alerts] == [("breach", made["op_id"])]


@pytest.mark.parametrize(
    "ruling",
    [
        {"verdict": "pass"},
        {"rules_version": 1},
        {**PASS, "reasons": ["fever"]},
        {"verdict": "deny", "rules_version": 1},
        {"reasons": ["fever"]},
    ],
)
async def test_half_a_ruling_is_refused(place: Gates, ruling: dict[str, Any]) -> None:
    now = place.town.kit.clock.now()
    (result,) = await push(place.guard, now, ruled(place, now, {"person_id": place.person}, ruling))
    assert (result["status"], [error["code"] for error in result["errors"]]) == (
        "rejected",
        ["half-a-ruling"],
    )


async def test_only_the_township_reads_disagreements(place: Gates) -> None:
    path = f"/v1/checkpoints/{place.gates[0]}/disagreements"
    assert (await place.guard.get(path)).status_code == 403
    assert (await place.cadre.get(path)).status_code == 403
    assert (await place.office.get(f"/v1/checkpoints/{uuid4()}/disagreements")).status_code == 404
    body = {**seen({"person_id": place.person}), **PASS}
    answer = await place.office.post(f"/v1/checkpoints/{place.gates[0]}/decisions", json=body)
    assert answer.status_code == 422
