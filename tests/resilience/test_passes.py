"""A pass is judged after a restart as it was before: keys, revocations and uses lie in the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.resilience.site import UNITS, Site, household


async def judged(client: httpx.AsyncClient, gate: str, codes: list[str]) -> list[Any]:
    """Return the steps that are told of each code."""
    bodies = [{"code": code, "checkpoint_id": gate} for code in codes]
    return [(await client.post("/v1/passes/verify", json=body)).json() for body in bodies]


async def test_the_verdicts_outlive_a_kill(site: Site) -> None:
    now = datetime.now(UTC)
    async with await site.client() as client:
        person = (await client.post("/v1/households", json=household())).json()["head"]["id"]
        body = {"number": 9, "unit_code": UNITS[0], "name": "村口", "kind": "village"}
        gate = (await client.post("/v1/checkpoints", json=body)).json()["id"]
        times = {"valid_from": now.isoformat(), "valid_to": (now + timedelta(days=1)).isoformat()}
        issue = {"person_id": person, "class": "single", **times}
        good, used, revoked = [(await client.post("/v1/passes", json=issue)).json() for _ in range(3)]
        await client.post(f"/v1/passes/{revoked['id']}/revoke", json={})
        seen = {"direction": "in", "temperature_c": 36.5, "mask": True, "purpose": "food"}
        shown = {"subject": {"pass": used["code"]}, "occurred_at": now.isoformat(), **seen}
        answer = await client.post(f"/v1/checkpoints/{gate}/decisions", json=shown)
        assert answer.json()["verdict"] == "pass"
        codes = [good["code"], used["code"], revoked["code"]]
        before = await judged(client, gate, codes)
    assert [one["verdict"] for one in before] == ["pass", "deny", "deny"]
    await site.kill()
    await site.start()
    async with await site.client() as client:
        assert await judged(client, gate, codes) == before
