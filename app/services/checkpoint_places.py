"""Staff of a checkpoint (卡点组) see their own checkpoints only; the fence knows units, not places."""

from uuid import UUID

from app.core.problems import NotFound
from app.core.work import Work


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


def places_of(work: Work) -> list[UUID] | None:
    """Return the checkpoints to which a statement is limited, as a parameter of it; None is no such limit."""
    places = work.caller.places
    return None if places is None else sorted(places)
