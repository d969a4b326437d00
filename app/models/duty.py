"""Duty (值守) and patrols (巡逻): shifts, who is posted on them, who signed in and out, and what patrols met."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from app.models.base import (
    Event,
    TownshipData,
    Written,
    day_field,
    document,
    ids,
    points_to,
    texts,
    time_field,
)


class Squad(Written, table=True):
    """A squad of the township's (突击小分队), for patrols and tips."""

    __tablename__ = "squads"

    name: str
    kind: str
    leader_id: UUID | None = None
    staff_ids: list[UUID] = ids()
    active: bool = True
    rev: int = 1


class Shift(Written, table=True):
    """One turn of duty; `day` is the day on which it starts."""

    __tablename__ = "shifts"
    __table_args__ = (Index("ix_shifts_day", "township_code", "day", "unit_code"),)

    team: str | None = None
    kind: str
    turn: str
    """Whose turn it is: A or B."""
    starts_at: datetime = time_field()
    ends_at: datetime = time_field()
    day: date = day_field()
    cancelled: bool = False
    rev: int = 1


class ShiftPost(TownshipData, table=True):
    """A person posted on a shift; who is taken off it stays as `off`."""

    __tablename__ = "shift_posts"
    __table_args__ = (
        points_to("shifts", "shift_id"),
        Index("ix_shift_posts_staff", "township_code", "staff_id", "starts_at"),
    )

    shift_id: UUID = Field(primary_key=True)
    staff_id: UUID = Field(primary_key=True)
    starts_at: datetime = time_field()
    ends_at: datetime = time_field()
    off: bool = False
    """Taken off, or the shift was cancelled: they are free."""


class ShiftSigning(Event, table=True):
    """Somebody came on duty, or went off it. `day` is the shift's."""

    __tablename__ = "shift_signings"
    __table_args__ = (
        points_to("shifts", "shift_id"),
        Index("ix_shift_signings_shift", "township_code", "shift_id"),
    )

    shift_id: UUID
    staff_id: UUID
    kind: str
    counted: bool
    """Whether it is the first sign-in of this person on this shift."""


class Patrol(Event, table=True):
    """A patrol as it was made, from `at` to `ended_at`."""

    __tablename__ = "patrols"
    __table_args__ = (Index("ix_patrols_time", "township_code", "at", "id"),)

    shift_id: UUID | None = None
    squad_id: UUID | None = None
    ended_at: datetime = time_field()
    findings: list[dict[str, Any]] = document(default_factory=list)
    photo_ids: list[str] = texts()
