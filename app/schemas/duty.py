"""Duty and patrols (contract, section 12): AB组夜间值守、夜间巡逻."""

from typing import Annotated, ClassVar

from pydantic import Field

from app.domain.duty import FindingKind, Group, ShiftKind, SquadKind
from app.domain.enums import Team
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
    Name,
    Note,
    Pending,
    PhotoIds,
    ScopeCode,
    UnitCode,
    View,
)
from app.schemas.townships import WallTime, unset

StaffIds = Annotated[list[Id], Field(max_length=100)]


class ShiftBody(Body):
    """A turn of duty, at most 24 hours. It belongs to the day on which it starts."""

    id: Id | None = None
    unit_code: UnitCode = Field(description="A unit, or the township's own row (...000) for its office.")
    team: Team | None = None
    kind: ShiftKind
    group: Group
    starts_at: Instant
    ends_at: Instant
    staff_ids: StaffIds = Field(default_factory=list)


class ShiftPatch(Body):
    """A change of a shift."""

    team: Team | None = unset()
    group: Group = unset()
    starts_at: Instant = unset()
    ends_at: Instant = unset()
    staff_ids: StaffIds = unset()
    cancelled: Flag = unset()


class Hours(Body):
    """When a turn starts and ends, by the township's clock; `ends` at or before `starts` is on the next day."""

    starts: WallTime
    ends: WallTime


class RotaBody(Body):
    """Turns for a span of days, of each unit in the code: A and B alternate."""

    code: ScopeCode
    from_: Day = Field(alias="from")
    to: Day
    night: Hours
    first: Group | None = Field(
        None,
        description="Whose turn the first night is. Left out, the turns of the night before go on; else A begins.",
    )
    team: Team | None = None


class RotaView(View):
    """What was made; what was there already stays as it is."""

    created: int
    existing: int
    vacant: int = Field(description="Of those created: turns for which nobody is free, fit and rested.")


class SigningBody(Body):
    """Somebody comes on duty, or goes off it."""

    takes_place: ClassVar[str] = "at"

    id: Id | None = None
    staff_id: Id
    at: Instant


class PostView(View):
    """One person on a shift."""

    staff_id: Id
    name: str
    signed_in_at: Instant | None = Field(description="The first sign-in.")
    signed_out_at: Instant | None = Field(description="The last sign-out.")


class ShiftView(View):
    """A turn of duty, with who is posted and who came."""

    id: Id
    unit_code: Code
    team: Team | None
    kind: ShiftKind
    group: Group = Field(validation_alias="turn")
    starts_at: Instant
    ends_at: Instant
    day: Day
    cancelled: bool
    staff_ids: list[Id]
    posts: list[PostView]
    vacant: bool = Field(description="Nobody is posted.")
    unfit: list[Id] = Field(description="Of those posted: who has become unfit, or has left.")
    not_signed_in: list[Id] = Field(description="Of a shift that has begun: who has not signed in.")
    rev: int


class FindingBody(Body):
    """Something that a patrol met."""

    kind: FindingKind
    note: Note
    photo_ids: PhotoIds = Field(default_factory=list)


class PatrolBody(Body):
    """A patrol as it was made."""

    takes_place: ClassVar[str] = "started_at"

    id: Id | None = None
    unit_code: UnitCode
    shift_id: Id | None = None
    squad_id: Id | None = None
    started_at: Instant
    ended_at: Instant
    findings: list[FindingBody] = Field(default_factory=list, max_length=50)


class FindingView(View):
    """Something that a patrol met."""

    kind: FindingKind
    note: str
    photo_ids: list[str]


class PatrolView(View):
    """A patrol as stored."""

    id: Id
    unit_code: Code
    shift_id: Id | None
    squad_id: Id | None
    started_at: Instant = Field(validation_alias="at")
    ended_at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day
    findings: list[FindingView]
    photo_ids: list[str]
    photo_pending: Pending
    author_id: Id
    recorded_at: Instant


class SquadBody(Body):
    """A squad of the township's (突击小分队)."""

    id: Id | None = None
    name: Name
    kind: SquadKind = SquadKind.STRIKE
    leader_id: Id | None = None
    staff_ids: StaffIds = Field(default_factory=list)


class SquadView(View):
    """A squad."""

    id: Id
    name: str
    kind: SquadKind
    leader_id: Id | None
    staff_ids: list[Id]
    active: bool
    rev: int
