"""A checkpoint under test: people with identities in the register, and what a gate sends."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from app.access import in_townships_name
from app.core.ids import uuid7
from app.services.sealing import id_fingerprint, phone_fingerprint, seal
from tests.rows import household, insert, open_order, person
from tests.town import Town

ID_NUMBER = "511303198001011231"
PHONE = "13900000001"


async def make_checkpoint(
    office: httpx.AsyncClient, unit_code: str, number: int = 1, kind: str = "village"
) -> str:
    """Create a checkpoint and return its id."""
    body = {"number": number, "unit_code": unit_code, "name": f"{number}号卡点", "kind": kind}
    answer = await office.post("/v1/checkpoints", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def resident(
    town: Town,
    unit: int = 0,
    *,
    id_number: str = ID_NUMBER,
    phone: str = PHONE,
    quarantined: bool = False,
    **columns: Any,
) -> UUID:
    """Register a person, found by ID number or by name and phone; in quarantine if said so."""
    id_ = uuid7()
    async with in_townships_name(town.kit, town.code) as work:
        hashes = {
            "id_sealed": seal(work, "people.id_number", id_, id_number),
            "id_fingerprint": id_fingerprint(work, id_number),
            "phone_fingerprint": phone_fingerprint(work, phone),
        }
    home = await household(town, unit)
    person_id = await person(town, home, unit, id_, **hashes, **columns)
    if quarantined:
        await open_order(town, home, unit, person_id)
    return person_id


async def on_staff(town: Town, person_id: UUID, *, health: str = "fit", active: bool = True) -> None:
    """Put a registered person on the staff of the town's first unit."""
    now, code = datetime.now(UTC), int(town.units[0])
    row = {
        "id": person_id,
        "name": "张三丰",
        "codes": [code],
        "checkpoint_ids": [],
        "health": health,
        "active": active,
    }
    written = {"rev": 1, "content_hash": b"", "recorded_at": now, "author_id": UUID(int=0)}
    await insert(town, "staff", **row, **written, person_id=person_id)


def seen(subject: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a decision's body: a healthy person with a mask who goes for food."""
    now = datetime.now(UTC).isoformat()
    body = {
        "occurred_at": now,
        "direction": "in",
        "subject": subject or {},
        "temperature_c": 36.5,
        "mask": True,
    }
    return {**body, "purpose": "food", **more}


async def counters(town: Town) -> dict[tuple[str, str], int]:
    """Return every counter of the gates and of alerts that is not zero, by unit and metric."""
    rows = await town.owner.fetch("SELECT * FROM daily_counters WHERE township_code = $1", town.code)
    names = [n for n in (rows[0].keys() if rows else ()) if n.startswith(("passes", "deni", "alerts"))]
    totals: dict[tuple[str, str], int] = {}
    for row in rows:
        for name in names:
            if row[name]:
                key = (str(row["unit_code"]), name)
                totals[key] = totals.get(key, 0) + row[name]
    return totals
