"""Batches as a phone sends them, for tests of the sync routes one by one; `tests/phone.py` is a whole phone."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from httpx import AsyncClient, Response


def op(kind: str, body: dict[str, Any], at: datetime, **more: Any) -> dict[str, Any]:
    """Return an operation made at a moment, by clocks that are right."""
    milliseconds = int(at.timestamp() * 1000)
    return {
        "op_id": str(uuid4()),
        "kind": kind,
        "mono_ms": milliseconds,
        "wall_ms": milliseconds,
        "body": body,
        **more,
    }


def batch(at: datetime, *ops: Any, **more: Any) -> dict[str, Any]:
    """Return a batch sent at a moment, by clocks that are right."""
    milliseconds = int(at.timestamp() * 1000)
    return {
        "device_id": "phone-1",
        "batch_id": str(uuid4()),
        "schema": 1,
        "boot_id": "boot-1",
        "sent_mono_ms": milliseconds,
        "sent_wall_ms": milliseconds,
        "ops": list(ops),
        **more,
    }


async def push(client: AsyncClient, at: datetime, *ops: Any, **more: Any) -> list[dict[str, Any]]:
    """Push operations and return their results."""
    answer = await client.post("/v1/sync/push", json=batch(at, *ops, **more))
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def pull(client: AsyncClient, cursor: str | None = None, **params: Any) -> dict[str, Any]:
    """Pull a page."""
    query = {**params, **({"cursor": cursor} if cursor else {})}
    answer: Response = await client.get("/v1/sync/pull", params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page
