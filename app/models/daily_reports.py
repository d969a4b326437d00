"""Daily reports (日报): what units declared, and what the counters said when a day was frozen."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from app.models.base import TownshipData, Written, day_field, document, time_field


class ReportSubmission(Written, table=True):
    """One report of a unit for a day. Further ones correct it: the latest counts, the first was on time or not."""

    __tablename__ = "report_submissions"
    __table_args__ = (Index("ix_report_submissions_day", "township_code", "day", "unit_code"),)

    day: date = day_field()
    timing: str
    declared: dict[str, Any] = document()
    note: str | None = Field(default=None, sa_type=Text)


class ReportDay(TownshipData, table=True):
    """How far a day of the township was frozen. Its unit is the township as a whole."""

    __tablename__ = "report_days"

    day: date = day_field(primary_key=True)
    revision: int
    compared_at: datetime = time_field()
    """When its last revision was held against the records."""


class FrozenReport(TownshipData, table=True):
    """The numbers of one unit in one revision of a day's report; they never change."""

    __tablename__ = "frozen_reports"

    day: date = day_field(primary_key=True)
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    seq: int = Field(sa_type=BigInteger)
    """How far the unit's feed had come: what counts."""
    frozen_at: datetime = time_field()
    made_at: datetime = time_field()
    timing: str
    numbers: str = Field(sa_type=Text)
    """Every metric, as canonical JSON."""


class ReportChange(TownshipData, table=True):
    """What a later revision of a day's report says otherwise of a unit, and the records by which it does."""

    __tablename__ = "report_changes"

    day: date = day_field(primary_key=True)
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    before: int = Field(sa_type=BigInteger)
    after: int = Field(sa_type=BigInteger)
    records: list[dict[str, Any]] = document()
