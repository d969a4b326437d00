"""Checkpoints and their rules over HTTP."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from tests.town import Town


def checkpoint(town: Town, unit: int = 0, **more: Any) -> dict[str, Any]:
    return {"number": 1, "unit_code": town.units[unit], "name": "村口卡点", "kind": "village", **more}


async def make(client: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/v1/checkpoints", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def without_id(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    body.pop("request_id")
    return body


DEFAULTS = {
    "version": 1,
    "outsider_scope": "unit",
    "temperature_limit_c": 37.3,
    "mask_required": True,
    "allowed_purposes": ["food", "medicine", "medical_emergency"],
    "staff_exempt_from": ["outsider", "purpose_not_allowed"],
}


async def test_a_new_checkpoint_has_the_default_rules_of_its_kind(town: Town) -> None:
    office = await town.township()
    made = await make(office, checkpoint(town))
    assert made == {
        "id": made["id"],
        "number": 1,
        "unit_code": town.units[0],
        "name": "村口卡点",
        "kind": "village",
        "rules_version": 1,
    }
    assert (await office.get(f"/v1/checkpoints/{made['id']}")).json() == made
    assert (await office.get(f"/v1/checkpoints/{made['id']}/rules")).json() == DEFAULTS
    entrance = await make(office, checkpoint(town, number=2, kind="town_entrance"))
    rules = (await office.get(f"/v1/checkpoints/{entrance['id']}/rules")).json()
    assert rules == DEFAULTS | {"outsider_scope": "township"}


async def test_the_default_limit_is_the_townships(town: Town) -> None:
    office = await town.township()
    await office.patch(f"/v1/townships/{town.code}", json={"settings": {"temperature_limit_c": 37.0}})
    made = await make(office, checkpoint(town))
    rules = (await office.get(f"/v1/checkpoints/{made['id']}/rules")).json()
    assert rules["temperature_limit_c"] == 37.0


async def test_a_repeat_is_a_replay_and_a_taken_number_or_id_a_conflict(town: Town) -> None:
    office = await town.township()
    body = checkpoint(town, id=str(uuid4()))
    made = await make(office, body)
    again = await office.post("/v1/checkpoints", json=body)
    assert (again.status_code, again.json(), again.headers["Idempotent-Replay"]) == (200, made, "true")
    other = await office.post("/v1/checkpoints", json=body | {"name": "另一卡点"})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    taken = await office.post("/v1/checkpoints", json=checkpoint(town))
    assert (taken.status_code, taken.json()["code"]) == (409, "number-taken")


async def test_parallel_creations_with_one_number_make_one(town: Town) -> None:
    office = await town.township()
    answers = await asyncio.gather(*(office.post("/v1/checkpoints", json=checkpoint(town)) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len((await office.get("/v1/checkpoints")).json()["items"]) == 1


async def test_numbers_run_from_1_to_255_and_units_must_be_ones_own(town: Town, other_town: Town) -> None:
    office = await town.township()
    for number in (0, 256, "1", 1.5, True):
        answer = await office.post("/v1/checkpoints", json=checkpoint(town, number=number))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/number"
    stray = await office.post("/v1/checkpoints", json=checkpoint(other_town))
    ghost = await office.post("/v1/checkpoints", json=checkpoint(town, unit_code="511303106999"))
    assert stray.status_code == ghost.status_code == 404
    assert without_id(stray) == without_id(ghost)


async def test_renaming_keeps_the_rest(town: Town) -> None:
    office = await town.township()
    made = await make(office, checkpoint(town))
    path = f"/v1/checkpoints/{made['id']}"
    assert (await office.patch(path, json={"name": "北门"})).json() == made | {"name": "北门"}
    assert (await office.patch(path, json={})).json() == made | {"name": "北门"}
    assert (await office.patch(path, json={"name": None})).status_code == 422


async def test_lists_are_paged_by_number_and_by_unit(town: Town) -> None:
    office = await town.township()
    for number in (3, 1, 2):
        await make(office, checkpoint(town, unit=number - 1, number=number))
    first = (await office.get("/v1/checkpoints?limit=2")).json()
    assert [item["number"] for item in first["items"]] == [1, 2]
    second = (await office.get("/v1/checkpoints", params={"limit": 2, "after": first["next"]})).json()
    assert ([item["number"] for item in second["items"]], second["next"]) == ([3], None)
    of_unit = (await office.get("/v1/checkpoints", params={"unit_code": town.units[1]})).json()
    assert [item["number"] for item in of_unit["items"]] == [2]


async def test_everybody_sees_their_own_checkpoints_only(town: Town) -> None:
    office = await town.township()
    here = await make(office, checkpoint(town, number=1))
    beside = await make(office, checkpoint(town, number=2))
    away = await make(office, checkpoint(town, unit=1, number=3))
    gate = await town.login("checkpoint", [town.units[0]], checkpoint_ids=[here["id"]])
    village = await town.village()
    assert (await gate.get("/v1/checkpoints")).json()["items"] == [here]
    assert (await village.get("/v1/checkpoints")).json()["items"] == [here, beside]
    for client, hidden in ((gate, beside), (gate, away), (village, away)):
        for tail in ("", "/rules", "/decisions"):
            strange = await client.get(f"/v1/checkpoints/{hidden['id']}{tail}")
            nothing = await client.get(f"/v1/checkpoints/{uuid4()}{tail}")
            assert strange.status_code == nothing.status_code == 404
            assert without_id(strange) == without_id(nothing)
    assert (await (await town.clinic()).get("/v1/checkpoints")).status_code == 403
    assert (await village.post("/v1/checkpoints", json=checkpoint(town, number=9))).status_code == 403
    assert (await gate.patch(f"/v1/checkpoints/{here['id']}/rules", json={})).status_code == 403


async def test_a_change_of_rules_is_a_new_version_and_the_old_one_stays(town: Town) -> None:
    office = await town.township()
    made = await make(office, checkpoint(town))
    path = f"/v1/checkpoints/{made['id']}/rules"
    changed = await office.patch(
        path, json={"mask_required": False, "allowed_purposes": ["other", "food", "food"]}
    )
    second = DEFAULTS | {"version": 2, "mask_required": False, "allowed_purposes": ["food", "other"]}
    assert changed.json() == second
    assert (await office.patch(path, json={"mask_required": False})).json() == second
    assert (await office.patch(path, json={})).json() == second
    assert (await office.get(path)).json() == second
    assert (await office.get(f"/v1/checkpoints/{made['id']}")).json()["rules_version"] == 2
    versions = await town.owner.fetch(
        "SELECT version, rules->'mask_required' FROM checkpoint_rules WHERE township_code = $1 ORDER BY version",
        town.code,
    )
    assert [tuple(row) for row in versions] == [(1, "true"), (2, "false")]


async def test_no_rule_lifts_a_fever(town: Town) -> None:
    office = await town.township()
    made = await make(office, checkpoint(town))
    bad = (
        {"staff_exempt_from": ["fever"]},
        {"temperature_limit_c": None},
        {"allowed_purposes": ["party"]},
        {"version": 7},
    )
    for body in bad:
        answer = await office.patch(f"/v1/checkpoints/{made['id']}/rules", json=body)
        assert answer.status_code == 422, body
    assert (await office.get(f"/v1/checkpoints/{made['id']}/rules")).json() == DEFAULTS


async def test_parallel_changes_of_rules_make_versions_without_gap_or_loss(town: Town) -> None:
    office = await town.township()
    made = await make(office, checkpoint(town))
    path = f"/v1/checkpoints/{made['id']}/rules"
    changes: list[dict[str, Any]] = [{"temperature_limit_c": 36 + n / 10} for n in range(6)]
    changes += [{"mask_required": False}, {"outsider_scope": "township"}]
    answers = await asyncio.gather(*(office.patch(path, json=change) for change in changes))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 10))
    final = (await office.get(path)).json()
    assert (final["version"], final["mask_required"], final["outsider_scope"]) == (9, False, "township")
