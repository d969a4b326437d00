"""Publicity (contract, section 14): 宣传单、标语、广播."""

from typing import Annotated, ClassVar

from pydantic import Field

from app.domain.op_time import TimeQuality
from app.domain.publicity import MaterialKind
from app.schemas.fields import (
    CLAIMED_AT,
    TIME_QUALITY,
    Body,
    Code,
    Day,
    Id,
    Instant,
    Name,
    Pending,
    PhotoIds,
    UnitCode,
    View,
    Whole,
)


class MaterialBody(Body):
    """A material of the township's catalogue."""

    id: Id | None = None
    name: Name
    kind: MaterialKind
    quota_per_unit: Annotated[Whole, Field(ge=0, le=1_000_000)] | None = Field(
        None,
        description="What each unit owes of this one; left out, it counts towards the quota of its kind.",
    )


class MaterialView(View):
    """A material as stored."""

    id: Id
    name: str
    kind: MaterialKind
    quota_per_unit: int | None
    recorded_at: Instant
    rev: int


class PublicityBody(Body):
    """So many of a material were handed out, put up or read out; a broadcast that was sent once counts 1."""

    takes_place: ClassVar[str] = "at"

    id: Id | None = None
    material_id: Id
    unit_code: UnitCode
    count: Annotated[Whole, Field(ge=1, le=100_000)]
    at: Instant
    photo_ids: PhotoIds = Field(default_factory=list)


class PublicityView(View):
    """A publicity log as stored."""

    id: Id
    material_id: Id
    kind: MaterialKind = Field(description="The material's.")
    unit_code: Code
    count: int
    at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day
    photo_ids: list[str]
    photo_pending: Pending
    author_id: Id
    recorded_at: Instant


class QuotaLine(View):
    """What is measured together: one material with a quota of its own, or all others of a kind."""

    kind: MaterialKind
    material_id: Id | None = Field(description="Null for a kind's line.")
    name: str | None = Field(description="The material's; null for a kind's line.")
    quota: int | None = Field(description="What a unit owes; null where nothing is owed.")
    done: int
    short: int = Field(description="What is still owed.")


class UnitPublicity(View):
    """One unit's lines."""

    unit_code: Code
    name: str
    lines: list[QuotaLine]
    complete: bool = Field(description="Nothing is owed.")


class PublicityReport(View):
    """Done against quota, unit by unit; of all days so far."""

    code: str
    units_expected: int
    units_complete: int
    totals: dict[str, int] = Field(
        description="The sum of all counts, by kind, also of materials with own quotas."
    )
    units: list[UnitPublicity]
