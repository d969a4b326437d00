"""Keys of dashboards: shown once, good for one scope until they expire or are revoked."""

import asyncio
import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.access import in_nobodys_name, in_townships_name
from app.core.ids import uuid7
from app.core.problems import Invalid
from app.services.api_keys import issue_operator_key
from tests.conftest import TestClock
from tests.town import Town

FORM = re.compile(r"wgk_([a-z2-9]{8})_[A-Za-z0-9_-]{43}")


async def today(town: Town) -> date:
    async with in_townships_name(town.kit, town.code) as work:
        return work.today


async def body_of(town: Town, **more: Any) -> dict[str, Any]:
    ends = await today(town) + timedelta(days=30)
    return {"name": "县指挥部大屏", "code": str(town.code), "expires_on": ends.isoformat()} | more


def problem(answer: httpx.Response) -> tuple[int, str, list[tuple[str, str]]]:
    body = answer.json()
    return answer.status_code, body["code"], [(e["pointer"], e["code"]) for e in body.get("errors", [])]


def nameless(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    del body["request_id"]
    return body


def dashboard(town: Town, key: str) -> httpx.AsyncClient:
    return town.client({"X-Api-Key": key})


async def door_says(town: Town, key: str) -> int:
    """200: the key opens the door."""
    return (await dashboard(town, key).get("/v1/reports/daily")).status_code


async def test_a_key_is_shown_once(town: Town) -> None:
    office, sent = await town.township(), await body_of(town, id=str(uuid7()))
    made = await office.post("/v1/api-keys", json=sent)
    assert made.status_code == 201
    key = made.json().pop("key")
    shape = FORM.fullmatch(key)
    assert shape is not None
    shown = {k: v for k, v in made.json().items() if k != "key"}
    assert shown == sent | {
        "prefix": shape[1],
        "created_at": shown["created_at"],
        "last_used_on": None,
        "per_minute": 600,
    }
    again = await office.post("/v1/api-keys", json=sent)
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == shown | {"key": None}
    assert (await office.get("/v1/api-keys")).json() == {"items": [shown], "next": None}
    row = await town.owner.fetchrow("SELECT * FROM api_keys WHERE id = $1", UUID(sent["id"]))
    assert row is not None
    assert (row["township_code"], row["created_by"]) == (town.code, town.accounts["township"])
    assert key[-43:] not in str(dict(row))
    assert await door_says(town, key) == 200
    assert (await office.get("/v1/api-keys")).json()["items"][0]["last_used_on"] == (
        await today(town)
    ).isoformat()


async def test_twenty_at_once_make_one_key_and_show_it_once(town: Town) -> None:
    office, sent = await town.township(), await body_of(town, id=str(uuid7()))
    answers = await asyncio.gather(*(office.post("/v1/api-keys", json=sent) for _ in range(20)))
    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    assert sum(a.json()["key"] is not None for a in answers) == 1
    assert await town.owner.fetchval("SELECT count(*) FROM api_keys WHERE township_code = $1", town.code) == 1


async def test_a_key_stops_when_it_is_revoked(town: Town, other_town: Town) -> None:
    office = await town.township()
    made = (await office.post("/v1/api-keys", json=await body_of(town))).json()
    path = f"/v1/api-keys/{made['id']}"
    absent = nameless(await office.delete(f"/v1/api-keys/{uuid7()}"))
    hidden = await (await other_town.township()).delete(path)
    assert (hidden.status_code, nameless(hidden)) == (404, absent)
    assert await door_says(town, made["key"]) == 200
    assert (await office.delete(path)).status_code == 204
    assert await door_says(town, made["key"]) == 401
    revoked = await town.owner.fetchval("SELECT revoked_at FROM api_keys WHERE id = $1", UUID(made["id"]))
    assert (await office.delete(path)).status_code == 204
    assert revoked == await town.owner.fetchval(
        "SELECT revoked_at FROM api_keys WHERE id = $1", UUID(made["id"])
    )
    assert (await office.get("/v1/api-keys")).json()["items"] == []


async def test_a_key_is_good_to_the_end_of_its_last_day(town: Town, clock: Any) -> None:
    office = await town.township()
    ends = await today(town) + timedelta(days=1)
    key = (await office.post("/v1/api-keys", json=await body_of(town, expires_on=ends.isoformat()))).json()[
        "key"
    ]
    clock.moved = timedelta(days=1)
    assert await door_says(town, key) == 200
    clock.moved = timedelta(days=2)
    assert await door_says(town, key) == 401


@pytest.mark.parametrize("days", [-1, 0, 732])
async def test_expiry_is_later_than_today_and_within_two_years(town: Town, days: int) -> None:
    ends = await today(town) + timedelta(days=days)
    office = await town.township()
    answer = await office.post("/v1/api-keys", json=await body_of(town, expires_on=ends.isoformat()))
    assert problem(answer) == (422, "invalid", [("/expires_on", "expiry-range")])
    assert (await office.get("/v1/api-keys")).json()["items"] == []


async def test_no_key_beyond_the_own_township(town: Town, other_town: Town) -> None:
    office = await town.township()
    absent = nameless(await office.delete(f"/v1/api-keys/{uuid7()}"))
    for code in (str(other_town.code), other_town.units[0], f"{town.code}999", str(town.code)[:6], "41"):
        answer = await office.post("/v1/api-keys", json=await body_of(town, code=code))
        assert (answer.status_code, nameless(answer)) == (404, absent), code
    assert (
        await office.post("/v1/api-keys", json=await body_of(town, code=town.units[1]))
    ).status_code == 201


async def test_an_id_used_for_another_key(town: Town, other_town: Town) -> None:
    office, sent = await town.township(), await body_of(town, id=str(uuid7()))
    assert (await office.post("/v1/api-keys", json=sent)).status_code == 201
    assert problem(await office.post("/v1/api-keys", json=sent | {"name": "别的"}))[:2] == (409, "id-reused")
    foreign = await (await other_town.township()).post(
        "/v1/api-keys", json=await body_of(other_town, id=sent["id"])
    )
    assert problem(foreign)[:2] == (409, "id-reused")


async def test_keys_of_other_townships_do_not_show(town: Town, other_town: Town) -> None:
    office, stranger = await town.township(), await other_town.township()
    own = [(await office.post("/v1/api-keys", json=await body_of(town))).json()["id"] for _ in range(3)]
    await stranger.post("/v1/api-keys", json=await body_of(other_town))
    first = (await office.get("/v1/api-keys", params={"limit": 2})).json()
    rest = (await office.get("/v1/api-keys", params={"limit": 2, "after": first["next"]})).json()
    assert [[key["id"] for key in page["items"]] for page in (first, rest)] == [own[:2], own[2:]]
    assert rest["next"] is None


async def test_only_the_township_keeps_keys(town: Town) -> None:
    office = await town.township()
    made = (await office.post("/v1/api-keys", json=await body_of(town))).json()
    clients = (
        await town.village(),
        await town.clinic(),
        await town.login("checkpoint", town.units[:1]),
        dashboard(town, made["key"]),
    )
    for client in clients:
        for answer in (
            await client.get("/v1/api-keys"),
            await client.post("/v1/api-keys", json=await body_of(town)),
            await client.delete(f"/v1/api-keys/{made['id']}"),
        ):
            assert problem(answer)[:2] == (403, "forbidden")


async def test_a_key_opens_reports_and_nothing_else(town: Town) -> None:
    office = await town.township()
    made = (await office.post("/v1/api-keys", json=await body_of(town))).json()
    client = dashboard(town, made["key"])
    assert (await client.get("/v1/reports/daily")).status_code == 200
    for path in ("/v1/me", "/v1/units", "/v1/staff", "/v1/townships"):
        assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize(
    "key", ["", "wgk_", "x" * 19, "x" * 101, "wgk_aaaaaaaa_" + "A" * 43, "wgk_aaaaaaaa_" + "é" * 43]
)
async def test_a_wrong_key_opens_nothing(town: Town, key: str) -> None:
    client = town.client()
    answer = await client.get("/v1/reports/daily", headers=[(b"x-api-key", key.encode())])
    assert problem(answer)[:2] == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_operators_give_keys_to_counties(town: Town) -> None:
    ends = await today(town) + timedelta(days=100)
    async with in_nobodys_name(town.kit) as work:
        county = await issue_operator_key(work, "县疫情办", str(town.code)[:6], ends)
        local = await issue_operator_key(work, "镇大屏", str(town.code), ends)
    assert county.key is not None
    assert await door_says(town, county.key) == 200
    assert (await dashboard(town, county.key).get("/v1/units")).status_code == 403
    shown = (await (await town.township()).get("/v1/api-keys")).json()["items"]
    assert [key["id"] for key in shown] == [str(local.id)], "the county's key is not the township's"
    with pytest.raises(Invalid):
        async with in_nobodys_name(town.kit) as work:
            await issue_operator_key(work, "县疫情办", "51", ends + timedelta(days=731))


async def test_a_key_asks_so_often_a_minute_and_no_oftener(town: Town, clock: TestClock) -> None:
    clock.fixed = datetime.fromisoformat("2026-03-02T10:00:10+08:00")
    office = await town.township()
    body = {"name": "屏", "code": str(town.code), "expires_on": "2026-12-01"}
    made = (await office.post("/v1/api-keys", json=body | {"per_minute": 3})).json()
    other = (await office.post("/v1/api-keys", json=body)).json()
    assert (made["per_minute"], other["per_minute"]) == (3, 600)
    dashboard = town.client({"X-Api-Key": made["key"]})
    statuses = [(await dashboard.get("/v1/reports/daily")).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = await dashboard.get("/v1/reports/daily")
    assert (refused.json()["code"], refused.headers["Retry-After"]) == ("too-many-requests", "50")
    assert (await town.client({"X-Api-Key": other["key"]}).get("/v1/reports/daily")).status_code == 200
    clock.fixed += timedelta(seconds=50)
    assert (await dashboard.get("/v1/reports/daily")).status_code == 200
