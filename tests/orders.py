"""Orders of the command post, written and answered."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.town import Town

SEVEN = datetime.fromisoformat("2026-03-02T19:00:00+08:00")


async def write(client: httpx.AsyncClient, town: Town, **more: Any) -> dict[str, Any]:
    """Write an order to the whole township that is due tomorrow at noon."""
    body = {
        "title": "排查外来车辆", "body": "明日8时前在各路口完成排查。", "codes": [str(town.code)],
        "due_at": (SEVEN + timedelta(hours=17)).isoformat(), "requires": "completion",
    }  # fmt: skip
    answer = await client.post("/v1/orders", json=body | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def answer(client: httpx.AsyncClient, order: dict[str, Any], what: str, **body: Any) -> httpx.Response:
    """Answer an order."""
    return await client.post(f"/v1/orders/{order['id']}/{what}", json=body)


def mine(order: dict[str, Any], unit: str) -> dict[str, Any]:
    """Return a unit's part of an order."""
    return dict(next(part for part in order["units"] if part["unit_code"] == unit))
