"""What an operator sees: logs, headers, metrics, readiness; and what nobody may see there: a person's data."""

import os
import secrets
import signal
import uuid
from typing import Any

import httpx

from tests.house.scenario import id_number
from tests.resilience.site import UNITS, Site, household, is_unavailable, until

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


async def test_no_value_of_the_traffic_is_logged(site: Site) -> None:
    """Neither when all goes well, nor on refusals, conflicts, statements cut off, or while the database is away."""
    number, phone, name = id_number(321, "19870605"), "19912345678", "欧阳独一"
    address, password = "独一路321号", secrets.token_urlsafe(12)
    head = {"name": name, "id_number": number, "phone": phone}
    body = household(head=head, address=address)
    began = len(site.lines())
    async with await site.client() as client:
        token = client.headers["Authorization"].partition(" ")[2]
        made = await client.post("/v1/households", json=body)
        assert made.status_code == 201
        twin = household(head=head, address=address)
        assert (await client.post("/v1/households", json=twin)).json()["code"] == "person-registered"
        assert (
            await client.post("/v1/households", json=body | {"address": address + "甲"})
        ).status_code == 409
        wrong = household(head=head | {"phone": [phone]}, address=address)
        assert (await client.post("/v1/households", json=wrong)).status_code == 422
        assert (await client.post("/v1/households", content=f'{{"{number}": NaN')).status_code in (400, 415)
        assert (await client.get("/v1/households", params={"q": phone})).status_code == 200
        assert (await client.get(f"/v1/households/{number}")).status_code in (404, 422)
        assert (await client.get(f"/{name}/{phone}")).status_code == 404
        form = {"username": name, "password": password}
        assert (await client.post("/v1/auth/token", data=form)).status_code == 401
        bad = {"Authorization": f"Bearer {token[:-4]}AAAA"}
        assert (await client.get("/v1/me", headers=bad)).status_code == 401
        revealed = await client.post(
            f"/v1/people/{made.json()['head']['id']}/reveal", json={"purpose": address}
        )
        assert revealed.json()["id_number"] == number
        await _cut_off(site, client, twin | {"id": str(uuid.uuid4()), "head": {"name": name, "phone": phone}})
        os.kill(site.postmaster, signal.SIGKILL)

        async def refused() -> bool:
            return is_unavailable(await client.post("/v1/households", json=body))

        await until(refused)
        await until(site.ready)
    logged = site.log.read_text() + site.postgres_log
    assert len(site.lines()) > began + 10
    for value in (number, phone, name, address, password, site.password, token, token.split(".")[2]):
        assert value not in logged
        assert value.encode("unicode_escape").decode() not in logged


async def _cut_off(site: Site, client: httpx.AsyncClient, body: dict[str, object]) -> None:
    """Have the database refuse in the middle of a write."""
    await site.sql("ALTER TABLE people ADD CONSTRAINT surprise CHECK (phone_fingerprint IS NULL) NOT VALID")
    try:
        assert (await client.post("/v1/households", json=body)).status_code == 500
    finally:
        await site.sql("ALTER TABLE people DROP CONSTRAINT surprise")


async def test_every_answer_carries_its_id_and_the_security_headers(site: Site) -> None:
    async with await site.client() as client:
        await site.sql("ALTER TABLE households ADD CONSTRAINT surprise CHECK (address <> '空') NOT VALID")
        try:
            broken = await client.post("/v1/households", json=household(address="空"))
        finally:
            await site.sql("ALTER TABLE households DROP CONSTRAINT surprise")
        answers = {
            200: await client.get("/v1/me"),
            201: await client.post("/v1/households", json=household()),
            400: await client.get("/v1/households?q=%ff"),
            401: await client.get("/v1/me", headers={"Authorization": "Bearer x"}),
            404: await client.get("/nowhere"),
            405: await client.delete("/v1/me"),
            413: await client.post("/v1/households", json={"note": "x" * 1_100_000}),
            415: await client.post("/v1/households", content=b"{}", headers={"Content-Type": "text/plain"}),
            422: await client.post("/v1/households", json={}),
            500: broken,
        }
        documents = [
            await client.get(path) for path in ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json")
        ]
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
    logged = await _logged(site, documents[-1])
    for answer in [*answers.values(), *documents]:
        assert uuid.UUID(answer.headers["x-request-id"]).version == 7
        assert logged[answer.headers["x-request-id"]]["status"] == answer.status_code
        for name, value in HEADERS.items():
            assert answer.headers[name] == value or (name == "cache-control" and answer.is_success)
        if answer.request.url.path != "/docs":
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in answers.values()}) == len(answers)
    assert logged[broken.headers["x-request-id"]]["level"] == "warning"
    assert [line["request_id"] for line in site.mishaps()][-1] == broken.headers["x-request-id"]


async def _logged(site: Site, last: httpx.Response) -> dict[str, dict[str, Any]]:
    """The log's lines by request, once the last one is there: it is written when the answer has gone."""
    found: dict[str, dict[str, Any]] = {}

    async def complete() -> bool:
        found.update({line["request_id"]: line for line in site.lines() if line["message"] == "request"})
        return last.headers["x-request-id"] in found

    await until(complete, 10)
    return found


async def test_the_metrics_count_what_was_answered(site: Site) -> None:
    line = 'wangge_requests_total{method="POST",route="/v1/households",status="201"}'
    unit = household(unit=UNITS[0])
    async with await site.client() as client:
        before = await _metric(client, line)
        assert (await client.post("/v1/households", json=unit)).status_code == 201
        assert (await client.post("/v1/households", json=unit)).status_code == 200
        assert await _metric(client, line) == before + 1
        text = (await client.get("/metrics")).text
    assert unit["id"] not in text


async def _metric(client: httpx.AsyncClient, line: str) -> float:
    text = (await client.get("/metrics")).text
    return float(text.partition(line)[2].partition("\n")[0] or 0)


async def test_readiness_tells_why_not(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.base_url, timeout=30) as client:
        assert (await client.get("/readyz")).json() == {
            "status": "ok",
            "draining": "ok",
            "database": "ok",
            "migrations": "ok",
        }
        head = (await site.sql("SELECT version_num FROM alembic_version"))[0][0]
        await site.sql("UPDATE alembic_version SET version_num = '202611231900'")
        try:
            behind = await client.get("/readyz")
        finally:
            await site.sql("UPDATE alembic_version SET version_num = $1", head)
        assert (behind.status_code, behind.json()["migrations"]) == (503, "behind")
        assert behind.headers["retry-after"]
        os.kill(site.postmaster, signal.SIGKILL)

        async def away() -> bool:
            answer = await client.get("/readyz")
            assert answer.status_code in (200, 503)
            return answer.status_code == 503 and answer.json()["database"] == "unreachable"

        await until(away, 20)
        await until(site.ready, 30)


async def test_its_own_tasks_outlive_the_database(home: Site) -> None:
    """The clockwork meets a dead connection like everybody else, and goes on."""
    await home.start(WANGGE_CLOCK_SECONDS="0.05")
    began = len(home.lines())
    os.kill(home.postmaster, signal.SIGKILL)
    await until(home.ready, 30)
    clock = "SELECT max(clock_at) AS at FROM townships"
    before = (await home.sql(clock))[0]["at"]

    async def ticks() -> bool:
        return bool((await home.sql(clock))[0]["at"] > before)

    await until(ticks, 20)
    assert not [line for line in home.lines()[began:] if line["message"] == "tick failed"]
