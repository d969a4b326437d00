"""Operations that wait: tried again when what they were made from has come, ended when it did not come in time, and
decided by the township where they were made outside their author's units."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from app.core.problems import Invalid, NotFound, Problem
from app.core.scope import Scope
from app.core.work import Caller, OpenWork, Work
from app.domain.enums import Role
from app.domain.op_time import OpTime, TimeQuality
from app.domain.sync import Held, Status
from app.schemas.sync import HeldDecision, OpBody
from app.services.conflicts import open_conflicts
from app.services.lanes import in_name_of
from app.services.sealing import unseal
from app.services.sync import ledger
from app.services.sync.acting import act
from app.services.sync.assignments import name_units
from app.services.sync.kinds_table import KINDS
from app.services.sync.ops import Op
from app.services.sync.reach import extend
from app.services.sync.results import places_of, result_of
from app.services.sync.review import held_for_township, show_operation

BATCH = 500

Phone = tuple[UUID, str]
"""An account, and one of its devices: whose act an operation is, as the audit trail tells it."""

# One author's of one device at a time, in the order in which they were made; what a push holds now is passed over.
_WAITING = f"""
SELECT {ledger.SHOWN} FROM operations
WHERE township_code = $1 AND status = 'held' AND held_for = 'predecessor' AND (account_id, device_id) = (
    SELECT account_id, device_id FROM operations
    WHERE township_code = $1 AND status = 'held' AND held_for = 'predecessor' AND (account_id, device_id) > ($2, $3)
    ORDER BY account_id, device_id LIMIT 1)
ORDER BY op_at, id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
"""

_DECIDED = """
UPDATE operations SET settled_at = $3, settled_by = $4, settled_note = $5 WHERE township_code = $1 AND id = $2
"""

_AUTHOR = """
SELECT role, codes, checkpoint_ids FROM accounts WHERE id = $1 AND township_code = $2
"""


async def retry_held(open_work: OpenWork) -> None:
    """Try again what waits for a predecessor, each phone's in a transaction of its own; end what waited in vain."""
    phone: Phone | None = (UUID(int=0), "")
    while phone is not None:
        async with open_work() as work:
            phone = await _retry_next(work, phone)


async def _retry_next(work: Work, behind: Phone) -> Phone | None:
    """Try the operations of the next phone behind this one; return which that was, or None where none waits."""
    rows = await work.sql.fetch(_WAITING, work.township_code, *behind)
    if not rows:
        return None
    caller = await author_of(work, rows[0])
    if caller is not None:
        ops = [read_stored(work, row) for row in rows]
        for op, row in zip(ops, rows, strict=True):
            op.late = row["held_until"] <= work.now
        async with in_name_of(work, caller):
            await act(work, [op for op in ops if op.problem is None])
            await extend(work, ops)
            await _do_without(work, ops)
            await _settle(work, caller, [op for op in ops if not _still_waits(op)])
    return rows[0]["account_id"], rows[0]["device_id"]


async def _do_without(work: Work, ops: Sequence[Op]) -> None:
    """Let operations that have waited in vain for a record that they can do without act without it.

    What was refused or lost keeps nobody from having patrolled, or from having met somebody.
    """
    lacking = []
    for op in ops:
        if op.late and op.status is None and isinstance(op.problem, NotFound) and op.kind and op.kind.spares:
            op.whole = op.whole.model_copy(update={op.kind.spares: None})
            lacking.append(op)
    await act(work, lacking)


def _still_waits(op: Op) -> bool:
    """Tell whether an operation goes on waiting for its predecessor; it may have become the township's to decide."""
    return op.status == Status.HELD and op.held_for == Held.PREDECESSOR


async def decide_held(work: Work, op_id: UUID, body: HeldDecision) -> dict[str, Any]:
    """Apply or refuse, in its author's name, an operation that was made outside their units.

    Raises:
        NotFound: no such operation.
        NotHeld: it does not wait for the township.
    """
    row = await held_for_township(work, op_id)
    op = read_stored(work, row)
    author = await author_of(work, row) or Caller("nobody")
    office = replace(work.caller, account_id=row["account_id"], device_id=row["device_id"], places=None)
    async with in_name_of(work, office):
        if body.decision == "reject":
            op.problem = NotFound()
        elif op.problem is None:
            await name_units(work, author, [op])
            await act(work, [op])
        await _settle(work, author, [op])
    await work.sql.execute(_DECIDED, work.township_code, op_id, work.now, work.account_id, body.note)
    return await show_operation(work, op_id)


async def _settle(work: Work, author: Caller, ops: Sequence[Op]) -> None:
    """Store what became of operations that waited, and tell of their records in their author's name."""
    if ops:
        await open_conflicts(work, ops)
        places = await places_of(work, author, ops, await work.tell())
        results = [result_of(op, places) for op in ops]
        await ledger.settle(work, ops, results)


async def author_of(work: Work, row: asyncpg.Record) -> Caller | None:
    """Return the author of a stored operation, with the scope that they have now."""
    account = await work.sql.fetchrow(_AUTHOR, row["account_id"], work.township_code)
    if account is None:
        return None
    places = frozenset(account["checkpoint_ids"]) if account["role"] == Role.CHECKPOINT else None
    scope = Scope(tuple(str(code) for code in account["codes"]))
    return Caller(account["role"], scope, row["account_id"], None, row["device_id"], places)


def read_stored(work: Work, row: asyncpg.Record) -> Op:
    """Return a stored operation as it was when it was first read."""
    words = unseal(work, ledger.SEALED_OP, row["id"], row["op_sealed"])
    assert words is not None
    sent = json.loads(words)
    time = OpTime(row["op_at"], TimeQuality(row["time_quality"]))
    op = Op(row["id"], True, sent, bytes(row["content_hash"]), row["device_id"], time)
    try:
        envelope = OpBody.model_validate(sent)
        op.kind, op.target = KINDS[envelope.kind], envelope.target
        op.take(envelope, op.kind)
    except (ValidationError, KeyError, Problem):  # this version of the program no longer reads it
        op.problem = Invalid()
    return op
