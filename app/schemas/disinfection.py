"""Disinfection (清洁消毒): the places, and the work done there (contract, section 7)."""

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from app.core.field_texts import declare
from app.core.validation import fault
from app.domain.enums import SiteKind
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
    Name,
    Note,
    Pending,
    PhotoIds,
    UnitCode,
    View,
    Whole,
)
from app.schemas.townships import unset

declare("two-decimals", "最多保留两位小数。", "At most two decimals.")
_MOST_LITRES = 100_000


def _litres(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault("invalid-type")
    litres = Decimal(str(value))
    if not 0 < litres <= _MOST_LITRES:
        raise fault("out-of-range")
    if litres != round(litres, 2):
        raise fault("two-decimals")
    return round(litres, 2)


Litres = Annotated[
    Decimal,
    BeforeValidator(_litres),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": _MOST_LITRES, "multipleOf": 0.01}),
]
TimesPerDay = Annotated[Whole, Field(ge=1, le=6, description="Required disinfections a day.")]


class SiteBody(Body):
    """A place to disinfect every day. Homes in quarantine become sites by themselves."""

    id: Id | None = None
    unit_code: UnitCode
    name: Name
    kind: SiteKind
    times_per_day: TimesPerDay = 1
    priority: Flag = Field(
        False, description="A place of the area to which special care is given (加强消毒)."
    )


class SitePatch(Body):
    """A change of a site."""

    name: Name = unset()
    times_per_day: TimesPerDay = unset()
    priority: Flag = unset()
    active: Flag = unset()


class SiteView(View):
    """A site, as it stands on a day."""

    id: UUID
    unit_code: Code
    name: str = Field(description="Of a home in quarantine: its address.")
    kind: SiteKind
    times_per_day: int
    priority: bool
    active: bool
    household_id: UUID | None = Field(
        description="The home in quarantine that this is; null for other places."
    )
    day: Day = Field(description="The day that `done` and `due` speak of: the one asked for, else today.")
    done: int = Field(description="Disinfections of the day that count; more than required count once.")
    due: bool = Field(description="Whether the site still needs disinfecting on the day.")


class LogBody(Body):
    """One disinfection of one site."""

    id: Id | None = None
    site_id: Id
    occurred_at: Instant
    agent: Line | None = Field(None, description="What was used (消毒水、酒精).")
    litres: Litres | None = None
    photo_ids: PhotoIds = Field(default_factory=list)
    note: Note | None = None


class LogView(View):
    """A disinfection as stored."""

    id: UUID
    site_id: UUID
    unit_code: Code
    occurred_at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    recorded_at: Instant
    day: Day
    agent: str | None
    litres: Litres | None
    photo_ids: list[str]
    photo_pending: Pending
    note: str | None
    counted: bool = Field(description="Whether it is one of those that the site required on its day.")
    author_id: UUID
