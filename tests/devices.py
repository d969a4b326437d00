"""Logins as phones do them: a device with its tokens, and the words of a refusal."""

from dataclasses import dataclass
from typing import Any

import httpx

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
