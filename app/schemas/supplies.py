"""Supplies (contract, section 13): 物资保障.

Quantities are JSON numbers with at most three decimals, in and out.
"""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from app.core.field_texts import declare
from app.core.validation import fault
from app.domain.op_time import TimeQuality
from app.domain.supplies import MoveKind, Place
from app.schemas.fields import (
    CLAIMED_AT,
    TIME_QUALITY,
    Body,
    Code,
    Day,
    Id,
    Instant,
    Name,
    Note,
    UnitCode,
    View,
)

declare("three-decimals", "数量最多保留三位小数。", "A quantity has at most three decimals.")

MOST = Decimal("999999999.999")


def _quantity(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault("invalid-type")
    quantity = Decimal(str(value))
    if abs(quantity) > MOST:
        raise fault("out-of-range")
    if quantity != round(quantity, 3):
        raise fault("three-decimals")
    return round(quantity, 3)


Quantity = Annotated[
    Decimal,
    BeforeValidator(_quantity),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "examples": [20, 0.5]}),
]
"""A number with at most three decimals."""

Norm = Annotated[
    Quantity,
    Field(ge=0),
    WithJsonSchema({"type": "number", "minimum": 0, "examples": [1]}),
]


class ItemBody(Body):
    """A kind of thing."""

    id: Id | None = None
    name: Name
    unit_of_measure: Name = Field(examples=["只"])
    per_person_per_shift: Norm = Field(Decimal(0), description="What one person needs for one shift.")
    per_site: Norm = Field(Decimal(0), description="What one disinfection of one site needs.")
    min_stock: Norm = Field(Decimal(0), description="Below this a unit's stock is shown as low.")


class ItemView(View):
    """A kind of thing."""

    id: Id
    name: str
    unit_of_measure: str
    per_person_per_shift: Quantity
    per_site: Quantity
    min_stock: Quantity
    author_id: Id
    recorded_at: Instant


class MoveBody(Body):
    """A move of supplies."""

    takes_place: ClassVar[str] = "at"

    id: Id | None = None
    item_id: Id
    quantity: Quantity = Field(description="More than 0; of an `adjust` also less than 0.")
    kind: MoveKind
    unit_code: UnitCode | None = Field(
        None,
        description="Left out: the caller's only unit; of the township's office its own store (...000).",
    )
    place: Place | None = Field(
        None, description="Of an `adjust`: which balance is wrong, `stock` (default) or `on_the_way`."
    )
    at: Instant
    note: Note | None = None


class MoveView(View):
    """A move as stored."""

    id: Id
    unit_code: Code
    item_id: Id
    quantity: Quantity
    kind: MoveKind
    taken_from: Place = Field(description="The place that the quantity was taken from.")
    taken_code: Code
    given_to: Place
    given_code: Code
    at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day
    note: str | None
    author_id: Id
    recorded_at: Instant


class StockView(View):
    """What a unit, or the township's store, has of an item. In sum over all rows of an item,
    `stock + on_the_way + used = received + corrected`."""

    unit_code: Code
    item_id: Id
    name: str
    unit_of_measure: str
    stock: Quantity
    on_the_way: Quantity = Field(description="Issued to the unit, and not confirmed yet.")
    used: Quantity
    received: Quantity = Field(description="From suppliers; of the store only.")
    corrected: Quantity = Field(description="By stocktakings, more (or, below 0, less) than the moves say.")
    min_stock: Quantity
    low: bool = Field(description="The stock is below `min_stock`.")


class NeedView(View):
    """What a unit needs of an item on a day."""

    unit_code: Code
    item_id: Id
    name: str
    unit_of_measure: str
    people: int = Field(description="Posts on shifts of that day.")
    sites: int = Field(description="Disinfections that the day still needs.")
    need: Quantity
    stock: Quantity
    on_the_way: Quantity
    shortage: Quantity = Field(
        description="What the stock lacks of the need; what is on the way is not there."
    )
