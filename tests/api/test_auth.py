"""Logins, refresh, and the door."""

from app.services.passwords import hash_password
from tests.town import Town


async def give_password(town: Town, role: str, password: str) -> str:
    await town.owner.execute(
        "UPDATE accounts SET password_hash = $2 WHERE id = $1",
        town.accounts[role],
        await hash_password(password),
    )
    return f"u-{town.accounts[role]}"


async def test_login_and_me(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village", "黄溪村的一号密码")
    client = town.client()
    answer = await client.post("/v1/auth/token", data={"username": username, "password": "黄溪村的一号密码"})
    assert answer.status_code == 200
    tokens = answer.json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 600
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


async def test_wrong_password_is_a_problem(town: Town) -> None:
    answer = await town.client().post("/v1/auth/token", data={"username": "nobody", "password": "guess"})
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
