"""Changes of staff: roles, scopes, locks, passwords, batches."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access import in_townships_name
from app.core.ids import uuid7
from app.core.problems import Invalid
from app.domain.enums import Role
from app.schemas.staff import StaffBody
from app.services.staff_create import UsernameTaken, create_staff
from app.services.staff_users import create_user
from tests.devices import problem
from tests.staffing import body_of, checkpoint_of, person_of
from tests.town import Town


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
