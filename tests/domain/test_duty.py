"""Which of somebody's shifts leaves no room for another."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from app.domain.duty import Span, clash

MIDNIGHT = datetime(2026, 2, 3, tzinfo=UTC)
REST = timedelta(hours=8)
MINUTE = timedelta(minutes=1)


def span(begin: timedelta, end: timedelta, id_: UUID | None = None) -> Span:
    """A shift between two times after midnight."""
    return Span(id_ or uuid4(), MIDNIGHT + begin, MIDNIGHT + end)


def hours(begin: float, end: float, id_: UUID | None = None) -> Span:
    return span(timedelta(hours=begin), timedelta(hours=end), id_)


@pytest.mark.parametrize(
    ("other", "near"),
    [
        (hours(-32, -8), False),
        (span(timedelta(hours=-32) + MINUTE, timedelta(hours=-8) + MINUTE), True),
        (span(timedelta(hours=-9), timedelta(hours=-8) + MINUTE), True),
        (hours(-16, 8), True),
        (hours(2, 3), True),
        (hours(16, 40), False),
        (span(timedelta(hours=16) - MINUTE, timedelta(hours=40)), True),
    ],
)
def test_a_shift_is_too_near_until_the_rest_lies_between(other: Span, near: bool) -> None:
    wanted = hours(0, 8)
    assert clash(wanted, [other], REST) == (other if near else None)
    assert clash(other, [wanted], REST) == (wanted if near else None)
    around = [hours(-300, -290), hours(-200, -180), other, hours(200, 210), hours(300, 310)]
    assert clash(wanted, around, REST) == (other if near else None)


def test_the_first_shift_too_near_is_told_and_the_own_place_is_free() -> None:
    wanted = hours(0, 8)
    long, short, own = hours(-30, -7), hours(-28, -27), hours(1, 9, wanted.shift_id)
    later = hours(10, 12)
    assert clash(wanted, [long, short, own, later], REST) == long
    assert clash(wanted, [short, own, later], REST) == later
    assert clash(wanted, [short, own], REST) is None
