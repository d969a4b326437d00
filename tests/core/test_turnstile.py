"""The turnstile: those turned away under one key are answered at a pace, and none pile up."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.problems import TooMany
from app.core.turnstile import LONGEST, PACE, Turnstile


class Time:
    """A clock that stands, and what was waited by it."""

    def __init__(self) -> None:
        self.now, self.waits = 100.0, list[float]()

    async def rest(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))


async def test_one_key_is_answered_one_after_another() -> None:
    time = Time()
    turnstile = Turnstile(time.rest, lambda: time.now)
    for key in (b"a", b"a", b"b", b"a"):
        await turnstile.linger(key)
    assert time.waits == [PACE, 2 * PACE, PACE, round(3 * PACE, 6)]
    time.now += 60
    await turnstile.linger(b"a")
    assert time.waits[-1] == PACE


async def test_who_sends_still_faster_is_not_kept() -> None:
    time = Time()
    turnstile = Turnstile(time.rest, lambda: time.now)
    for _ in range(1000):
        await turnstile.linger(b"a")
    assert len(time.waits) == round(LONGEST / PACE)
    assert max(time.waits) == LONGEST


def test_a_key_is_shut_until_its_time() -> None:
    turnstile, now = Turnstile(), datetime(2020, 2, 3, tzinfo=UTC)
    turnstile.shut(b"a", now + timedelta(seconds=30))
    with pytest.raises(TooMany):
        turnstile.check(b"a", now + timedelta(seconds=29))
    turnstile.check(b"a", now + timedelta(seconds=30))
    turnstile.check(b"b", now)
