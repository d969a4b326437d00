"""Staff of a checkpoint (卡点组) see their own checkpoints only; the fence knows units, not places."""

from uuid import UUID

from app.core.problems import NotFound
from app.core.work import Work

_GATE = "SELECT number FROM checkpoints WHERE township_code = $1 AND id = $2"


def at_own_place(work: Work, checkpoint_id: UUID) -> bool:
    """Tell whether the caller is not limited to single checkpoints, or this is one of theirs."""
    places = work.caller.places
    return places is None or checkpoint_id in places


def check_place(work: Work, checkpoint_id: UUID) -> None:
    """Refuse another checkpoint than the caller's own.

    Raises:
        NotFound: it is not theirs.
    """
    if not at_own_place(work, checkpoint_id):
        raise NotFound


async def find_gate(work: Work, checkpoint_id: UUID) -> int | None:
    """Return the number of a checkpoint that is the caller's to see, or None."""
    if not at_own_place(work, checkpoint_id):
        return None
    number: int | None = await work.sql.fetchval(_GATE, work.township_code, checkpoint_id)
    return number


async def gate_number(work: Work, checkpoint_id: UUID) -> int:
    """Return the number of a checkpoint.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    number = await find_gate(work, checkpoint_id)
    if number is None:
        raise NotFound
    return number


def places_of(work: Work) -> list[UUID] | None:
    """Return the checkpoints to which a statement is limited, as a parameter of it; None is no such limit."""
    places = work.caller.places
    return None if places is None else sorted(places)
