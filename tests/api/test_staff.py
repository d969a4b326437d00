"""Staff: who works where, with which login; changes act on the next request."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.access import in_townships_name
from app.core.ids import uuid7
from app.core.problems import Invalid
from app.domain.enums import Role
from app.schemas.staff import StaffBody
from app.services.staff_create import UsernameTaken, create_staff
from app.services.staff_users import create_user
from tests.town import Town

_numbers = iter(range(10**6))


def body_of(town: Town, **more: Any) -> dict[str, Any]:
    body = {
        "username": f"{town.code}-{next(_numbers)}",
        "name": "李四",
        "phone": "139 0000 0003",
        "role": "village",
        "codes": [town.units[0]],
    }
    return {name: value for name, value in (body | more).items() if value is not None}


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


async def person_of(town: Town, unit: int = 0) -> UUID:
    """Put a registered person there, without the register's own services."""
    person, household, now = uuid7(), uuid7(), town.kit.clock.now()
    await town.owner.execute(
        "INSERT INTO households (township_code, unit_code, id, content_hash, author_id, recorded_at, address,"
        " head_id, rev) VALUES ($1, $2, $3, '', $3, $4, '一组1号', $5, 1)",
        town.code,
        int(town.units[unit]),
        household,
        now,
        person,
    )
    await town.owner.execute(
        "INSERT INTO people (township_code, unit_code, id, content_hash, author_id, recorded_at, household_id,"
        " name, rev, ever_quarantined) VALUES ($1, $2, $3, '', $3, $4, $5, '李四', 1, false)",
        town.code,
        int(town.units[unit]),
        person,
        now,
        household,
    )
    return person


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


async def test_a_change_sets_what_is_sent(town: Town) -> None:
    office, person = await town.township(), str(await person_of(town))
    made = (await office.post("/v1/staff", json=body_of(town, position="village_cadre"))).json()
    path = f"/v1/staff/{made['id']}"
    assert (await office.patch(path, json={})).json() == made
    change = {
        "name": "李五",
        "team": "emergency",
        "health": "unfit",
        "person_id": person,
        "username": f"n-{town.code}",
    }
    changed = (await office.patch(path, json=change)).json()
    assert changed == made | change | {"rev": 2}
    assert (await office.patch(path, json={"phone": "13900000004"})).json() == changed | {
        "phone": "13900000004",
        "rev": 3,
    }
    cleared = await office.patch(
        path, json={"phone": None, "team": None, "position": None, "person_id": None}
    )
    nothing = dict.fromkeys(("phone", "team", "position", "person_id"))
    assert cleared.json() == changed | nothing | {"rev": 4}
    for name in ("username", "name", "role", "codes", "checkpoint_ids", "health", "active"):
        answer = await office.patch(path, json={name: None})
        assert answer.status_code == 422
        assert problem(answer)[2][0][0] == f"/{name}"
    assert (await office.get(path)).json() == cleared.json()


async def test_a_change_of_role_brings_its_scope(town: Town) -> None:
    office, gate = await town.township(), await checkpoint_of(town, 2)
    made = (await office.post("/v1/staff", json=body_of(town))).json()
    path = f"/v1/staff/{made['id']}"
    assert problem(await office.patch(path, json={"role": "checkpoint"}))[2] == [
        ("/checkpoint_ids", "checkpoints-required")
    ]
    for change, role, codes, gates in (
        ({"role": "checkpoint", "checkpoint_ids": [gate]}, "checkpoint", [town.units[2]], [gate]),
        ({"team": "checkpoint"}, "checkpoint", [town.units[2]], [gate]),
        ({"role": "clinic"}, "clinic", [str(town.code)], []),
        ({"role": "village", "codes": town.units[:2]}, "village", town.units[:2], []),
        ({"codes": town.units[1:2]}, "village", town.units[1:2], []),
    ):
        shown = (await office.patch(path, json=change)).json()
        assert (shown["role"], shown["codes"], shown["checkpoint_ids"]) == (role, codes, gates)
    assert problem(await office.patch(path, json={"role": "village", "codes": []}))[2] == [
        ("/codes", "units-required")
    ]
    row = await town.owner.fetchrow(
        "SELECT codes, unit_code, checkpoint_ids FROM staff WHERE id = $1", UUID(made["id"])
    )
    assert row is not None
    assert tuple(row) == ([int(town.units[1])], int(town.units[1]), [])


