"""Where an operation is filed that was not applied: with the unit of the record that it names; its leader reads it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.work import Work
from app.domain.feed import RecordKind
from app.services.sync.ops import Op

TABLES = {
    RecordKind.HOUSEHOLD: "households",
    RecordKind.PERSON: "people",
    RecordKind.QUARANTINE_ORDER: "quarantine_orders",
    RecordKind.SITE: "disinfection_sites",
    RecordKind.ALERT: "alerts",
    RecordKind.SHIFT: "shifts",
    RecordKind.VENUE: "venues",
    RecordKind.CLOSURE: "closures",
    RecordKind.MARKET_ROUND: "market_rounds",
    RecordKind.PAIRING: "pairings",
    RecordKind.TIP: "tips",
    RecordKind.SELF_REPORT: "self_reports",
    RecordKind.CHECKPOINT: "checkpoints",
}
"""Where the records lie that operations name, of those that are a unit's."""

_NAMES = ("household_id", "person_id", "order_id", "site_id", "venue_id", "shift_id", "tip_id")
_LISTS = ("household_ids",)

# Under the fence: a record that the caller does not see tells nothing of its unit.
_UNITS = " UNION ALL ".join(
    f"SELECT id, unit_code FROM {table} WHERE township_code = $1 AND id = ANY($2)"
    for table in TABLES.values()
)


async def file_with_records(work: Work, ops: Sequence[Op]) -> None:
    """Note the unit of each operation that names a record which the caller sees; others stay with their author's."""
    named = {op.id: _named(op) for op in ops if op.unit_code is None}
    wanted = {id_ for ids in named.values() for id_ in ids}
    if not wanted:
        return
    units = {
        row["id"]: row["unit_code"]
        for row in await work.sql.fetch(_UNITS, work.township_code, sorted(wanted))
    }
    for op in ops:
        if op.unit_code is None:
            op.unit_code = next((units[id_] for id_ in named[op.id] if id_ in units), None)


def _named(op: Op) -> list[UUID]:
    """Return the ids of the records that an operation names, also one whose body could not be read."""
    sent: dict[str, Any] = op.sent if isinstance(op.sent, dict) else {}
    body = sent.get("body")
    if not isinstance(body, dict):
        return []
    lists = (body.get(name) for name in _LISTS)
    said = [sent.get("target"), *(body.get(name) for name in _NAMES)]
    said += [id_ for some in lists if isinstance(some, list) for id_ in some[:1]]
    return [id_ for id_ in map(_uuid, said) if id_ is not None]


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
