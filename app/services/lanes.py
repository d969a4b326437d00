"""Which lanes of the fence are open to a caller, and how a transaction is continued in another's name."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from app.core.scope import NOWHERE, Scope, lane_settings
from app.core.work import Caller, Township, Work
from app.domain.enums import Role
from app.domain.permissions import LANES, Width

EVERY_LANE = frozenset(lane for lanes in LANES.values() for lane in lanes)


def lanes_of(caller: Caller, township: Township) -> dict[str, Scope]:
    """Return the lanes of the fence that are open to a caller; none to nobody."""
    if caller.role not in LANES:
        return {}
    wide = Scope((str(township.code),))
    lanes = LANES[Role(caller.role)]
    return {lane: caller.scope if width is Width.OWN else wide for lane, width in lanes.items()}


@asynccontextmanager
async def in_name_of(work: Work, caller: Caller) -> AsyncIterator[None]:
    """Go on as another caller, who sees what their own lanes show, and then as before."""
    before = work.caller
    await _become(work, caller)
    try:
        yield
    except BaseException:
        work.caller = before  # the lanes go back with the savepoint or the transaction
        raise
    await _become(work, before)


def in_offices_name(work: Work) -> AbstractAsyncContextManager[None]:
    """Go on as the township's office, which sees all units, and then as before; the author stays who it is."""
    whole = Scope((str(work.township_code),))
    return in_name_of(work, replace(work.caller, role=Role.TOWNSHIP, scope=whole, places=None))


async def _become(work: Work, caller: Caller) -> None:
    work.caller = caller
    lanes = dict.fromkeys(EVERY_LANE, NOWHERE) | lanes_of(caller, work.township)
    await work.sql.execute(lane_settings(lanes, caller.account_id))
