"""When an operation took place, told by a phone whose clock may be wrong (contract, section 9).

Within one boot the monotonic clock tells how long ago something was done, whatever the wall clock says. Across a reboot
only the wall clock is left, and the moment of receipt is the latest possible. Nothing here ever puts operations in an
order: the server does.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

OLDEST_MS = 0
"""1970: the earliest moment at which a wall clock is believed."""
LONGEST_BOOT_MS = 400 * 86_400_000
"""The longest age that a monotonic clock is believed to know: as long as results are remembered."""
LONGEST_GAP_MS = 72 * 3_600_000
"""By how much a typed time may lie before the moment of typing and still be believed ("visited at 9, typed at 18")."""


class TimeQuality(StrEnum):
    """How well a moment is known: from the monotonic clock, the wall clock, or cut off at what is possible."""

    EXACT = "exact"
    WALL = "wall"
    CLAMPED = "clamped"


@dataclass(frozen=True, slots=True)
class PhoneClocks:
    """What a phone's clocks showed when an operation was made and when its batch was sent, in milliseconds."""

    mono_ms: int
    wall_ms: int
    sent_mono_ms: int
    same_boot: bool


@dataclass(frozen=True, slots=True)
class OpTime:
    """When an operation was recorded on the phone, and how well that is known."""

    at: datetime
    quality: TimeQuality


@dataclass(frozen=True, slots=True)
class Moment:
    """When an event took place. `claimed_at` is what a person typed, kept where the phone's clocks were asked."""

    occurred_at: datetime
    claimed_at: datetime | None = None
    quality: TimeQuality | None = None
    recorded_at: datetime | None = None
    """When it was recorded on the phone, where the monotonic clock told: no typed time reaches behind it."""


def recorded_at(clocks: PhoneClocks, received_at: datetime) -> OpTime:
    """Return when an operation was recorded: its age on the monotonic clock before receipt, else the wall clock."""
    age = clocks.sent_mono_ms - clocks.mono_ms
    if clocks.same_boot and 0 <= age <= LONGEST_BOOT_MS:
        return OpTime(received_at - timedelta(milliseconds=age), TimeQuality.EXACT)
    received_ms = _milliseconds(received_at)
    if clocks.wall_ms > received_ms:
        return OpTime(received_at, TimeQuality.CLAMPED)
    if clocks.wall_ms < OLDEST_MS:
        return OpTime(_EPOCH + timedelta(milliseconds=OLDEST_MS), TimeQuality.CLAMPED)
    return OpTime(_EPOCH + timedelta(milliseconds=clocks.wall_ms), TimeQuality.WALL)


def moment_of(recorded: OpTime, wall_ms: int, typed: datetime) -> Moment:
    """Return when an event took place that a person dated by the phone's own wall clock.

    The gap between the typed time and the wall clock is right even where both are wrong, so it is taken off the
    recorded time; a gap below zero or above 72 hours is a mistake, and the recorded time stands.
    """
    gap = wall_ms - _milliseconds(typed)
    at = recorded.at - timedelta(milliseconds=gap) if 0 <= gap <= LONGEST_GAP_MS else recorded.at
    known = recorded.at if recorded.quality is TimeQuality.EXACT else None
    return Moment(at, typed, recorded.quality, known)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
