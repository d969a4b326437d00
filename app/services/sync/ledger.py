"""The ledger of operations: who was first with an id, and what was answered, for as long as results are remembered.

A claim is the first write of a push: of two parallel deliveries of one operation, the later waits here for the end of
the earlier one, and then answers from what that stored.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from uuid import UUID, uuid5

import asyncpg

from app.core.problems import Broken, IdReused
from app.core.scope import is_unit_code, township_row
from app.core.work import Work
from app.domain.op_time import OpTime, TimeQuality
from app.domain.sync import DONE, PATIENCE, Held, Status
from app.services.sealing import seal
from app.services.sync.ops import Op
from app.services.sync.results import Result, stored_result

SEALED_OP = "operations.op"

# Most operations are applied: a claim says so already, so that settling it changes no index.
_CLAIM = """
INSERT INTO operations (township_code, account_id, device_id, status, received_at, unit_code, id, kind, content_hash,
    op_at, time_quality)
SELECT $1, $2, $3, 'applied', $4, n.*
FROM unnest($5::bigint[], $6::uuid[], $7::text[], $8::bytea[], $9::timestamptz[], $10::text[])
    AS n(unit_code, id, kind, content_hash, op_at, time_quality)
ORDER BY n.id
ON CONFLICT DO NOTHING RETURNING id
"""

SHOWN = """
id, unit_code, account_id, device_id, kind, content_hash, status, code, errors, entity_kind, entity_id, rev, scope, seq,
received_at, op_at, time_quality, held_for, held_until, op_sealed, settled_at, settled_by, settled_note
"""

_STORED = f"SELECT {SHOWN} FROM operations WHERE township_code = $1 AND id = ANY($2)"

_LOCK_WAITING = """
SELECT id FROM operations WHERE township_code = $1 AND id = ANY($2)
    AND (held_for = 'predecessor' AND status = 'held' OR code = 'internal-error' AND status = 'rejected')
ORDER BY id FOR UPDATE
"""

# `= ANY` keeps a plan that was made while the table was empty from reading all of it later.
_SETTLE_DONE = """
UPDATE operations o SET entity_kind = n.entity_kind, entity_id = n.entity_id, rev = n.rev, scope = n.scope, seq = n.seq
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::bigint[])
    AS n(id, entity_kind, entity_id, rev, scope, seq)
WHERE o.township_code = $1 AND o.id = ANY ($2) AND o.id = n.id
"""

_SETTLE_OTHER = """
UPDATE operations o SET status = n.status, code = n.code, errors = n.errors, entity_kind = n.entity_kind,
    entity_id = n.entity_id, rev = n.rev, scope = n.scope, seq = n.seq, held_for = n.held_for,
    held_until = coalesce(o.held_until, n.held_until), op_sealed = n.op_sealed,
    unit_code = coalesce(n.unit_code, o.unit_code)
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::int[], $6::text[], $7::bigint[], $8::text[], $9::text[],
    $10::jsonb[], $11::text[], $12::timestamptz[], $13::bytea[], $14::bigint[])
    AS n(id, entity_kind, entity_id, rev, scope, seq, status, code, errors, held_for, held_until, op_sealed, unit_code)