async def test_role_scope_and_status_act_on_the_next_request(town: Town) -> None:
    office, village = await town.township(), await town.village()
    path = f"/v1/staff/{town.accounts['village']}"

    async def units() -> list[str]:
        return [unit["unit_code"] for unit in (await village.get("/v1/units")).json()["items"]]

    assert await units() == town.units[:1]
    await office.patch(path, json={"codes": town.units[1:]})
    assert await units() == town.units[1:]
    await office.patch(path, json={"role": "township"})
    assert await units() == town.units
    assert (await village.get("/v1/api-keys")).status_code == 200
    await office.patch(path, json={"role": "clinic"})
    assert (await village.get("/v1/staff")).status_code == 403
    await office.patch(path, json={"active": False})
    assert (await village.get("/v1/me")).status_code == 401
    await office.patch(path, json={"active": True})
    assert (await village.get("/v1/me")).status_code == 401, "closing an account ends its sessions"


async def give_password(town: Town, account: UUID) -> None:
    await town.owner.execute("UPDATE accounts SET password_hash = 'x' WHERE id = $1", account)


async def test_the_township_cannot_lock_itself_out(town: Town) -> None:
    office = await town.township()
    me = f"/v1/staff/{town.accounts['township']}"
    await town.village()
    other = await town.account("township", [str(town.code)])
    for change in ({"active": False}, {"role": "village", "codes": town.units[:1]}):
        answer = await office.patch(me, json=change)
        assert problem(answer)[:2] == (409, "last-township-account"), "the other one has no password"
    await give_password(town, other)
    assert (await office.patch(f"/v1/staff/{other}", json={"active": False})).status_code == 200
    assert problem(await office.patch(me, json={"active": False}))[:2] == (409, "last-township-account")
    assert (await office.patch(f"/v1/staff/{other}", json={"active": True})).status_code == 200
    assert (await office.patch(me, json={"active": False})).status_code == 200
    assert (await office.get("/v1/me")).status_code == 401


async def test_two_offices_cannot_close_each_other_at_once(town: Town) -> None:
    for _ in range(5):
        pair = [await town.account("township", [str(town.code)]) for _ in range(2)]
        clients = [await town.client_of(account) for account in pair]
        for account in pair:
            await give_password(town, account)
        await asyncio.gather(
            clients[0].patch(f"/v1/staff/{pair[1]}", json={"active": False}),
            clients[1].patch(f"/v1/staff/{pair[0]}", json={"active": False}),
        )
        left = await town.owner.fetch(
            "SELECT id FROM accounts WHERE township_code = $1 AND role = 'township' AND active", town.code
        )
        assert len(left) == 1
        await town.owner.execute("UPDATE accounts SET active = false WHERE id = $1", left[0]["id"])


async def test_a_taken_user_name_stops_a_change(town: Town) -> None:
    office = await town.township()
    first, second = [(await office.post("/v1/staff", json=body_of(town))).json() for _ in range(2)]
    answer = await office.patch(
        f"/v1/staff/{second['id']}", json={"username": first["username"], "name": "新"}
    )
    assert problem(answer)[:2] == (409, "username-taken")
    assert (await office.get(f"/v1/staff/{second['id']}")).json() == second


