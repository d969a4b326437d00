"""Letting operations act: in groups as large as their order allows, and one by one where a group breaks."""

import logging
from collections.abc import Sequence
from copy import copy
from uuid import UUID

import asyncpg

from app.core.database import AWAY
from app.core.problems import Broken, FieldError
from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.op_order import Step, groups
from app.services.sync.kinds import RUNS
from app.services.sync.ops import Op

log = logging.getLogger("wangge.sync")

# Everything that a batch will touch, unless one service locks it all, in the order in which all services lock.
_LOCKS = (
    "SELECT 1 FROM households WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
    """SELECT 1 FROM people WHERE township_code = $1 AND (id = ANY($2) OR household_id = ANY($2) OR id IN (
        SELECT person_id FROM quarantine_orders WHERE township_code = $1 AND id = ANY($2))) ORDER BY id FOR UPDATE""",
    "SELECT 1 FROM quarantine_orders WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM alerts WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM disinfection_sites WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM shifts WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM venues WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM closures WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM market_rounds WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM pairings WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM tips WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
    "SELECT 1 FROM self_reports WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE",
)


async def act(work: Work, ops: Sequence[Op]) -> None:
    """Let operations act, each to its own end. What breaks a group breaks only itself: then each acts alone."""
    if not ops:
        return
    for op in ops:
        op.renew()
    if await _unbroken(work, ops):
        return
    for op in ops:
        op.renew()
        if not await _unbroken(work, [op]):
            op.renew()
            op.problem = Broken()


async def _unbroken(work: Work, ops: Sequence[Op]) -> bool:
    """Let operations act behind a savepoint; tell whether they did, or were taken back because something broke."""
    tally, changes = work.tally.copy(), work.changes.copy()
    await work.sql.execute("SAVEPOINT ops")
    try:
        await _in_groups(work, ops)
    except Exception as error:
        if _is_away(work, error):
            raise
        log.warning("operations taken back", extra={"error": type(error).__name__, "ops": len(ops)})
        await work.sql.execute("ROLLBACK TO SAVEPOINT ops")
        work.tally, work.changes = tally, changes
        return False
    await work.sql.execute("RELEASE SAVEPOINT ops")
    return True


def _is_away(work: Work, error: Exception) -> bool:
    """Tell whether the database is away or busy, so that the whole push is to be sent again; else it is a fault of
    ours, and must block nobody but the operation that brings it to light."""
    misuse = isinstance(error, asyncpg.InterfaceError) and not work.sql.is_closed()
    return isinstance(error, AWAY) and not misuse


async def _in_groups(work: Work, ops: Sequence[Op]) -> None:
    steps = [_step(op) for op in ops]
    plan = groups(steps)
    if len(plan) > 1 or any(op.target for op in ops):
        named = [record for step in steps for record in step.records if isinstance(record, UUID)]
        for statement in _LOCKS:
            await work.sql.execute(statement, work.township_code, named)
    for positions in plan:
        group = [ops[position] for position in positions]
        await RUNS[steps[positions[0]].kind](work, group)
    for op in ops:
        _own(work, op)


def _step(op: Op) -> Step:
    assert op.kind is not None
    return Step(op.kind.name, op.kind.records(op.target, op.body), op.kind.together)


def _own(work: Work, op: Op) -> None:
    """Note whose doing a record was, and say of a fault that it lies in the operation's body."""
    if op.problem is not None and op.problem.errors:
        inside = [FieldError(f"/body{e.pointer}", e.code, e.message) for e in op.problem.errors]
        op.problem = copy(op.problem)  # another operation may have met the same
        op.problem.errors = tuple(inside)
    if op.entity is not None and op.problem is None:
        kind: RecordKind = op.entity[0]
        work.changes.op_of[kind.value, op.entity[1]] = op.id
