"""Tips, incidents and bulletins (contract, section 16): 举报、现场处置、公开."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from app.domain.op_time import TimeQuality
from app.domain.outcomes import IncidentAction, IncidentKind, TipSource, TipStatus
from app.schemas.fields import (
    CLAIMED_AT,
    TIME_QUALITY,
    Body,
    Code,
    Day,
    Flag,
    Id,
    Instant,
    Note,
    Pending,
    Phone,
    PhotoIds,
    UnitCode,
    View,
    Whole,
    _clean,
)

Told = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_clean)]
"""What somebody says, up to 2000 characters."""

Count = Annotated[
    Whole, Field(ge=1, le=10_000, description="Machines, people, tables: what the kind counts.")
]


class TipBody(Body):
    """A tip as it was taken down at the telephone."""

    takes_place: ClassVar[str] = "at"

    id: Id | None = None
    unit_code: UnitCode | None = Field(None, description="Left out by the township where nobody knows it.")
    text: Told
    phone: Phone | None = None
    at: Instant | None = Field(None, description="When it came in; left out, now.")
    photo_ids: PhotoIds = Field(default_factory=list)


class DispatchBody(Body):
    """Which squad is sent."""

    squad_id: Id


class ClosingBody(Body):
    """Why nothing more is to be done."""

    note: Told


class TipView(View):
    """A tip, and what became of it."""

    id: Id
    unit_code: Code = Field(description="The township's own row (...000) where no unit was named.")
    source: TipSource
    text: str
    phone: str | None
    at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day
    photo_ids: list[str]
    photo_pending: Pending
    status: TipStatus
    squad_id: Id | None
    dispatched_at: Instant | None
    closed_at: Instant | None
    closed_by: Id | None
    note: str | None = Field(validation_alias="closing_note", description="With which it was closed.")
    incident_id: Id | None = Field(description="The incident that settled it.")
    author_id: Id
    recorded_at: Instant
    rev: int


class IncidentBody(Body):
    """What was met, and what was done about it."""

    takes_place: ClassVar[str] = "at"

    id: Id | None = None
    tip_id: Id | None = Field(None, description="The tip that it settles.")
    unit_code: UnitCode
    kind: IncidentKind
    at: Instant
    action: IncidentAction
    count: Count | None = None
    note: Note
    photo_ids: PhotoIds = Field(default_factory=list)
    publish: Flag = Field(False, description="Tell all units, with names and numbers masked.")


class IncidentView(View):
    """An incident as stored."""

    id: Id
    tip_id: Id | None
    unit_code: Code
    kind: IncidentKind
    at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day
    action: IncidentAction
    count: int | None
    note: str
    photo_ids: list[str]
    photo_pending: Pending
    publish: bool
    author_id: Id
    recorded_at: Instant


class BulletinView(View):
    """What all units are told of an incident."""

    id: Id
    incident_id: Id
    unit_code: Code = Field(description="Where it took place.")
    kind: IncidentKind
    at: Instant
    day: Day
    action: IncidentAction
    count: int | None
    note: str = Field(description="Names, phones and ID numbers masked.")
    photo_ids: list[str]
    photo_pending: Pending
    recorded_at: Instant
