"""Operations whose record the caller cannot see now: made before a cadre or a household moved, or before their time.

What was done for a unit while it was one's own still counts, whenever it arrives. What was done there afterwards waits
for the township. And what was made from something that has not arrived waits for that, for five days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from app.core.problems import Forbidden, NotFound
from app.core.scope import Scope, township_row
from app.core.work import Caller, Work
from app.domain.feed import CHECKPOINT, CLINIC, UNIT, RecordKind
from app.domain.sync import Held, Status
from app.services.edits import PredecessorMissing
from app.services.lanes import in_name_of, in_offices_name
from app.services.sync.acting import act
from app.services.sync.assignments import allowed, former_assignments
from app.services.sync.filing import TABLES, file_with_records
from app.services.sync.ops import Op

_MOVED = """
SELECT DISTINCT ON (f.kind, f.id) f.id, f.at FROM feed_heads h
JOIN feed f ON f.township_code = $1 AND f.unit_code = h.unit_code AND f.audience = h.audience
    AND f.kind = ANY($2) AND f.id = ANY($3) AND f.change = 'move_out'
WHERE h.township_code = $1 AND split_part(h.audience, '-', 1) = ANY($4)
ORDER BY f.kind, f.id, f.at DESC
"""

_MADE_BY_PHONES = (
    RecordKind.HOUSEHOLD,
    RecordKind.PERSON,
    RecordKind.QUARANTINE_ORDER,
    RecordKind.SHIFT,
    RecordKind.VENUE,
    RecordKind.CLOSURE,
    RecordKind.MARKET_ROUND,
    RecordKind.PAIRING,
    RecordKind.TIP,
)


async def extend(work: Work, ops: Sequence[Op]) -> None:
    """Find an end for operations that were refused because the caller does not reach their record."""
    refused = [op for op in ops if _out_of_reach(op)]
    if refused:
        await _as_formerly(work, refused)
    refused = [op for op in refused if _out_of_reach(op)]
    if refused:
        await _after_moves(work, refused)
    for op in await _waiting([op for op in ops if _may_wait(op)], work):
        op.status, op.held_for = Status.HELD, Held.PREDECESSOR


def _out_of_reach(op: Op) -> bool:
    return op.status is None and isinstance(op.problem, NotFound | Forbidden) and op.body is not None


async def _as_formerly(work: Work, ops: Sequence[Op]) -> None:
    """Let operations act under the assignment that was in force when they were made."""
    former = await former_assignments(work, work.caller)
    for op in ops:
        then = next((one for one in former if op.time.at < one.ended_at), None)
        if then is not None and allowed(then.caller, op):
            await _act_as(work, op, then.caller)
        for over in reversed([one for one in former if one.ended_at <= op.time.at]):
            if _out_of_reach(op) and allowed(over.caller, op):
                await _hold_if_possible(work, op, over.caller)


async def _act_as(work: Work, op: Op, caller: Caller) -> None:
    async with in_name_of(work, caller):
        await act(work, [op])
    op.reach = caller


async def _hold_if_possible(work: Work, op: Op, caller: Caller) -> None:
    """Hold an operation for the township where another scope would have let it act; nothing of that trial stays."""
    refusal = op.problem
    tally, changes = work.tally.copy(), work.changes.copy()
    await work.sql.execute("SAVEPOINT trial")
    await _act_as(work, op, caller)
    possible = not _out_of_reach(op)
    async with in_name_of(work, caller):
        await file_with_records(work, [op] if possible else [])
    await work.sql.execute("ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial")
    work.tally, work.changes = tally, changes
    op.renew()
    op.problem = refusal
    if possible:
        op.status, op.held_for = Status.HELD, Held.TOWNSHIP


async def _after_moves(work: Work, ops: Sequence[Op]) -> None:
    """Let operations act on records that have moved out of the caller's units, if they were made before."""
    needs = {op.id: _needs(op) for op in ops}
    wanted = {need for own in needs.values() for need in own}
    if not wanted:
        return
    kinds, ids = zip(*wanted, strict=True)
    rows = await work.sql.fetch(
        _MOVED, work.township_code, list(kinds), list(ids), [UNIT, CLINIC, CHECKPOINT]
    )
    moved = {row["id"]: row["at"] for row in rows}
    for op in ops:
        left = [need for need in needs[op.id] if need[1] in moved]
        gone = [moved[id_] for _, id_ in left]
        stayed = [need for need in needs[op.id] if need not in left]
        if not gone or not allowed(work.caller, op) or not await _all_seen(work, stayed):
            continue
        caller = replace(work.caller, scope=await _wider(work, left))
        if op.time.at < min(gone):
            await _act_as(work, op, caller)
        else:
            await _hold_if_possible(work, op, caller)


async def _all_seen(work: Work, needs: Iterable[tuple[RecordKind, UUID]]) -> bool:
    """Tell whether the caller sees all of these: a record that left them is no key to whatever else is named."""
    for kind, id_ in needs:
        statement = f"SELECT 1 FROM {TABLES[kind]} WHERE township_code = $1 AND id = $2"
        if await work.sql.fetchval(statement, work.township_code, id_) is None:
            return False
    return True


async def _wider(work: Work, needs: Iterable[tuple[RecordKind, UUID]]) -> Scope:
    """Return the caller's scope and the units in which these records now stand."""
    units: set[int] = set()
    async with in_offices_name(work):
        for kind, id_ in needs:
            unit = await work.sql.fetchval(
                f"SELECT unit_code FROM {TABLES[kind]} WHERE township_code = $1 AND id = $2",
                work.township_code,
                id_,
            )
            units |= {unit} - {None, township_row(work.township_code)}
    return Scope.of([*work.caller.scope.prefixes, *map(str, units)])


def _needs(op: Op) -> list[tuple[RecordKind, UUID]]:
    return [] if op.kind is None else list(op.kind.needs(op.target, op.body))


def _may_wait(op: Op) -> bool:
    """Tell whether a refusal may come of something that is still on its way."""
    if op.status is not None or op.problem is None or op.late or op.body is None:
        return False
    stranger = any(error.code == "not-a-member" for error in op.problem.errors)
    return isinstance(op.problem, NotFound | PredecessorMissing) or stranger


async def _waiting(ops: Sequence[Op], work: Work) -> list[Op]:
    """Return those of the operations that were made from something that is not there."""
    waiting = [op for op in ops if isinstance(op.problem, PredecessorMissing)]
    others = [op for op in ops if not isinstance(op.problem, PredecessorMissing)]
    seen: set[UUID] = set()
    for kind in _MADE_BY_PHONES:
        ids = [id_ for op in others for k, id_ in _needs(op) if k == kind]
        if ids:
            statement = f"SELECT id FROM {TABLES[kind]} WHERE township_code = $1 AND id = ANY($2)"
            seen |= {row["id"] for row in await work.sql.fetch(statement, work.township_code, ids)}
    return waiting + [
        op for op in others if any(k in _MADE_BY_PHONES and id_ not in seen for k, id_ in _needs(op))
    ]
