"""Minutes of the daily meeting (会议纪要)."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, Text
from sqlmodel import Field

from app.models.base import Written, day_field, ids


class BriefingMinutes(Written, table=True):
    """What was said and decided at a day's meeting. It is the township's as a whole."""

    __tablename__ = "briefing_minutes"
    __table_args__ = (Index("ix_briefing_minutes_day", "township_code", "day", "recorded_at"),)

    day: date = day_field()
    text: str = Field(sa_type=Text)
    order_ids: list[UUID] = ids()
    """The orders that its decisions became."""
