"""Disinfection (清洁消毒): the places to disinfect, and the work done there."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index, Numeric, SmallInteger, text
from sqlmodel import Field

from app.models.base import Written, day_field, points_to, texts, time_field


class DisinfectionSite(Written, table=True):
    """A place that is disinfected every day; a household in quarantine is one while an order is active there."""

    __tablename__ = "disinfection_sites"
    __table_args__ = (
        points_to("households", "household_id"),
        Index(
            "uq_disinfection_sites_household",
            "township_code",
            "household_id",
            unique=True,
            postgresql_where=text("household_id IS NOT NULL"),
        ),
        Index("ix_disinfection_sites_unit", "township_code", "unit_code", "active"),
    )

    name: str
    kind: str
    times_per_day: int = Field(default=1, sa_type=SmallInteger)
    priority: bool = False
    active: bool = True
    active_since: date = day_field()
    inactive_since: date | None = day_field(default=None)
    """The day on which it ceased to be a site; None while it is one."""
    household_id: UUID | None = None
    rev: int = 1


class DisinfectionLog(Written, table=True):
    """One disinfection of one site."""

    __tablename__ = "disinfection_logs"
    __table_args__ = (
        points_to("disinfection_sites", "site_id"),
        Index("ix_disinfection_logs_site", "township_code", "site_id", "day"),
        Index("ix_disinfection_logs_time", "township_code", "occurred_at", "id"),
    )

    site_id: UUID
    occurred_at: datetime = time_field()
    claimed_at: datetime | None = time_field(default=None)
    time_quality: str | None = None
    day: date = day_field()
    counted: bool
    """Whether it is one of the disinfections that the site required that day; further ones count nothing."""
    counted_at: datetime | None = time_field(default=None)
    """When it became one; null in rows of earlier versions, for which it was when they were recorded."""
    agent: str | None = None
    litres: Decimal | None = Field(default=None, sa_type=Numeric(8, 2))
    photo_ids: list[str] = texts()
    note: str | None = None
