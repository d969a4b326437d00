"""Closures (关停、限行): the venues of each unit, what is shut, and what inspections found."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from app.models.base import Event, Written, day_field, points_to, texts


class Venue(Written, table=True):
    """A shop, a restaurant, a market, a mahjong room: a place where people meet."""

    __tablename__ = "venues"
    __table_args__ = (Index("ix_venues_unit", "township_code", "unit_code", "kind"),)

    name: str
    kind: str
    essential: bool
    active: bool = True
    """Whether it still exists: one that is gone is no longer inspected."""
    rev: int = 1


class Closure(Written, table=True):
    """What is shut from one day to another: a venue, the market days of a place, or a road."""

    __tablename__ = "closures"
    __table_args__ = (
        points_to("venues", "venue_id"),
        Index("ix_closures_time", "township_code", "recorded_at", "id"),
    )

    venue_id: UUID | None = None
    market_code: int | None = Field(default=None, sa_type=BigInteger)
    """A unit, or the township's own row: all of its market days."""
    road: str | None = None
    starts_on: date = day_field()
    ends_on: date | None = day_field(default=None)
    """The last day, or until further notice."""
    notice: str
    photo_ids: list[str] = texts()
    rev: int = 1


class Inspection(Event, table=True):
    """Somebody looked whether a venue is shut."""

    __tablename__ = "inspections"
    __table_args__ = (
        points_to("venues", "venue_id"),
        Index("ix_inspections_time", "township_code", "at", "id"),
        Index("ix_inspections_venue", "township_code", "venue_id", "day"),
    )

    venue_id: UUID
    found: str
    breach: bool
    """Whether it should not have been so; judged when it was recorded."""
    action: str | None = None
    photo_ids: list[str] = texts()