async def test_a_one_time_password(town: Town, clock: Any) -> None:
    office, village = await town.township(), await town.village()
    path = f"/v1/staff/{town.accounts['village']}/password"
    answer = await office.post(path)
    assert list(answer.json()) == ["password"]
    password = answer.json()["password"]
    assert (await village.get("/v1/me")).status_code == 401, "the old sessions end"
    login = {"username": f"u-{town.accounts['village']}", "password": password}
    client = town.client()
    tokens = (await client.post("/v1/auth/token", data=login)).json()
    assert tokens["password_change_required"] is True
    clock.moved = timedelta(days=7, seconds=5)
    assert (await client.post("/v1/auth/token", data=login)).status_code == 401
    clock.moved = timedelta(0)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    new = {"old": password, "new": "我们村自己的新密码一二三"}
    assert (await client.post("/v1/me/password", json=new, headers=bearer)).status_code == 204
    clock.moved = timedelta(days=8)
    again = await client.post("/v1/auth/token", data=login | {"password": new["new"]})
    assert again.json()["password_change_required"] is False
    clock.moved = timedelta(0)
    assert (await office.post(path)).json()["password"] != password


async def test_a_batch_keeps_its_good_items(town: Town) -> None:
    good, twin = uuid7(), uuid7()
    bodies = [
        body_of(town, id=str(good), username=f"good-{town.code}"),
        body_of(town, codes=[f"{town.code}999"]),
        body_of(town, username=f"good-{town.code}"),
        body_of(town, id=str(twin), role="checkpoint", codes=[]),
        body_of(town, id=str(good), username=f"good-{town.code}"),
        body_of(town, id=str(good), username=f"else-{town.code}"),
        body_of(town, role="clinic", codes=[]),
    ]
    async with in_townships_name(town.kit, town.code) as work:
        outcomes = await create_staff(work, [StaffBody.model_validate(body) for body in bodies])
    codes = [outcome.problem.code if outcome.problem else None for outcome in outcomes]
    assert codes == [None, "not-found", "username-taken", "invalid", None, "id-reused", None]
    assert [o.replayed for o in outcomes] == [False, False, False, False, True, False, False]
    stored = await town.owner.fetch("SELECT id FROM staff WHERE township_code = $1", town.code)
    assert {row["id"] for row in stored} == {good, outcomes[-1].id}


async def test_six_hundred_and_eighty_at_once_and_again(town: Town) -> None:
    bodies = [
        StaffBody.model_validate(body_of(town, id=str(uuid7()), codes=[town.units[n % 3]]))
        for n in range(680)
    ]
    async with in_townships_name(town.kit, town.code) as work:
        first = await create_staff(work, bodies)
    async with in_townships_name(town.kit, town.code) as work:
        again = await create_staff(work, bodies)
    assert [o.value for o in first] == [o.value for o in again]
    assert {o.replayed for o in first} == {False}
    assert {o.replayed for o in again} == {True}
    assert await town.owner.fetchval("SELECT count(*) FROM staff WHERE township_code = $1", town.code) == 680


async def test_the_operators_way_to_a_login(town: Town) -> None:
    name = f"op-{town.code}"
    async with in_townships_name(town.kit, town.code) as work:
        fixed = await create_user(work, name, "镇长", Role.TOWNSHIP, password="东观镇政府的第一个密码")
        temporary = await create_user(work, f"{name}-2", "村长", Role.VILLAGE, [town.units[0]])
    assert fixed.password is None
    client = town.client()
    for username, password, required in (
        (name, "东观镇政府的第一个密码", False),
        (f"{name}-2", temporary.password, True),
    ):
        tokens = await client.post("/v1/auth/token", data={"username": username, "password": password})
        assert tokens.json()["password_change_required"] is required
    with pytest.raises(UsernameTaken):
        async with in_townships_name(town.kit, town.code) as work:
            await create_user(work, name, "镇长", Role.TOWNSHIP)
    with pytest.raises(Invalid):
        async with in_townships_name(town.kit, town.code) as work:
            await create_user(work, f"{name}-3", "镇长", Role.TOWNSHIP, password="short")
    assert await town.owner.fetchval("SELECT count(*) FROM accounts WHERE username = $1", f"{name}-3") == 0
