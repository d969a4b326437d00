"""Visits to quarantined persons (contract, section 5)."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from app.core.validation import fault
from app.domain.enums import AlertKind, HalfDay, VisitKind
from app.domain.op_time import TimeQuality
from app.schemas.fields import (
    CLAIMED_AT,
    TIME_QUALITY,
    Body,
    Code,
    Day,
    Flag,
    Id,
    Instant,
    Line,
    Note,
    Pending,
    PhotoIds,
    Symptoms,
    Temperature,
    View,
)

_MOST_YUAN = Decimal(1_000_000)


def _yuan(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault("invalid-type")
    amount = Decimal(str(value))
    if not 0 <= amount <= _MOST_YUAN:
        raise fault("out-of-range")
    if amount != round(amount, 2):
        raise fault("invalid-format")
    return amount


Yuan = Annotated[
    Decimal,
    BeforeValidator(_yuan),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1_000_000, "multipleOf": 0.01}),
]
"""What a purchase cost, in yuan with at most two decimals."""


class Purchase(Body):
    """Something bought for the person (代购食品药品)."""

    item: Line
    amount_yuan: Yuan | None = None


class VisitBody(Body):
    """A visit as it was made. `temperature` needs `temperature_c`; a service visit may bring one."""

    id: Id | None = None
    order_id: Id
    kind: VisitKind
    occurred_at: Instant
    slot: HalfDay | None = Field(None, description="The half day it is for; left out, that of `occurred_at`.")
    temperature_c: Temperature | None = None
    symptoms: Symptoms = Field(default_factory=list)
    at_home: Flag
    purchases: list[Purchase] = Field(default_factory=list, max_length=50)
    needs: list[Line] = Field(default_factory=list, max_length=50)
    note: Note | None = None
    photo_ids: PhotoIds = Field(default_factory=list)


class PurchaseView(View):
    """Something bought for the person."""

    item: str
    amount_yuan: float | None = None


class VisitView(View):
    """A recorded visit."""

    id: Id
    order_id: Id
    unit_code: Code
    kind: VisitKind
    occurred_at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day = Field(description="The township's day on which it took place.")
    slot: HalfDay
    temperature_c: Temperature | None = None
    symptoms: list[str]
    at_home: bool
    purchases: list[PurchaseView]
    needs: list[str]
    note: str | None = None
    photo_ids: list[str]
    photo_pending: Pending
    alerts: list[AlertKind] = Field(description="The alerts that it raised.")
    author_id: Id
    recorded_at: Instant
