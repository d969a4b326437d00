"""Bodies of publicity, pairing, closures and village sales."""

from datetime import date, datetime
from typing import Any

from httpx import AsyncClient


async def make_material(office: AsyncClient, kind: str = "leaflet", **more: Any) -> str:
    """Add a material to the catalogue and return its id."""
    body = {"name": "防控知识宣传单", "kind": kind} | more
    answer = await office.post("/v1/publicity-materials", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def a_publicity_log(unit_code: str, material_id: str, at: datetime, count: int = 100) -> dict[str, Any]:
    """So many were handed out."""
    return {"unit_code": unit_code, "material_id": material_id, "count": count, "at": at.isoformat()}


def a_venue(unit_code: str, kind: str = "shop", **more: Any) -> dict[str, Any]:
    """A shop that nobody needs open."""
    return {"unit_code": unit_code, "name": "东观茶馆", "kind": kind, "essential": False} | more


def an_inspection(venue_id: str, at: datetime, found: str = "closed", **more: Any) -> dict[str, Any]:
    """Somebody looked."""
    return {"venue_id": venue_id, "at": at.isoformat(), "found": found} | more


def a_closure(day: object, **what: Any) -> dict[str, Any]:
    """Shut from a day on, until further notice."""
    return {"starts_on": str(day), "notice": "商家一律关门"} | what


def a_round(day: date, *units: str, hour: int = 9, **more: Any) -> dict[str, Any]:
    """A vendor who brings meat, vegetables and fruit into villages."""
    stops = [{"unit_code": unit, "at": f"{day}T{hour + n:02d}:00:00+08:00"} for n, unit in enumerate(units)]
    return {"vendor": "镇供销社", "goods": ["肉", "菜", "水果"], "day": str(day), "stops": stops} | more


def a_pairing(staff_id: object, *household_ids: object) -> dict[str, Any]:
    """Somebody looks after households."""
    return {"staff_id": str(staff_id), "household_ids": [str(id_) for id_ in household_ids]}
