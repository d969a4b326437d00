"""Orders of the command post (指令): what they ask of each unit, and how far a unit has come.

Source: 7点发布次日工作任务 … 每道指令发出,58个作战单元同步响应、同步反馈、同步落实.
"""

from datetime import datetime
from enum import StrEnum


class Requires(StrEnum):
    """What an order asks for: to be acknowledged, answered, or reported as done (签收、反馈、落实)."""

    ACKNOWLEDGE = "acknowledge"
    FEEDBACK = "feedback"
    COMPLETION = "completion"


class UnitState(StrEnum):
    """How far a unit has come with an order (已下达、已签收、已反馈、已落实)."""

    ISSUED = "issued"
    ACKNOWLEDGED = "acknowledged"
    FEEDBACK = "feedback"
    COMPLETED = "completed"


class OrderStatus(StrEnum):
    """An order before and after it goes out; one that was withdrawn asks for nothing (草稿、已下达、已撤回)."""

    DRAFT = "draft"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


class Answer(StrEnum):
    """What a unit says to an order."""

    ACKNOWLEDGE = "acknowledge"
    FEEDBACK = "feedback"
    COMPLETE = "complete"


REACHES = {
    Answer.ACKNOWLEDGE: UnitState.ACKNOWLEDGED,
    Answer.FEEDBACK: UnitState.FEEDBACK,
    Answer.COMPLETE: UnitState.COMPLETED,
}
_ENOUGH = {
    Requires.ACKNOWLEDGE: UnitState.ACKNOWLEDGED,
    Requires.FEEDBACK: UnitState.FEEDBACK,
    Requires.COMPLETION: UnitState.COMPLETED,
}


def state(
    acknowledged_at: datetime | None, feedback_at: datetime | None, completed_at: datetime | None
) -> UnitState:
    """Return the furthest that a unit has come; an answer stands for those before it."""
    if completed_at is not None:
        return UnitState.COMPLETED
    if feedback_at is not None:
        return UnitState.FEEDBACK
    return UnitState.ISSUED if acknowledged_at is None else UnitState.ACKNOWLEDGED


def fulfilled(reached: UnitState, requires: Requires) -> bool:
    """Tell whether a unit has done what the order asks for."""
    steps = list(UnitState)
    return steps.index(reached) >= steps.index(_ENOUGH[requires])


def minutes(issued_at: datetime, moment: datetime | None) -> int | None:
    """Return the whole minutes from the issue to a moment; None while that has not come."""
    return None if moment is None else max(0, int((moment - issued_at).total_seconds() // 60))
