"""What somebody was before: the roles and scopes that an operation may have been made under."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from app.core.scope import Scope
from app.core.work import Caller, Work
from app.domain.enums import Role
from app.domain.permissions import GRANTS
from app.services.sync.ops import Op

_FORMER = """
SELECT role, codes, checkpoint_ids, ended_at FROM former_assignments WHERE account_id = $1 ORDER BY ended_at
"""


@dataclass(frozen=True, slots=True)
class Former:
    """A role and scope that the caller had until a moment."""

    caller: Caller
    ended_at: datetime


async def former_assignments(work: Work, caller: Caller) -> list[Former]:
    """Return what somebody was before, the earliest first."""
    return [_former(caller, row) for row in await work.sql.fetch(_FORMER, caller.account_id)]


def _former(caller: Caller, row: asyncpg.Record) -> Former:
    places = frozenset(row["checkpoint_ids"]) if row["role"] == Role.CHECKPOINT else None
    scope = Scope(tuple(str(code) for code in row["codes"]))
    return Former(replace(caller, role=row["role"], scope=scope, places=places), row["ended_at"])


def allowed(caller: Caller, op: Op) -> bool:
    """Tell whether a role may ever do what an operation does."""
    return op.kind is not None and caller.role in GRANTS[op.kind.permission]


async def name_units(work: Work, author: Caller, ops: Iterable[Op]) -> None:
    """Write into operations that leave their unit out the one that was their author's when they were made.

    Judged by the unit that is theirs when it arrives, or by whoever decides of it, it would be booked elsewhere.
    """
    unnamed = [op for op in ops if op.kind and op.kind.of_own_unit and op.body and op.body.unit_code is None]
    former = await former_assignments(work, author) if unnamed else []
    for op in unnamed:
        unit = _assignment(author, former, op).scope.only_unit
        if unit is not None:
            op.body = op.whole = op.body.model_copy(update={"unit_code": str(unit)})


def _assignment(author: Caller, former: Sequence[Former], op: Op) -> Caller:
    """Return what the author was when an operation was made; if that may not do it, what they were last that may."""
    then = next((one.caller for one in former if op.time.at < one.ended_at), author)
    before = [one.caller for one in former if one.ended_at <= op.time.at]
    return next((one for one in (then, *reversed(before)) if allowed(one, op)), then)
