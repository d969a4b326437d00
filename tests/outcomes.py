"""Bodies of tips and incidents, and a unit's own of each."""

from datetime import date, datetime
from ipaddress import IPv4Address
from typing import Any

from httpx import ASGITransport, AsyncClient

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


def a_self_report(poster: str, arrived_on: date, **more: Any) -> dict[str, Any]:
    """Somebody who came home from Wuhan."""
    body = {"poster": poster, "name": "何小燕", "phone": "13900000031", "from": "武汉市武昌区"}
    return body | {"arrived_on": arrived_on.isoformat()} | more


def stranger(town: Town, address: str | None = None) -> AsyncClient:
    """A client without a login, by default at an address of the town's own."""
    client = town.client()
    own = str(IPv4Address(0x0A000000 + town.code % 2**24))
    client._transport = ASGITransport(town.app, raise_app_exceptions=False, client=(address or own, 1))
    return client


async def poster(town: Town, unit: int = 0) -> str:
    """The code of a unit's poster."""
    found = await (await town.township()).get(f"/v1/units/{town.units[unit]}/poster")
    return str(found.json()["code"])


async def make_outcomes(town: Town, cadre: AsyncClient, unit: int) -> dict[str, str]:
    """Make a tip and an incident by a cadre's phone, and return their ids by name."""
    now, code = town.kit.clock.now(), town.units[unit]
    tip, incident = op("tip.record", a_tip(code), now), op("incident.record", an_incident(code, now), now)
    results = await push(cadre, now, tip, incident)
    assert [r["status"] for r in results] == ["applied"] * 2, results
    poster = (await cadre.get(f"/v1/units/{code}/poster")).json()["code"]
    report = await stranger(town).post("/v1/public/self-reports", json=a_self_report(poster, town.today()))
    assert report.status_code == 201, report.text
    return {"tip": tip["op_id"], "incident": incident["op_id"], "self_report": report.json()["id"]}
