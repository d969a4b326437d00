"""Days and half-days by the township's clock: the vectors, and that they tile time without gap or overlap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.days import day_bounds, local_day, slot_bounds, slots_of_day
from app.domain.enums import HalfDay
from tests.domain.vectors import cases

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "Asia/Shanghai",
            "Asia/Urumqi",
            "America/New_York",
            "Europe/London",
            "Australia/Lord_Howe",
        )
    ]
    + [
        ZoneInfo(name)
        for name in ("America/Sao_Paulo", "Asia/Kathmandu", "UTC", "Africa/Cairo", "America/Havana")
    ]
)
DAYS = st.dates(date(1990, 1, 1), date(2037, 12, 31))
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
NAIVE = datetime(2020, 2, 3, 9)  # noqa: DTZ001


@pytest.mark.parametrize(("given_", "expected"), cases("slots.json", "slot_bounds"))
def test_slot_bounds_vector(given_, expected):
    bounds = slot_bounds(
        date.fromisoformat(given_["day"]),
        HalfDay(given_["slot"]),
        given_["per_day"],
        ZoneInfo(given_["timezone"]),
    )
    assert bounds == (
        datetime.fromisoformat(expected["starts_at"]),
        datetime.fromisoformat(expected["ends_at"]),
    )
    assert [instant.tzinfo for instant in bounds] == [UTC, UTC]


@given(INSTANTS, ZONES)
def test_an_instant_lies_within_the_bounds_of_its_day_and_of_no_other(instant, zone):
    day = local_day(instant, zone)
    start, end = day_bounds(day, zone)
    assert start <= instant < end
    assert day_bounds(day + timedelta(days=1), zone)[0] == end
    assert day_bounds(day - timedelta(days=1), zone)[1] == start


@given(DAYS, ZONES)
def test_am_and_pm_make_up_the_day(day, zone):
    start, end = day_bounds(day, zone)
    am, pm = (slot_bounds(day, slot, 2, zone) for slot in HalfDay)
    assert (am[0], am[1], pm[1]) == (start, pm[0], end)
    assert am[1].astimezone(zone).strftime("%F %T") == f"{day} 12:00:00"
    assert slot_bounds(day, HalfDay.AM, 1, zone) == (start, end)


def test_a_day_is_that_of_the_township_not_of_the_offset_sent():
    assert local_day(datetime.fromisoformat("2020-02-02T23:00:00-05:00"), SHANGHAI) == date(2020, 2, 3)
    assert local_day(datetime.fromisoformat("2020-02-03T00:00:00+14:00"), SHANGHAI) == date(2020, 2, 2)


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="offset"):
        local_day(NAIVE, SHANGHAI)


def test_there_is_no_pm_with_one_slot_a_day():
    with pytest.raises(ValueError, match="no pm"):
        slot_bounds(date(2020, 2, 3), HalfDay.PM, 1, SHANGHAI)


@pytest.mark.parametrize("slots_per_day", [0, 3, -1])
def test_a_day_has_one_slot_or_two(slots_per_day):
    with pytest.raises(ValueError, match="one slot or two"):
        slot_bounds(date(2020, 2, 3), HalfDay.AM, slots_per_day, SHANGHAI)


def test_slots_of_a_day():
    assert slots_of_day(1) == (HalfDay.AM,)
    assert slots_of_day(2) == (HalfDay.AM, HalfDay.PM)
