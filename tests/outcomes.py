"""Bodies of tips and incidents, and a unit's own of each."""

from datetime import datetime
from typing import Any

from httpx import AsyncClient

from tests.pushing import op, push
from tests.town import Town


def a_tip(unit_code: str | None, **more: Any) -> dict[str, Any]:
    """A tip of people who play mahjong."""
    body = {"text": "村口小卖部有人聚众打牌", "phone": "13900000021"}
    return body | ({"unit_code": unit_code} if unit_code else {}) | more


def an_incident(unit_code: str, at: datetime, **more: Any) -> dict[str, Any]:
    """Two mahjong machines, destroyed."""
    body: dict[str, Any] = {"unit_code": unit_code, "kind": "mahjong", "at": at.isoformat()}
    return body | {"action": "destroyed", "count": 2, "note": "现场销毁麻将机2台"} | more


async def make_outcomes(town: Town, cadre: AsyncClient, unit: int) -> dict[str, str]:
    """Make a tip and an incident by a cadre's phone, and return their ids by name."""
    now, code = town.kit.clock.now(), town.units[unit]
    tip, incident = op("tip.record", a_tip(code), now), op("incident.record", an_incident(code, now), now)
    results = await push(cadre, now, tip, incident)
    assert [r["status"] for r in results] == ["applied"] * 2, results
    return {"tip": tip["op_id"], "incident": incident["op_id"]}
