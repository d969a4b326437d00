"""Closures, venues and inspections (contract, section 15): 关停、限行."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from app.domain.closures import ClosureState, Found, VenueKind
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
)
from app.schemas.townships import unset

MarketCode = Annotated[
    str, StringConstraints(pattern=r"^[1-9][0-9]{8}([0-9]{3})?$"), Field(examples=["511303106243"])
]


class VenueBody(Body):
    """A place where people meet."""

    id: Id | None = None
    unit_code: UnitCode
    name: Name
    kind: VenueKind
    essential: Flag = Field(description="Whether people need it open: food, medicine.")


class VenuePatch(Body):
    """A change of a venue."""

    name: Name = unset()
    kind: VenueKind = unset()
    essential: Flag = unset()
    active: Flag = unset()


class VenueView(View):
    """A venue as stored."""

    id: Id
    unit_code: Code
    name: str
    kind: VenueKind
    essential: bool
    active: bool = Field(description="Whether it still exists.")
    author_id: Id
    recorded_at: Instant
    rev: int


class ClosureBody(Body):
    """What is shut: exactly one of a venue, the market days of a place, or a road."""

    id: Id | None = None
    venue_id: Id | None = None
    market_code: MarketCode | None = Field(
        None, description="The unit whose market days are called off, or the township: all of them."
    )
    road: Line | None = None
    starts_on: Day
    ends_on: Day | None = Field(None, description="The last day; left out: until further notice.")
    notice: Annotated[Note, Field(min_length=1)]
    photo_ids: PhotoIds = Field(default_factory=list)


class ClosurePatch(Body):
    """A change of a closure: another last day, or null for until further notice; another notice."""

    ends_on: Day | None = unset()
    notice: Annotated[Note, Field(min_length=1)] = unset()


class ClosureView(View):
    """A closure, and how it stands on a day by that day's inspections."""

    id: Id
    unit_code: Code = Field(description="The venue's or the market's unit; else the township's own row.")
    venue_id: Id | None
    market_code: Code | None
    road: str | None
    starts_on: Day
    ends_on: Day | None
    notice: str
    photo_ids: list[str]
    photo_pending: Pending
    author_id: Id
    recorded_at: Instant
    rev: int
    day: Day = Field(description="The day of which `state` speaks.")
    state: ClosureState
    venues: int = Field(description="What it shuts: the venue; of a market closure the markets of the place.")
    inspected: int = Field(description="How many of them were inspected that day.")
    found_open: int = Field(description="How many of them the day's last inspection found open or crowded.")


class InspectionBody(Body):
    """Somebody looked whether a venue is shut."""

    takes_place: ClassVar[str] = "at"

    id: Id | None = None
    venue_id: Id
    at: Instant
    found: Found
    action: Line | None = Field(None, description="What was done about it.")
    photo_ids: PhotoIds = Field(default_factory=list)


class InspectionView(View):
    """An inspection as stored."""

    id: Id
    unit_code: Code
    venue_id: Id
    at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day
    found: Found
    breach: bool = Field(
        description="People gathered, or it was open and is not essential; by what stood then."
    )
    action: str | None
    photo_ids: list[str]
    photo_pending: Pending
    author_id: Id
    recorded_at: Instant
