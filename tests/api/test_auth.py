"""Logins, refresh, passwords, limits, and what the door refuses."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.access import in_nobodys_name
from app.core.settings import Settings
from app.main import create_app
from app.services.login_limits import count_try, forgive
from app.services.passwords import hash_password
from tests.town import Town

PASSWORD = "黄溪村值守的一号密码"
_HASHES: dict[str, str] = {}


async def give_password(town: Town, role: str, password: str = PASSWORD) -> str:
    """Give an account a password, hashed once a run, and return its user name."""
    if password not in _HASHES:
        _HASHES[password] = await hash_password(password)
    await town.owner.execute(
        "UPDATE accounts SET password_hash = $2 WHERE id = $1", town.accounts[role], _HASHES[password]
    )
    return f"u-{town.accounts[role]}"


async def log_in(
    client: httpx.AsyncClient, username: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    return await client.post("/v1/auth/token", data={"username": username, "password": password, **more})


@dataclass
class Device:
    """A phone that logged in."""

    client: httpx.AsyncClient
    tokens: dict[str, Any]
    device_id: str | None

    async def refresh(self, token: str | None = None, device_id: str | None = "own") -> httpx.Response:
        body = {"refresh_token": token or self.tokens["refresh_token"]}
        name = self.device_id if device_id == "own" else device_id
        return await self.client.post("/v1/auth/refresh", json=body | ({"device_id": name} if name else {}))

    async def me(self) -> int:
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return (await self.client.get("/v1/me", headers=bearer)).status_code

    async def post(self, path: str, **more: Any) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return await self.client.post(path, headers=bearer, **more)


async def device(town: Town, name: str | None = "phone-1") -> Device:
    """A village cadre's phone, logged in."""
    if "village" not in town.accounts:
        await town.village()
        await give_password(town, "village")
    client = town.client()
    answer = await log_in(client, f"u-{town.accounts['village']}", **({"device_id": name} if name else {}))
    assert answer.status_code == 200
    return Device(client, answer.json(), name)


def problem(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    body = answer.json()
    return answer.status_code, body["code"], [(e["pointer"], e["code"]) for e in body.get("errors", [])]


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


async def test_the_login_limit_outlives_a_restart(town: Town, settings: Settings, clock: Any) -> None:
    await town.village()
    username = await give_password(town, "village")
    client = town.client()
    statuses = [(await log_in(client, username, f"guess {n}")).status_code for n in range(10)]
    assert statuses == [401] * 10
    eleventh = await log_in(client, username)
    assert problem(eleventh)[:2] == (429, "too-many-requests")
    assert 0 < int(eleventh.headers["retry-after"]) <= 901
    again = create_app(settings, clock)
    async with again.router.lifespan_context(again):
        transport = httpx.ASGITransport(again)
        async with httpx.AsyncClient(transport=transport, base_url="http://wangge.test") as restarted:
            assert (await log_in(restarted, username)).status_code == 429
    await town.clinic()
    assert (await log_in(client, await give_password(town, "clinic"))).status_code == 200, (
        "only this name waits"
    )
    clock.moved = timedelta(seconds=int(eleventh.headers["retry-after"]) + 1)
    assert (await log_in(client, username)).status_code == 200


async def test_a_good_login_starts_the_count_afresh(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village")
    for _ in range(2):
        for _ in range(9):
            await count_try(lambda: in_nobodys_name(town.kit), username, "127.0.0.1", 10)
        assert (await log_in(town.client(), username)).status_code == 200


async def test_parallel_guesses_do_not_pass_the_limit_whether_or_not_the_name_exists(town: Town) -> None:
    client = town.client()
    answers = await asyncio.gather(*(log_in(client, f"nobody-{town.code}") for _ in range(13)))
    assert sorted(a.status_code for a in answers) == [401] * 10 + [429] * 3


async def test_parallel_logins_of_one_name_do_not_stop_each_other(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village")
    client = town.client()
    answers = await asyncio.gather(*(log_in(client, username) for _ in range(6)))
    assert [a.status_code for a in answers] == [200] * 6


async def test_counting_and_forgiving_never_wait_in_a_circle(town: Town) -> None:
    name, address = f"n-{town.code}", f"a-{town.code}"

    def open_work() -> Any:
        return in_nobodys_name(town.kit)

    async def succeed() -> None:
        await count_try(open_work, name, address, 10**6)
        async with open_work() as work:
            await forgive(work, name, address)

    for _ in range(8):
        await asyncio.gather(*(succeed() for _ in range(8)))
    async with open_work() as work:
        left = await work.sql.fetchval(
            "SELECT sum(failures) FROM login_attempts WHERE key = ANY($1)",
            [work.vault.fingerprint("login-name", name), work.vault.fingerprint("login-address", address)],
        )
    assert left == 0


async def test_a_closed_account_is_out_at_once(town: Town) -> None:
    phone = await device(town)
    await town.owner.execute("UPDATE accounts SET active = false WHERE id = $1", town.accounts["village"])
    assert await phone.me() == 401
    assert (await phone.refresh()).status_code == 401
    assert (await log_in(phone.client, f"u-{town.accounts['village']}")).status_code == 401


async def test_a_change_of_role_acts_on_the_next_request(town: Town) -> None:
    client = await town.township()
    assert (await client.get("/v1/staff")).status_code == 200
    await town.owner.execute("UPDATE accounts SET role = 'clinic' WHERE id = $1", town.accounts["township"])
    assert (await client.get("/v1/staff")).status_code == 403
    assert (await client.get("/v1/me")).json()["role"] == "clinic"


UNAUTHORIZED = {
    "zh": ("请先登录", "缺少有效的登录凭证,或凭证已失效。"),
    "en": ("Please log in", "A valid token or key is missing, or it is no longer valid."),
}
FORBIDDEN = {
    "zh": ("无权操作", "您的角色不能进行此项操作。"),
    "en": ("Not allowed", "Your role can never do this."),
}


@pytest.mark.parametrize(
    ("accept", "language"),
    [(None, "zh"), ("en", "en"), ("en-GB;q=0.8, zh;q=0.3", "en"), ("zh-CN, en;q=0.9", "zh"), ("fr", "zh")],
)
async def test_refusals_have_one_shape_in_both_languages(
    town: Town, accept: str | None, language: str
) -> None:
    headers = {"Accept-Language": accept} if accept else {}
    clinic = await town.clinic()
    for answer, status, code, texts in (
        (await town.client().get("/v1/staff", headers=headers), 401, "unauthorized", UNAUTHORIZED),
        (await clinic.get("/v1/staff", headers=headers), 403, "forbidden", FORBIDDEN),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language
        title, detail = texts[language]
        assert answer.json() == {
            "type": f"/problems/{code}",
            "title": title,
            "status": status,
            "detail": detail,
            "code": code,
            "request_id": answer.headers["x-request-id"],
        }


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic dTpw", "Bearer " + "A" * 5000, "bearer é"],
)
async def test_the_door_refuses_what_is_no_token(town: Town, header: str) -> None:
    answer = await town.client().get("/v1/me", headers=[(b"authorization", header.encode())])
    assert problem(answer)[:2] == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_goes_with_its_own_account(town: Town, other_town: Town) -> None:
    await town.village()
    await other_town.village()
    await town.owner.execute(
        "UPDATE sessions SET account_id = $2 WHERE account_id = $1",
        town.accounts["village"],
        other_town.accounts["village"],
    )
    assert (await town.clients[0].get("/v1/me")).status_code == 401
