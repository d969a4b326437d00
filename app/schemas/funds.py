"""Funds (contract, section 13): 专项经费. Money is a decimal string, in yuan."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from app.core.validation import fault
from app.domain.funds import FundKind
from app.domain.op_time import TimeQuality
from app.schemas.fields import (
    CLAIMED_AT,
    TIME_QUALITY,
    Body,
    Code,
    Day,
    Id,
    Instant,
    Line,
    Pending,
    PhotoIds,
    UnitCode,
    View,
)

_YUAN = re.compile(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?", re.ASCII)


def _yuan(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise fault("invalid-type")
    if not _YUAN.fullmatch(value):
        raise fault("invalid-format")
    return Decimal(value)


Yuan = Annotated[
    Decimal,
    BeforeValidator(_yuan),
    PlainSerializer(lambda yuan: f"{yuan:.2f}", return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?$", "examples": ["2000.00"]}
    ),
]
"""An amount of money in yuan: a decimal string with at most two decimals; leaves with two."""


class FundBody(Body):
    """Money granted, spent or returned."""

    takes_place: ClassVar[str] = "at"

    id: Id | None = None
    unit_code: UnitCode
    amount_yuan: Yuan = Field(gt=0)
    purpose: Line
    kind: FundKind
    at: Instant
    photo_ids: PhotoIds = Field(default_factory=list)


class FundView(View):
    """Money granted, spent or returned, as stored."""

    id: Id
    unit_code: Code
    amount_yuan: Yuan
    purpose: str
    kind: FundKind
    at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day
    photo_ids: list[str]
    photo_pending: Pending
    author_id: Id
    recorded_at: Instant


class FundBalanceView(View):
    """What became of a unit's money: `balance_yuan` = granted − spent − returned."""

    unit_code: Code
    granted_yuan: Yuan
    spent_yuan: Yuan
    returned_yuan: Yuan
    balance_yuan: Yuan
