"""With DATABASE_URL: somebody else's PostgreSQL 15, whose owner for us is no superuser; nothing embedded is used."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.core.embedded import EmbeddedServer, installed_postgres
from app.core.settings import Settings
from tests.house.scenario import id_number
from tests.postgres15 import make_lowly_owner
from tests.resilience.site import ROOT, UNITS, Site, household, settle, until


class External(Site):
    """A server whose database runs elsewhere."""

    @property
    def owner_url(self) -> str:
        return self.environment["DATABASE_URL"]

    async def settle(self) -> None:
        """Make the township beside the running server."""
        made = Settings(data=self.data, database_url=self.owner_url)
        self.password = await asyncio.to_thread(settle, made, self.place)


@pytest.fixture(scope="module")
async def external(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[External]:
    binaries = installed_postgres(15)
    if binaries is None:
        pytest.skip("no PostgreSQL 15 is installed here")
    place = tmp_path_factory.mktemp("postgres15")
    server = await asyncio.to_thread(EmbeddedServer.start, place, binaries=binaries)
    try:
        url, _ = await asyncio.to_thread(make_lowly_owner, server.url(), "township")
        site = External(DATABASE_URL=url)
        try:
            await site.start()
            await site.settle()
            yield site
        finally:
            await site.close()
    finally:
        await asyncio.to_thread(server.stop)
        EmbeddedServer.destroy(place)


async def test_the_owner_is_no_superuser_and_the_fence_holds_him_too(external: External) -> None:
    assert (await external.sql("SELECT current_setting('server_version_num')::int / 10000 AS major"))[0][
        0
    ] == 15
    assert (await external.sql("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))[
        0
    ][0] is False
    async with await external.client() as client:
        assert (await client.post("/v1/households", json=household())).status_code == 201
    assert await external.sql("SELECT id FROM households") == []


async def test_a_breach_in_another_unit_is_recognised_and_raised(external: External) -> None:
    """Both crossings of the fence, by a checkpoint that may see neither the person nor the alert."""
    async with await external.client() as office:
        number, phone = id_number(7), "19900000007"
        home = await _made(
            office, "households", household(head={"name": "李七", "id_number": number, "phone": phone})
        )
        now = datetime.now(UTC)
        order = await _made(
            office,
            "quarantine-orders",
            {
                "person_id": home["head"]["id"],
                "reason": "contact",
                "starts_on": now.astimezone().date().isoformat(),
            },
        )
        gate = await _made(
            office, "checkpoints", {"number": 7, "unit_code": UNITS[1], "name": "村口", "kind": "village"}
        )
        guard = await _guard(external, office, gate["id"])
        try:
            decision = await _made(
                guard,
                f"checkpoints/{gate['id']}/decisions",
                {
                    "occurred_at": (now - timedelta(seconds=5)).isoformat(),
                    "direction": "in",
                    "subject": {"id_number": number},
                    "temperature_c": 36.5,
                    "mask": True,
                    "purpose": "food",
                },
            )
            assert decision["verdict"] == "deny"
            assert [reason["code"] for reason in decision["reasons"]] == ["outsider", "in_quarantine"]
            assert decision["subject"]["unit_code"] == UNITS[0]
            assert (await guard.get(f"/v1/households/{home['id']}")).status_code == 403
        finally:
            await guard.aclose()
        alerts = (await office.get("/v1/alerts?status=open")).json()["items"]
        assert [(a["kind"], a["unit_code"], a["order_id"], a["person_id"]) for a in alerts] == [
            ("breach", UNITS[0], order["id"], home["head"]["id"])
        ]


async def _made(client: httpx.AsyncClient, noun: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/v1/{noun}", json=body)
    assert answer.status_code == 201, (noun, answer.text)
    made: dict[str, Any] = answer.json()
    return made


async def _guard(site: Site, office: httpx.AsyncClient, gate_id: object) -> httpx.AsyncClient:
    """Log a checkpoint's account in, with the password that the office gives it."""
    name = f"guard-{uuid.uuid4().hex[:8]}"
    asked = {
        "username": name,
        "name": "钱八",
        "role": "checkpoint",
        "codes": [UNITS[1]],
        "checkpoint_ids": [gate_id],
    }
    staff = await _made(office, "staff", asked)
    given = await office.post(f"/v1/staff/{staff['id']}/password")
    assert given.status_code in (200, 201), given.text
    guard = httpx.AsyncClient(base_url=site.base_url, timeout=30)
    answer = await guard.post("/v1/auth/token", data={"username": name, "password": given.json()["password"]})
    assert answer.status_code == 200, answer.text
    guard.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return guard


async def test_it_comes_back_after_the_server_ended_all_its_connections(external: External) -> None:
    async with await external.client() as client:
        ended = await external.sql(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND usename = current_user"
        )
        assert ended

        async def all_gone() -> bool:
            left = {row["pid"] for row in await external.sql("SELECT pid FROM pg_stat_activity")}
            return not left & {row["pid"] for row in ended}

        await until(all_gone, 10)
        for _ in range(20):
            assert (await client.post("/v1/households", json=household())).status_code == 201


PROBE = """
import sys
import app.main, app.cli.commands
from app.cli.opening import opened
from app.core.settings import get_settings
with opened(get_settings()) as settings:
    app.main.create_app(settings)
print([name for name in sys.modules if 'embedded' in name])
"""


async def test_nothing_embedded_is_imported_nor_made(external: External) -> None:
    answer = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROBE],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": external.owner_url,
            "WANGGE_DATA": str(external.data),
        },
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "[]"
    assert {path.name for path in external.data.iterdir()} == {"keys.json", "keys.json.lock", "photos"}


async def test_a_database_that_cannot_be_used_is_refused_with_a_plain_word(external: External) -> None:
    nowhere = external.owner_url.replace("host=", "host=/nowhere")
    code, _, err = await external.command("serve", PORT="0", DATABASE_URL=nowhere)
    assert code == 1
    assert "Traceback" not in err
    assert "DATABASE_URL cannot be used" in err
    await external.sql("REVOKE wangge_app FROM CURRENT_USER")
    await external.sql("ALTER ROLE CURRENT_USER NOCREATEROLE")
    code, _, err = await external.command("serve", PORT="0")
    assert code == 1
    assert "Traceback" not in err
    assert "GRANT wangge_app TO" in err
