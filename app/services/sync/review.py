"""Operations that were not plainly applied, for those who have to look at them: nothing that was typed is hidden."""

import json
from typing import Any
from uuid import UUID

import asyncpg

from app.core.language import Text
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, NotFound
from app.core.work import Work
from app.domain.enums import Position, Role
from app.domain.sync import Held, Status
from app.services.sealing import unseal
from app.services.sync.ledger import SEALED_OP, SHOWN, load
from app.services.sync.results import stored_result


class NotHeld(Conflict):
    """The operation does not wait for the township."""

    code = "not-held"
    title = Text("该操作无需处理", "Not held for you")
    detail_text = Text(
        "该操作没有在等待镇里处理。", "This operation does not wait for the township's decision."
    )


# The author sees their own; the leader those of the unit; the township all. The fence has the units already.
_PAGE = f"""
SELECT {SHOWN} FROM operations
WHERE township_code = $1 AND status = $2 AND ($3 OR account_id = $4)
    AND ($5::uuid IS NULL OR id > $5)
ORDER BY id LIMIT $6
"""

_POSITION = "SELECT position FROM staff WHERE township_code = $1 AND id = $2"


async def list_operations(work: Work, paging: Paging, status: Status) -> Page[dict[str, Any]]:
    """Return a page of operations of a status: one's own, and for leaders and the township those of their units."""
    (behind,) = paging.key(UUID) or (None,)
    leads = await _leads(work)
    rows = await work.sql.fetch(
        _PAGE, work.township_code, status, leads, work.account_id, behind, paging.limit + 1
    )
    shown = rows[: paging.limit]
    more = mark(shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(work, row) for row in shown], next=more)


async def show_operation(work: Work, op_id: UUID) -> dict[str, Any]:
    """Return a stored operation with its result, as it stands now.

    Raises:
        NotFound: no such operation, or not the caller's to see.
    """
    row = (await load(work, [op_id])).get(op_id)
    if row is None or not (row["account_id"] == work.account_id or await _leads(work)):
        raise NotFound
    return _view(work, row)


async def _leads(work: Work) -> bool:
    """Tell whether the caller answers for others: the township, and a unit's leader."""
    if work.caller.role == Role.TOWNSHIP:
        return True
    position = await work.sql.fetchval(_POSITION, work.township_code, work.account_id)
    return work.caller.role == Role.VILLAGE and position == Position.LEADER


def _view(work: Work, row: asyncpg.Record) -> dict[str, Any]:
    words = unseal(work, SEALED_OP, row["id"], row["op_sealed"])
    result = stored_result(row, named=True).answer(work.language)
    if result["status"] == Status.DUPLICATE:
        result["status"] = row["status"]
    own = (
        "kind",
        "account_id",
        "device_id",
        "received_at",
        "op_at",
        "time_quality",
        "held_for",
        "held_until",
    )
    waits = row["status"] == Status.HELD
    decided = ("settled_at", "settled_by", "settled_note") if row["settled_at"] else ()
    return {
        **result,
        **{name: row[name] for name in own if waits or not name.startswith("held")},
        **{name: row[name] for name in decided},
        "unit_code": row["unit_code"],
        "op": words and json.loads(words),
    }


async def held_for_township(work: Work, op_id: UUID) -> asyncpg.Record:
    """Lock and return an operation that waits for the township's decision.

    Raises:
        NotFound: no such operation.
        NotHeld: it waits for something else, or no longer.
    """
    row = (await load(work, [op_id])).get(op_id)
    if row is None:
        raise NotFound
    locked = await work.sql.fetchrow(
        f"SELECT {SHOWN} FROM operations WHERE township_code = $1 AND id = $2 FOR UPDATE",
        work.township_code,
        op_id,
    )
    if locked is None or locked["status"] != Status.HELD or locked["held_for"] != Held.TOWNSHIP:
        raise NotHeld
    return locked
