"""Orders of the command post (contract, section 11): 指令."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.domain.command_orders import Answer, OrderStatus, Requires, UnitState
from app.schemas.fields import (
    Body,
    Code,
    Id,
    Instant,
    Line,
    Pending,
    PhotoIds,
    ScopeCode,
    UnitCode,
    View,
    _clean,
)
from app.schemas.townships import unset

LongText = Annotated[str, StringConstraints(min_length=1, max_length=5000), AfterValidator(_clean)]
Codes = Annotated[
    list[ScopeCode],
    Field(
        min_length=1, max_length=500, description="Units (12 digits), or the township (9): all of its units."
    ),
]


class CommandOrderBody(Body):
    """An order to units."""

    id: Id | None = None
    title: Line
    body: LongText
    codes: Codes
    due_at: Instant
    requires: Requires
    issue_at: Instant | None = Field(
        None, description="When the clock issues it; left out or past, it is issued at once."
    )
    photo_ids: PhotoIds = Field(default_factory=list, description="Attachments.")


class CommandOrderPatch(Body):
    """A change of an order that has not been issued."""

    title: Line = unset()
    body: LongText = unset()
    codes: Codes = unset()
    due_at: Instant = unset()
    requires: Requires = unset()
    issue_at: Instant = unset()
    photo_ids: PhotoIds = unset()


class AcknowledgeBody(Body):
    """A unit has read an order."""

    id: Id | None = None
    unit_code: UnitCode | None = Field(None, description="May be left out by whoever has one unit.")


class AnswerBody(AcknowledgeBody):
    """What a unit says to an order."""

    text: LongText
    photo_ids: PhotoIds = Field(default_factory=list)


class AnswerView(View):
    """One answer of a unit."""

    id: Id
    kind: Answer
    text: str | None = None
    photo_ids: list[str]
    photo_pending: Pending
    author_id: Id
    at: Instant


class OrderUnitView(View):
    """How far a unit has come with an order."""

    id: Id = Field(description="By which the feed tells of it.")
    unit_code: Code
    name: str
    state: UnitState
    fulfilled: bool = Field(description="Whether the unit has done what the order asks for.")
    on_time: bool | None = Field(
        description="Whether it did so before `due_at`; null while neither is known."
    )
    minutes: int | None = Field(description="From the issue to the acknowledgement.")
    minutes_to_fulfil: int | None
    issued_at: Instant
    reminded_at: Instant | None
    acknowledged_at: Instant | None
    feedback_at: Instant | None
    completed_at: Instant | None
    answers: list[AnswerView]


class Progress(View):
    """How many units stand where."""

    issued: int
    acknowledged: int
    feedback: int
    completed: int
    fulfilled: int


class OrderHead(View):
    """An order, with how far the caller's units have come."""

    id: Id
    title: str
    body: str
    codes: list[Code]
    requires: Requires
    status: OrderStatus
    issue_at: Instant
    issued_at: Instant | None
    withdrawn_at: Instant | None
    due_at: Instant
    photo_ids: list[str]
    author_id: Id
    recorded_at: Instant
    rev: int
    progress: Progress


class CommandOrderView(OrderHead):
    """An order with each unit."""

    units: list[OrderUnitView]
