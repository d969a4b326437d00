"""Staff for tests: bodies, checkpoints and persons to point at, and the words of a refusal."""

from typing import Any
from uuid import UUID

import httpx

from app.core.ids import uuid7
from app.domain.feed import RecordKind
from tests.feed import tell
from tests.town import Town

_numbers = iter(range(10**6))


def body_of(town: Town, **more: Any) -> dict[str, Any]:
    body = {
        "username": f"{town.code}-{next(_numbers)}",
        "name": "李四",
        "phone": "139 0000 0003",
        "role": "village",
        "codes": [town.units[0]],
    }
    return {name: value for name, value in (body | more).items() if value is not None}


async def cadre_named(town: Town, name: str, unit: int = 0) -> UUID:
    """Make a cadre of a unit, by name."""
    id_ = await town.account("village", [town.units[unit]], position="village_cadre")
    await town.owner.execute("UPDATE staff SET name = $2 WHERE id = $1", id_, name)
    return id_


def nameless(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    del body["request_id"]
    return body


async def checkpoint_of(town: Town, unit: int) -> str:
    made = await (await town.township()).post(
        "/v1/checkpoints",
        json={"number": unit + 1, "unit_code": town.units[unit], "name": "村口", "kind": "village"},
    )
    assert made.status_code == 201
    return str(made.json()["id"])


async def person_of(town: Town, unit: int = 0) -> UUID:
    """Put a registered person there, without the register's own services."""
    person, household, now = uuid7(), uuid7(), town.kit.clock.now()
    await town.owner.execute(
        "INSERT INTO households (township_code, unit_code, id, content_hash, author_id, recorded_at, address,"
        " head_id, rev) VALUES ($1, $2, $3, '', $3, $4, '一组1号', $5, 1)",
        town.code,
        int(town.units[unit]),
        household,
        now,
        person,
    )
    await town.owner.execute(
        "INSERT INTO people (township_code, unit_code, id, content_hash, author_id, recorded_at, household_id,"
        " name, rev, ever_quarantined) VALUES ($1, $2, $3, '', $3, $4, $5, '李四', 1, false)",
        town.code,
        int(town.units[unit]),
        person,
        now,
        household,
    )
    await tell(town, RecordKind.HOUSEHOLD, household)
    await tell(town, RecordKind.PERSON, person)
    return person
