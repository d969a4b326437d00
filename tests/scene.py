"""What the tests of quarantine stand on: people at their homes, and the counters recomputed from the records."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from app.access import in_townships_name
from app.core.ids import uuid7
from app.domain.feed import RecordKind
from app.services.clockwork import tick_township
from app.services.sealing import phone_fingerprint, seal
from tests.feed import tell
from tests.town import Town

QUARANTINE_COUNTS = (
    "orders_active",
    "service_due",
    "service_done",
    "service_missed",
    "temperature_due",
    "temperature_done",
    "temperature_missed",
    "fevers",
    "alerts_open",
)

_RECOMPUTED = """
SELECT unit_code, day, sum(orders_active)::int AS orders_active, sum(service_due)::int AS service_due,
    sum(service_done)::int AS service_done, sum(service_missed)::int AS service_missed,
    sum(temperature_due)::int AS temperature_due, sum(temperature_done)::int AS temperature_done,
    sum(temperature_missed)::int AS temperature_missed, sum(fevers)::int AS fevers
FROM (
    SELECT fact_unit_code AS unit_code, day, 0 AS orders_active,
        (kind = 'service')::int AS service_due,
        (kind = 'service' AND visits > 0 AND NOT missed)::int AS service_done,
        (kind = 'service' AND missed)::int AS service_missed,
        (kind = 'temperature')::int AS temperature_due,
        (kind = 'temperature' AND visits > 0 AND NOT missed)::int AS temperature_done,
        (kind = 'temperature' AND missed)::int AS temperature_missed, 0 AS fevers
    FROM quarantine_slots WHERE township_code = $1
    UNION ALL
    SELECT fact_unit_code, day, 0, 0, 0, 0, 0, 0, 0, 1 FROM visits
    WHERE township_code = $1 AND kind = 'temperature' AND 'fever' = ANY(alerts)
) AS facts GROUP BY unit_code, day
"""


async def register(
    town: Town, unit: int = 0, *, name: str = "李春花", phone: str | None = "13900001111"
) -> tuple[UUID, UUID]:
    """Register a household of one and return the ids of the person and the household."""
    person_id, household_id, now = uuid7(), uuid7(), datetime.now(UTC)
    await town.owner.execute(
        "INSERT INTO households (township_code, unit_code, id, content_hash, author_id, recorded_at, address, head_id,"
        " rev) VALUES ($1, $2, $3, '', $4, $5, '黄溪村三组12号', $4, 1)",
        town.code,
        int(town.units[unit]),
        household_id,
        person_id,
        now,
    )
    await add_person(town, unit, household_id, person_id, name, phone)
    await tell(town, RecordKind.HOUSEHOLD, household_id)
    return person_id, household_id


async def add_person(
    town: Town, unit: int, household_id: UUID, person_id: UUID, name: str, phone: str | None = None
) -> None:
    """Register a person in a household."""
    async with in_townships_name(town.kit, town.code) as work:
        sealed, found = seal(work, "people.phone", person_id, phone), phone_fingerprint(work, phone)
    await town.owner.execute(
        "INSERT INTO people (township_code, unit_code, id, content_hash, author_id, recorded_at, household_id, name,"
        " phone_sealed, phone_fingerprint, rev, ever_quarantined)"
        " VALUES ($1, $2, $3, '', $3, $4, $5, $6, $7, $8, 1, false)",
        town.code,
        int(town.units[unit]),
        person_id,
        datetime.now(UTC),
        household_id,
        name,
        sealed,
        found,
    )
    await tell(town, RecordKind.PERSON, person_id)


async def open_order(
    client: httpx.AsyncClient, person_id: UUID, starts_on: date | str, **more: Any
) -> dict[str, Any]:
    """Open an order and return it."""
    body = {"person_id": str(person_id), "reason": "contact", "starts_on": str(starts_on), **more}
    answer = await client.post("/v1/quarantine-orders", json=body)
    assert answer.status_code == 201, answer.text
    opened: dict[str, Any] = answer.json()
    return opened


def visit_body(
    order_id: object, occurred_at: datetime | str, kind: str = "service", **more: Any
) -> dict[str, Any]:
    """Return the body of a visit at which all was well."""
    at = occurred_at if isinstance(occurred_at, str) else occurred_at.isoformat()
    reading = {"temperature_c": 36.5} if kind == "temperature" else {}
    return {
        "order_id": str(order_id),
        "kind": kind,
        "occurred_at": at,
        "at_home": True,
        **reading,
        **more,
    }


async def visit(
    client: httpx.AsyncClient,
    order_id: object,
    occurred_at: datetime | str,
    kind: str = "service",
    **more: Any,
) -> dict[str, Any]:
    """Record a visit and return it."""
    answer = await client.post("/v1/visits", json=visit_body(order_id, occurred_at, kind, **more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def tick(town: Town) -> None:
    """Let the clock do what has come due in the township."""
    async with in_townships_name(town.kit, town.code) as work:
        await tick_township(work)


async def counters(town: Town) -> dict[tuple[int, date], dict[str, int]]:
    """Return the counters of quarantine that are stored and not zero."""
    rows = await town.owner.fetch("SELECT * FROM daily_counters WHERE township_code = $1", town.code)
    return _nonzero({(row["unit_code"], row["day"]): row for row in rows})


async def counted(town: Town, metric: str, unit: int = 0) -> dict[str, int]:
    """Return one counter of a unit by day, where it is not zero."""
    rows = await town.owner.fetch(
        f"SELECT day, {metric} AS n FROM daily_counters WHERE township_code = $1 AND unit_code = $2 ORDER BY day",
        town.code,
        int(town.units[unit]),
    )
    return {str(row["day"]): row["n"] for row in rows if row["n"]}


async def assert_counters_true(town: Town) -> None:
    """Facts must equal what the records say, unit by unit and day by day; stocks in their sum, unit by unit."""
    stored = await counters(town)
    facts = {key: _without_stocks(amounts) for key, amounts in stored.items()}
    rows = await town.owner.fetch(_RECOMPUTED, town.code)
    true = {
        key: _without_stocks(a) for key, a in _nonzero({(r["unit_code"], r["day"]): r for r in rows}).items()
    }
    assert {k: v for k, v in facts.items() if v} == {k: v for k, v in true.items() if v}
    for metric, table, status in (
        ("orders_active", "quarantine_orders", "active"),
        ("alerts_open", "alerts", "open"),
    ):
        found = await town.owner.fetch(
            f"SELECT unit_code, count(*) AS n FROM {table} WHERE township_code = $1 AND status = $2 GROUP BY 1",
            town.code,
            status,
        )
        sums: dict[int, int] = {}
        for (unit_code, _), amounts in stored.items():
            sums[unit_code] = sums.get(unit_code, 0) + amounts.get(metric, 0)
        assert {k: n for k, n in sums.items() if n} == {row["unit_code"]: row["n"] for row in found}, metric


def _without_stocks(amounts: Mapping[str, int]) -> dict[str, int]:
    return {m: n for m, n in amounts.items() if m not in ("orders_active", "alerts_open")}


def _nonzero(rows: Mapping[tuple[int, date], asyncpg.Record]) -> dict[tuple[int, date], dict[str, int]]:
    kept = {key: {m: row[m] for m in QUARANTINE_COUNTS if row.get(m)} for key, row in rows.items()}
    return {key: amounts for key, amounts in kept.items() if amounts}
