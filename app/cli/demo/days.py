"""The half days that are played: when each begins and ends, and as of when its records are written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.cli.demo.places import ZONE
from app.domain.days import slot_bounds
from app.domain.enums import HalfDay

DAYS = 3
"""How many days of operations the data hold at first, today included."""

_ZONE = ZoneInfo(ZONE)


@dataclass(frozen=True, slots=True)
class Half:
    """Half a day; `number` counts the days from the first one of the data on."""

    day: date
    number: int
    slot: HalfDay
    start: datetime
    end: datetime

    def moment(self, until: datetime) -> datetime:
        """Return when its records are written: just before it ends, so that its slots still run, or now."""
        return min(self.end - timedelta(seconds=30), until)

    def holds(self, moment: datetime, until: datetime) -> bool:
        """Tell whether something happens in this half day, and has happened by now."""
        return self.start <= moment < self.end and moment <= until


def halves(first: date, days: Iterable[date], until: datetime) -> list[Half]:
    """Return the half days that have begun."""
    every = [
        Half(day, (day - first).days, slot, *slot_bounds(day, slot, 2, _ZONE))
        for day in sorted(days)
        for slot in HalfDay
    ]
    return [half for half in every if half.start < until]


def clock(day: date, hour: int, minute: int = 0) -> datetime:
    """Return an instant by the township's clock."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=_ZONE)


def local_date(moment: datetime) -> date:
    """Return the township's day of an instant."""
    return moment.astimezone(_ZONE).date()
