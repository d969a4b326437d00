"""A unit's daily report (日报): when it is due, and what a report that came is called.

Source: 每天下午4点前收集各作战单元工作情况.
"""

from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.days import day_bounds, local_instant


class Timing(StrEnum):
    """Whether a unit's report came before the hour, after it, or not yet (按时、迟报、未报)."""

    ON_TIME = "on_time"
    LATE = "late"
    MISSING = "missing"


class Standing(StrEnum):
    """How firm a frozen report is: that of the afternoon, that of the whole day, or one that later records changed."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    RESTATED = "restated"


PROVISIONAL, FINAL = 1, 2
"""The revisions of a day that the clock freezes: when reports are due, and at the day's end."""


def due_at(day: date, report_due: time, zone: ZoneInfo) -> datetime:
    """Return the instant from which a report of the day is late."""
    return local_instant(day, report_due, zone)


def timing(received_at: datetime, due: datetime) -> Timing:
    """Tell whether a report that was received is on time; at the very instant it is late."""
    return Timing.ON_TIME if received_at < due else Timing.LATE


def standing(revision: int) -> Standing:
    """Return what a revision is called."""
    return {PROVISIONAL: Standing.PROVISIONAL, FINAL: Standing.FINAL}.get(revision, Standing.RESTATED)


def frozen_at(day: date, revision: int, report_due: time, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clock freezes one of the first two revisions of a day."""
    return due_at(day, report_due, zone) if revision == PROVISIONAL else day_bounds(day, zone)[1]
