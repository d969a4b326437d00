"""Days and half-days by the township's clock.

A day begins at midnight of the township's zone, a slot at midnight or noon of it: wall-clock times, so that a day on
which the clocks change has 23 or 25 hours. Instants come in with any offset and go out in UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.enums import HalfDay

_MIDNIGHT, _NOON = time(0), time(12)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the township's day on which an instant falls.

    Raises:
        ValueError: if the instant has no offset.
    """
    return local_time(instant, zone).date()


def local_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return an instant as the township's clock shows it.

    Raises:
        ValueError: if the instant has no offset.
    """
    if instant.utcoffset() is None:
        raise ValueError("an instant needs an offset")
    return instant.astimezone(zone)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of a day and that of the next, in UTC."""
    return local_instant(day, _MIDNIGHT, zone), local_instant(day + timedelta(days=1), _MIDNIGHT, zone)


def slots_of_day(slots_per_day: int) -> tuple[HalfDay, ...]:
    """Return the slots of a day: am and pm, or with one a day am alone.

    Raises:
        ValueError: if a day would have neither one slot nor two.
    """
    if slots_per_day not in (1, 2):
        raise ValueError("a day has one slot or two")
    return tuple(HalfDay)[:slots_per_day]


def slot_bounds(day: date, slot: HalfDay, slots_per_day: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return a slot's first instant and the one that ends it, in UTC.

    am runs from 00:00 to 12:00 and pm from 12:00 to 24:00; with one slot a day, am is the whole day.

    Raises:
        ValueError: if such a day has no such slot.
    """
    if slot not in slots_of_day(slots_per_day):
        raise ValueError("with one slot a day there is no pm")
    start, end = day_bounds(day, zone)
    if slots_per_day == 1:
        return start, end
    noon = local_instant(day, _NOON, zone)
    return (start, noon) if slot is HalfDay.AM else (noon, end)


def local_instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the instant at which the zone's clock first shows a time; one that it skips counts as the skip's end."""
    return datetime.combine(day, wall, zone).astimezone(UTC)
