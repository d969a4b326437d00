"""Staff: who works where, with which login; changes act on the next request."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.ids import uuid7
from tests.devices import problem
from tests.staffing import body_of, checkpoint_of, nameless, person_of
from tests.town import Town


async def test_a_new_staff_member(town: Town) -> None:
    office = await town.township()
    person = await person_of(town)
    sent = body_of(
        town,
        id=str(uuid7()),
        codes=[town.units[1], town.units[0], town.units[1]],
        team="household",
        position="leader",
        person_id=str(person),
    )
    made = await office.post("/v1/staff", json=sent)
    assert made.status_code == 201
    assert made.json() == sent | {
        "unit_code": town.units[1],
        "codes": [town.units[1], town.units[0]],
        "checkpoint_ids": [],
        "health": "fit",
        "active": True,
        "rev": 1,
    }
    assert (await office.get(f"/v1/staff/{sent['id']}")).json() == made.json()
    account = await town.owner.fetchrow("SELECT * FROM accounts WHERE id = $1", UUID(sent["id"]))
    assert account is not None
    assert account["codes"] == [int(town.units[1]), int(town.units[0])]
    assert (account["township_code"], account["role"], account["active"]) == (town.code, "village", True)
    assert account["password_hash"] is None
    row = await town.owner.fetchrow("SELECT * FROM staff WHERE id = $1", UUID(sent["id"]))
    assert row is not None
    assert row["author_id"] == town.accounts["township"]
    assert b"0003" not in row["phone_sealed"]


async def test_what_is_left_out_has_defaults(town: Town) -> None:
    made = await (await town.township()).post(
        "/v1/staff", json={"username": f"min-{town.code}", "name": "王", "role": "clinic"}
    )
    shown = made.json()
    assert {k: shown[k] for k in shown if k not in ("id", "username", "name")} == {
        "unit_code": f"{town.code}000",
        "phone": None,
        "role": "clinic",
        "codes": [str(town.code)],
        "checkpoint_ids": [],
        "team": None,
        "position": None,
        "health": "fit",
        "active": True,
        "person_id": None,
        "rev": 1,
    }


async def test_the_scope_follows_from_the_role(town: Town) -> None:
    office = await town.township()
    gates = [await checkpoint_of(town, 1), await checkpoint_of(town, 2)]
    for role, more, codes, unit in (
        ("township", {"codes": []}, [str(town.code)], f"{town.code}000"),
        ("township", {"codes": [str(town.code)]}, [str(town.code)], f"{town.code}000"),
        ("checkpoint", {"codes": [], "checkpoint_ids": gates}, town.units[1:], town.units[1]),
        (
            "checkpoint",
            {"codes": town.units[1:2], "checkpoint_ids": gates[:1]},
            town.units[1:2],
            town.units[1],
        ),
    ):
        made = await office.post("/v1/staff", json=body_of(town, role=role, **more))
        assert (made.status_code, made.json()["codes"], made.json()["unit_code"]) == (201, codes, unit)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"role": "observer"}, "/role", "not-allowed"),
        ({"codes": []}, "/codes", "units-required"),
        ({"codes": ["{town}"]}, "/codes", "codes-not-of-role"),
        ({"role": "township", "codes": ["{unit}"]}, "/codes", "codes-not-of-role"),
        ({"role": "clinic", "codes": ["{unit}"]}, "/codes", "codes-not-of-role"),
        ({"role": "checkpoint", "codes": []}, "/checkpoint_ids", "checkpoints-required"),
        ({"role": "checkpoint", "checkpoint_ids": ["{gate}"]}, "/codes", "codes-not-of-role"),
        ({"checkpoint_ids": ["{gate}"]}, "/checkpoint_ids", "checkpoints-not-of-role"),
        ({"codes": ["51130310624x"]}, "/codes/0", "invalid-format"),
        ({"codes": ["５11303106243"]}, "/codes/0", "invalid-format"),
        ({"username": "two words"}, "/username", "username-format"),
        ({"username": ""}, "/username", "username-format"),
        ({"username": "x" * 65}, "/username", "too-long"),
        ({"username": "x\n"}, "/username", "username-format"),
        ({"phone": "手机"}, "/phone", "invalid-format"),
        ({"team": "kitchen"}, "/team", "not-allowed"),
        ({"health": "ill"}, "/health", "not-allowed"),
        ({"active": 1}, "/active", "invalid-type"),
        ({"salary": 1}, "", "unknown-field"),
    ],
)
async def test_a_body_that_breaks_a_rule(town: Town, change: dict[str, Any], pointer: str, code: str) -> None:
    gate = await checkpoint_of(town, 1)
    names = {"{town}": str(town.code), "{unit}": town.units[0], "{gate}": gate}
    filled = {
        name: [names.get(v, v) for v in value] if isinstance(value, list) else value
        for name, value in change.items()
    }
    office = await town.township()
    answer = await office.post("/v1/staff", json=body_of(town) | filled)
    assert problem(answer) == (422, "invalid", [(pointer, code)])
    assert (
        await town.owner.fetchval(
            "SELECT count(*) FROM staff WHERE township_code = $1 AND name = '李四'", town.code
        )
        == 0
    )


async def test_nothing_beyond_the_own_township(town: Town, other_town: Town) -> None:
    office = await town.township()
    gate, person = await checkpoint_of(other_town, 0), str(await person_of(other_town))
    absent = nameless(await office.get(f"/v1/staff/{uuid7()}"))
    for change in (
        {"codes": [other_town.units[0]]},
        {"codes": [f"{town.code}999"]},
        {"codes": [town.units[0], "51"]},
        {"role": "township", "codes": [str(other_town.code)]},
        {"role": "township", "codes": [str(town.code)[:6]]},
        {"role": "checkpoint", "codes": [], "checkpoint_ids": [gate]},
        {"person_id": person},
        {"person_id": str(uuid7())},
    ):
        answer = await office.post("/v1/staff", json=body_of(town, **change))
        assert (answer.status_code, nameless(answer)) == (404, absent)


async def test_the_same_post_twenty_times_is_one_account(town: Town) -> None:
    office = await town.township()
    sent = body_of(town, id=str(uuid7()))
    answers = await asyncio.gather(*(office.post("/v1/staff", json=sent) for _ in range(20)))
    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert sum(a.headers.get("idempotent-replay") == "true" for a in answers) == 19
    assert all(a.json() == answers[0].json() for a in answers)
    assert await town.owner.fetchval("SELECT count(*) FROM accounts WHERE id = $1", UUID(sent["id"])) == 1


async def test_an_id_used_for_other_content(town: Town, other_town: Town) -> None:
    office, sent = await town.township(), body_of(town, id=str(uuid7()))
    assert (await office.post("/v1/staff", json=sent)).status_code == 201
    assert problem(await office.post("/v1/staff", json=sent | {"name": "李五"}))[:2] == (409, "id-reused")
    foreign = body_of(other_town, id=sent["id"])
    assert problem(await (await other_town.township()).post("/v1/staff", json=foreign))[:2] == (
        409,
        "id-reused",
    )


async def test_a_user_name_is_taken_once(town: Town, other_town: Town) -> None:
    office, sent = await town.township(), body_of(town)
    answers = await asyncio.gather(*(office.post("/v1/staff", json=sent) for _ in range(8)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 7
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"username-taken"}
    foreign = body_of(other_town, username=sent["username"])
    refused = await (await other_town.township()).post("/v1/staff", json=foreign)
    assert problem(refused)[:2] == (409, "username-taken")
    assert sent["username"] not in refused.text


async def test_lists_are_fenced_filtered_and_paged(town: Town, other_town: Town) -> None:
    office = await town.township()
    made = []
    for unit, name in ((0, "张三"), (0, "李四"), (1, "张五"), (2, "王六")):
        answer = await office.post("/v1/staff", json=body_of(town, codes=[town.units[unit]], name=name))
        made.append(answer.json())

    async def ids(client: httpx.AsyncClient, **query: Any) -> list[str]:
        items = (await client.get("/v1/staff", params=query)).json()["items"]
        return [item["id"] for item in items]

    me = str(town.accounts["township"])
    all_ids = [m["id"] for m in made]
    assert await ids(office) == [me, *all_ids]
    assert await ids(office, unit_code=town.units[0]) == all_ids[:2]
    assert await ids(office, q="张") == [all_ids[0], all_ids[2]]
    assert await ids(office, q=made[3]["username"].upper()) == [all_ids[3]]
    assert await ids(office, q="%") == []
    assert await ids(office, role="township") == [me]
    assert await ids(office, unit_code=other_town.units[0]) == []
    village = await town.village()
    own = [*all_ids[:2], str(town.accounts["village"])]
    assert await ids(village) == own
    assert await ids(village, unit_code=town.units[1]) == []
    assert await ids(await other_town.township()) == [str(other_town.accounts["township"])]
    pages: list[list[str]] = []
    after = None
    while after is not None or not pages:
        query = {"limit": 3} | ({"after": after} if after else {})
        page = (await office.get("/v1/staff", params=query)).json()
        pages.append([item["id"] for item in page["items"]])
        after = page["next"]
    assert pages == [[me, *all_ids[:2]], [*all_ids[2:], str(town.accounts["village"])]]


async def test_who_may_what(town: Town, other_town: Town) -> None:
    office, village = await town.township(), await town.village()
    made = (await office.post("/v1/staff", json=body_of(town, codes=[town.units[1]]))).json()
    path = f"/v1/staff/{made['id']}"
    absent = nameless(await village.get(f"/v1/staff/{uuid7()}"))
    assert nameless(await village.get(path)) == absent
    assert (await (await town.village(1)).get(path)).json() == made
    for client in (await town.clinic(), await town.login("checkpoint", [town.units[1]])):
        for answer in (await client.get(path), await client.get("/v1/staff")):
            assert answer.status_code == 403
    for client in (village, await town.clinic()):
        for answer in (
            await client.post("/v1/staff", json=body_of(town)),
            await client.patch(path, json={}),
            await client.post(f"{path}/password"),
        ):
            assert answer.status_code == 403
    stranger = await other_town.township()
    for answer in (
        await stranger.get(path),
        await stranger.patch(path, json={"name": "赵"}),
        await stranger.post(f"{path}/password"),
    ):
        assert (answer.status_code, nameless(answer)) == (404, absent)


async def test_a_list_begins_with_the_least_of_all_ids(town: Town) -> None:
    office = await town.township()
    nil = "00000000-0000-0000-0000-000000000000"
    try:
        body = {"id": nil, "username": f"least-{town.code}", "name": "王零", "role": "clinic"}
        assert (await office.post("/v1/staff", json=body)).status_code == 201
        shown = (await office.get("/v1/staff?limit=1")).json()
        assert [member["id"] for member in shown["items"]] == [nil]
        rest = (await office.get("/v1/staff", params={"after": shown["next"]})).json()
        assert [member["id"] for member in rest["items"]] == [str(town.accounts["township"])]
    finally:  # accounts are shared by the townships of all tests
        await town.owner.execute("DELETE FROM accounts WHERE id = $1", UUID(nil))
