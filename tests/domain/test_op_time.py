"""When an operation took place, by clocks of every kind of wrongness."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.op_time import Moment, OpTime, PhoneClocks, TimeQuality, moment_of, recorded_at

NOON = datetime(2020, 2, 3, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
HOUR = 3_600_000
YEARS = 10 * 365 * 24 * HOUR


@pytest.mark.parametrize("skew", [0, 8 * HOUR, -8 * HOUR, YEARS, -YEARS])
def test_within_one_boot_the_wall_clock_does_not_matter(skew: int) -> None:
    clocks = PhoneClocks(1_000, NOON_MS + skew, 1_000 + 2 * HOUR, same_boot=True)
    assert recorded_at(clocks, NOON) == OpTime(NOON - timedelta(hours=2), TimeQuality.EXACT)


@pytest.mark.parametrize(
    ("wall_ms", "at", "quality"),
    [
        (NOON_MS - HOUR, NOON - timedelta(hours=1), TimeQuality.WALL),
        (NOON_MS, NOON, TimeQuality.WALL),
        (NOON_MS + 1, NOON, TimeQuality.CLAMPED),
        (NOON_MS + YEARS, NOON, TimeQuality.CLAMPED),
        (2**62, NOON, TimeQuality.CLAMPED),
        (0, datetime(1970, 1, 1, tzinfo=UTC), TimeQuality.WALL),
        (-1, datetime(1970, 1, 1, tzinfo=UTC), TimeQuality.CLAMPED),
        (-(2**62), datetime(1970, 1, 1, tzinfo=UTC), TimeQuality.CLAMPED),
    ],
)
def test_across_a_reboot_the_wall_clock_counts_up_to_receipt(
    wall_ms: int, at: datetime, quality: TimeQuality
) -> None:
    assert recorded_at(PhoneClocks(5, wall_ms, 10, same_boot=False), NOON) == OpTime(at, quality)


@pytest.mark.parametrize(("mono", "sent"), [(10, 9), (0, 400 * 24 * HOUR + 1), (-(2**62), 2**62 - 1)])
def test_a_monotonic_clock_that_cannot_be_is_not_believed(mono: int, sent: int) -> None:
    found = recorded_at(PhoneClocks(mono, NOON_MS - HOUR, sent, same_boot=True), NOON)
    assert found == OpTime(NOON - timedelta(hours=1), TimeQuality.WALL)


@pytest.mark.parametrize(
    ("typed_ago", "expected_ago"),
    [
        (timedelta(0), timedelta(0)),
        (timedelta(hours=9), timedelta(hours=9)),
        (timedelta(hours=72), timedelta(hours=72)),
        (timedelta(hours=72, milliseconds=1), timedelta(0)),
        (timedelta(milliseconds=-1), timedelta(0)),
        (timedelta(days=3650), timedelta(0)),
    ],
)
def test_visited_at_nine_typed_at_eighteen(typed_ago: timedelta, expected_ago: timedelta) -> None:
    """The phone's wall clock is three years ahead, and so is what was typed: the gap is right all the same."""
    wrong = timedelta(days=3 * 365)
    recorded = OpTime(NOON, TimeQuality.EXACT)
    typed = NOON + wrong - typed_ago
    wall_ms = NOON_MS + int(wrong.total_seconds() * 1000)
    assert moment_of(recorded, wall_ms, typed) == Moment(NOON - expected_ago, typed, TimeQuality.EXACT, NOON)


def test_only_the_monotonic_clock_tells_when_something_was_recorded() -> None:
    for quality in (TimeQuality.WALL, TimeQuality.CLAMPED):
        assert moment_of(OpTime(NOON, quality), NOON_MS, NOON) == Moment(NOON, NOON, quality, None)