WHERE o.township_code = $1 AND o.id = ANY ($2) AND o.id = n.id
"""


async def claim(work: Work, ops: Sequence[Op]) -> dict[int, Result]:
    """Claim the operations' ids; return the results of those that are settled already, by their place in the batch.

    An id that stands twice in the batch is claimed once; the second follows the first where it says the same.
    """
    firsts: dict[UUID, Op] = {}
    for op in ops:
        firsts.setdefault(op.id, op)
    claimed = await _insert(work, list(firsts.values()))
    stored = await load(work, firsts.keys() - claimed)
    waiting = {row["id"] for row in stored.values() if _waits(work, row)}
    retried = await _lock_waiting(work, waiting)
    stored |= await load(work, waiting - retried)  # settled meanwhile, by a parallel delivery
    settled = {}
    for place, op in enumerate(ops):
        if op.id in claimed and op.content_hash == firsts[op.id].content_hash:
            op.claimed = True
            continue
        row = stored.get(op.id)
        if row is None or bytes(row["content_hash"]) != op.content_hash:
            settled[place] = Result.reused(op)
            await _keep_reused(work, op)
        elif op.id not in retried:
            settled[place] = stored_result(row, op.named)
        else:  # the clocks of its first delivery knew better when it was made
            op.retime(OpTime(row["op_at"], TimeQuality(row["time_quality"])))
    return settled


async def _keep_reused(work: Work, op: Op) -> None:
    """Keep what was said under an id that was used before, under an id made of what it says."""
    twin = replace(op, id=uuid5(op.id, op.content_hash.hex()), problem=IdReused())
    if twin.id in await _insert(work, [twin]):
        await settle(work, [twin], [replace(Result.reused(op), id=twin.id)])


def _waits(work: Work, row: asyncpg.Record) -> bool:
    """Tell whether it is the caller's own and not at its end: what waits for its predecessor, and what met a fault of
    ours, is tried again when it is sent again."""
    held = row["status"] == Status.HELD and row["held_for"] == Held.PREDECESSOR
    broken = row["status"] == Status.REJECTED and row["code"] == Broken.code
    return bool((held or broken) and row["account_id"] == work.account_id)


async def _lock_waiting(work: Work, ids: Collection[UUID]) -> frozenset[UUID]:
    """Lock those of the operations that are still not at their end, once whoever holds them is done."""
    if not ids:
        return frozenset()
    locked = await work.sql.fetch(_LOCK_WAITING, work.township_code, list(ids))
    return frozenset(row["id"] for row in locked)


async def _insert(work: Work, ops: Sequence[Op]) -> frozenset[UUID]:
    if not ops:
        return frozenset()
    rows = await work.sql.fetch(
        _CLAIM,
        work.township_code,
        work.account_id,
        ops[0].device_id,
        work.now,
        [_unit_of(work, op) for op in ops],
        [op.id for op in ops],
        [op.kind_name for op in ops],
        [op.content_hash for op in ops],
        [op.time.at for op in ops],
        [op.time.quality for op in ops],
    )
    return frozenset(row["id"] for row in rows)


def _unit_of(work: Work, op: Op) -> int:
    """Return whose leader may read the operation, while nothing better is known (see `filing`): the unit that it names,
    also in a body that cannot be read, if it is the caller's, else their first."""
    body = op.sent.get("body") if isinstance(op.sent, dict) else None
    named = body.get("unit_code") if isinstance(body, dict) else None
    if isinstance(named, str) and is_unit_code(named) and work.sees_unit(int(named)):
        return int(named)
    return work.caller.scope.first_unit or township_row(work.township_code)


async def load(work: Work, ids: Iterable[UUID]) -> dict[UUID, asyncpg.Record]:
    """Return the stored operations among these ids that the caller may see."""
    wanted = list(ids)
    rows = await work.sql.fetch(_STORED, work.township_code, wanted) if wanted else []
    return {row["id"]: row for row in rows}


async def settle(work: Work, ops: Sequence[Op], results: Sequence[Result]) -> None:
    """Store what became of claimed operations, and the words of those that are not plainly applied."""
    done, other = [], []
    for op, result in zip(ops, results, strict=True):
        if op.claimed and result.status == Status.APPLIED:
            done.append(_place(result))
        else:
            other.append((*_place(result), *_fate(work, op, result)))
    if done:
        await work.sql.execute(_SETTLE_DONE, work.township_code, *zip(*done, strict=True))
    if other:
        await work.sql.execute(_SETTLE_OTHER, work.township_code, *zip(*other, strict=True))


def _place(result: Result) -> tuple[object, ...]:
    kind, id_ = result.entity or (None, None)
    return (result.id, kind, id_, result.rev, result.scope, result.seq)


def _fate(work: Work, op: Op, result: Result) -> tuple[object, ...]:
    errors = [{"pointer": e.pointer, "code": e.code} for e in result.errors]
    until = work.now + PATIENCE if result.held_for == Held.PREDECESSOR else None
    kept = None if result.status in DONE else seal(work, SEALED_OP, op.id, _words(op))
    return (result.status, result.code, json.dumps(errors), result.held_for, until, kept, op.unit_code)


def _words(op: Op) -> str:
    return json.dumps(op.sent, ensure_ascii=False, separators=(",", ":"))
