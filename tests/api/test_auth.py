"""Logins, refresh, passwords, limits, and what the door refuses."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.devices import PASSWORD, Device, device, give_password, log_in, problem
from tests.town import Town


async def test_login_and_me(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village")
    client = town.client()
    answer = await log_in(client, username)
    assert answer.status_code == 200
    tokens = answer.json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 600
    assert tokens["password_change_required"] is False
    me = await client.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json() == {
        "id": str(town.accounts["village"]),
        "username": username,
        "name": "王village",
        "role": "village",
        "codes": [town.units[0]],
        "checkpoint_ids": [],
        "township": {"code": str(town.code), "name": "试验镇", "timezone": "Asia/Shanghai"},
        "password_change_required": False,
    }


async def test_every_role_has_its_name_and_scope(town: Town) -> None:
    for client, role, codes in (
        (await town.township(), "township", [str(town.code)]),
        (await town.clinic(), "clinic", [str(town.code)]),
        (await town.login("checkpoint", town.units[1:]), "checkpoint", town.units[1:]),
    ):
        me = (await client.get("/v1/me")).json()
        assert (me["role"], me["name"], me["codes"]) == (role, f"王{role}", codes)


async def test_a_refused_login_says_nothing(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village")
    await town.clinic()
    closed = await give_password(town, "clinic")
    await town.owner.execute("UPDATE accounts SET active = false WHERE id = $1", town.accounts["clinic"])
    no_password = f"u-{await town.account('village', town.units[:1])}"
    client = town.client()
    answers = [
        await log_in(client, f"nobody-{town.code}"),
        await log_in(client, username, "guess"),
        await log_in(client, username.upper()),
        await log_in(client, closed),
        await log_in(client, no_password, ""),
        await log_in(client, no_password, "x"),
    ]
    answers = [a for a in answers if a.status_code != 422]
    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body.pop("request_id") == answer.headers["x-request-id"]
        assert body == {
            "type": "/problems/bad-credentials",
            "title": "登录失败",
            "status": 401,
            "detail": "用户名或密码不正确,或账号已停用。",
            "code": "bad-credentials",
        }
    assert len(answers) >= 5


@pytest.mark.parametrize(
    ("form", "pointer", "code"),
    [
        ({"username": "a"}, "/password", "required"),
        ({"password": "b"}, "/username", "required"),
        ({"username": "a" * 201, "password": "b"}, "/username", "too-long"),
        (
            {"username": "a", "password": "b", "grant_type": "client_credentials"},
            "/grant_type",
            "invalid-format",
        ),
        ({"username": "a", "password": "b", "device_id": "x\0y"}, "/device_id", "invalid-format"),
    ],
)
async def test_a_form_that_breaks_a_rule(town: Town, form: dict[str, str], pointer: str, code: str) -> None:
    answer = await town.client().post("/v1/auth/token", data=form)
    assert problem(answer) == (422, "invalid", [(pointer, code)])


async def test_an_access_token_lives_ten_minutes(town: Town, clock: Any) -> None:
    phone = await device(town)
    clock.moved = timedelta(seconds=590)
    assert await phone.me() == 200
    clock.moved = timedelta(seconds=660)
    assert await phone.me() == 401
    phone.tokens = (await phone.refresh()).json()
    assert await phone.me() == 200


async def test_refresh_rotates(town: Town, clock: Any) -> None:
    phone = await device(town)
    seen = [phone.tokens["refresh_token"]]
    for hours in (1, 2, 3):
        clock.moved = timedelta(hours=hours)
        answer = await phone.refresh()
        assert answer.status_code == 200
        phone.tokens = answer.json()
        seen.append(phone.tokens["refresh_token"])
        assert await phone.me() == 200
    assert len(set(seen)) == 4
    clock.moved = timedelta(hours=3, days=29)
    assert (await phone.refresh()).status_code == 200, "30 days are counted from the last use"


async def test_refresh_ends_after_thirty_days_without_use(town: Town, clock: Any) -> None:
    phone = await device(town)
    clock.moved = timedelta(days=30, seconds=5)
    assert problem(await phone.refresh())[:2] == (401, "unauthorized")


async def test_a_lost_reply_logs_nobody_out(town: Town, clock: Any) -> None:
    phone = await device(town)
    first = (await phone.refresh()).json()
    clock.moved = timedelta(seconds=590)
    second = (await phone.refresh()).json()
    assert second["refresh_token"] == first["refresh_token"]
    phone.tokens = second
    assert await phone.me() == 200
    third = await phone.refresh()
    assert third.json()["refresh_token"] != first["refresh_token"]


async def test_an_empty_device_is_none(town: Town) -> None:
    phone = await device(town)
    answer = await log_in(phone.client, f"u-{town.accounts['village']}", device_id="")
    nameless = Device(phone.client, answer.json(), None)
    first, second = [(await nameless.refresh()).json()["refresh_token"] for _ in range(2)]
    assert first == second


async def test_parallel_refreshes_agree(town: Town) -> None:
    phone = await device(town)
    answers = await asyncio.gather(*(phone.refresh() for _ in range(10)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["refresh_token"] for a in answers}) == 1


@pytest.mark.parametrize("case", ["late", "other device", "no device", "two behind"])
async def test_any_other_reuse_revokes_the_family(town: Town, clock: Any, case: str) -> None:
    phone, bystander = await device(town), await device(town, "phone-2")
    stolen = phone.tokens["refresh_token"]
    phone.tokens = (await phone.refresh()).json()
    device_id = {"other device": "thief", "no device": None}.get(case, "own")
    if case == "two behind":
        phone.tokens = (await phone.refresh()).json()
    assert await phone.me() == 200
    if case == "late":
        clock.moved = timedelta(seconds=605)
    assert problem(await phone.refresh(stolen, device_id))[:2] == (401, "unauthorized")
    assert await phone.me() == 401
    assert (await phone.refresh()).status_code == 401
    assert (await bystander.refresh()).status_code == 200, "the other phone's family lives on"


@pytest.mark.parametrize("token", ["", "x", "wgr1.AAAAAAAAAAAAAAAAAAAAAA.0." + "A" * 43, "é" * 20, "a" * 301])
async def test_a_refresh_token_of_nobody(town: Town, token: str) -> None:
    answer = await town.client().post("/v1/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == (422 if len(token) > 300 else 401)


async def test_a_forged_generation_does_not_revoke(town: Town) -> None:
    phone = await device(town)
    head, session, _, mac = phone.tokens["refresh_token"].split(".")
    assert (await phone.refresh(f"{head}.{session}.7.{mac}")).status_code == 401
    assert (await phone.refresh()).status_code == 200


async def test_logout_ends_this_session_only(town: Town) -> None:
    phone, other = await device(town), await device(town, "phone-2")
    assert (await phone.post("/v1/auth/logout")).status_code == 204
    assert await phone.me() == 401
    assert (await phone.refresh()).status_code == 401
    assert (await phone.post("/v1/auth/logout")).status_code == 401
    assert await other.me() == 200


async def test_a_change_of_password_ends_the_other_sessions(town: Town) -> None:
    phone, other = await device(town), await device(town, "phone-2")
    new = "一个新的足够长的密码"
    changed = await phone.post("/v1/me/password", json={"old": PASSWORD, "new": new})
    assert (changed.status_code, changed.content) == (204, b"")
    assert await phone.me() == 200
    assert await other.me() == 401
    assert (await other.refresh()).status_code == 401
    client, username = town.client(), f"u-{town.accounts['village']}"
    assert (await log_in(client, username)).status_code == 401
    assert (await log_in(client, username, new)).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "pointer", "code"),
    [
        ("falsch falsch", "一个新的足够长的密码", "/old", "password-wrong"),
        (PASSWORD, "九个字的密码太短了", "/new", "password-too-short"),
        (PASSWORD, "password1234", "/new", "password-common"),
        (PASSWORD, "啊" * 12, "/new", "password-repeated"),
        (PASSWORD, "{username}", "/new", "password-is-username"),
        (PASSWORD, PASSWORD, "/new", "password-unchanged"),
        (PASSWORD, "x" * 201, "/new", "too-long"),
    ],
)
async def test_a_password_that_is_refused(town: Town, old: str, new: str, pointer: str, code: str) -> None:
    phone, other = await device(town), await device(town, "phone-2")
    username = f"u-{town.accounts['village']}"
    answer = await phone.post(
        "/v1/me/password", json={"old": old, "new": new.replace("{username}", username)}
    )
    assert problem(answer) == (422, "invalid", [(pointer, code)])
    assert new not in answer.text
    assert await other.me() == 200
    assert (await log_in(town.client(), username)).status_code == 200
