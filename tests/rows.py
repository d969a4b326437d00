"""Rows put straight into the database, for tests of one noun that need another only as a fact."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from app.core.ids import uuid7
from app.domain.feed import RecordKind
from tests.feed import tell
from tests.town import Town

TOLD = {
    "households": RecordKind.HOUSEHOLD,
    "people": RecordKind.PERSON,
    "quarantine_orders": RecordKind.QUARANTINE_ORDER,
    "disinfection_logs": RecordKind.LOG,
    "decisions": RecordKind.DECISION,
    "checkpoints": RecordKind.CHECKPOINT,
}

_WRITTEN = {"content_hash": b"", "author_id": UUID(int=0)}


async def insert(town: Town, table: str, unit: int = 0, **columns: object) -> None:
    """Insert one row of a fenced table, in one of the town's units."""
    row = {"township_code": town.code, "unit_code": int(town.units[unit]), **columns}
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await town.owner.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())
    if table in TOLD:
        await tell(town, TOLD[table], row["id"])


async def household(town: Town, unit: int = 0, address: str = "试验村一组1号") -> UUID:
    """Insert a household without people."""
    id_ = uuid7()
    written = {**_WRITTEN, "recorded_at": datetime.now(UTC), "id": id_}
    await insert(town, "households", unit, **written, address=address, head_id=id_, rev=1)
    return id_


async def person(
    town: Town, household_id: UUID, unit: int = 0, id_: UUID | None = None, **columns: object
) -> UUID:
    """Insert a person of a household; fingerprints and the like as `columns`."""
    id_ = id_ or uuid7()
    written = {**_WRITTEN, "recorded_at": datetime.now(UTC), "id": id_, "rev": 1, "ever_quarantined": False}
    await insert(
        town, "people", unit, **{**written, "household_id": household_id, "name": "张三丰", **columns}
    )
    return id_


async def open_order(
    town: Town,
    household_id: UUID,
    unit: int = 0,
    person_id: UUID | None = None,
    monitor_id: UUID | None = None,
) -> UUID:
    """Insert an active order of today for a person of the household (a new one where none is named)."""
    id_, now = uuid7(), datetime.now(UTC)
    person_id = person_id or await person(town, household_id, unit)
    await insert(
        town,
        "quarantine_orders",
        unit,
        **_WRITTEN,
        id=id_,
        recorded_at=now,
        person_id=person_id,
        household_id=household_id,
        reason="contact",
        address="试验村一组1号",
        starts_on=town.today(),
        ends_on=town.today() + timedelta(days=14),
        status="active",
        monitor_id=monitor_id or UUID(int=0),
        service_per_day=2,
        temperature_per_day=2,
        opened_at=now,
        rev=1,
    )
    await town.owner.execute(
        "UPDATE people SET quarantine_order_id = $3, ever_quarantined = true WHERE township_code = $1 AND id = $2",
        town.code,
        person_id,
        id_,
    )
    await tell(town, RecordKind.PERSON, person_id)
    return id_


async def release_order(town: Town, order_id: UUID) -> None:
    """Release an order."""
    await town.owner.execute(
        "UPDATE quarantine_orders SET status = 'released' WHERE township_code = $1 AND id = $2",
        town.code,
        order_id,
    )
    await tell(town, RecordKind.QUARANTINE_ORDER, order_id)


async def log_disinfection(town: Town, household_id: UUID, day: date) -> None:
    """Insert one counted disinfection of a household's site."""
    site = await town.owner.fetchrow(
        "SELECT id FROM disinfection_sites WHERE township_code = $1 AND household_id = $2",
        town.code,
        household_id,
    )
    now = datetime.now(UTC)
    columns = {
        "id": uuid7(),
        "recorded_at": now,
        "occurred_at": now,
        "day": day,
        "counted": True,
        "photo_ids": [],
    }
    await insert(town, "disinfection_logs", **_WRITTEN, site_id=site["id"], **columns)
