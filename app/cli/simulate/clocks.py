"""A phone's clocks: one that runs forward until the phone is started again, and one that shows whatever it shows."""

import uuid
from collections.abc import Callable

Seconds = Callable[[], float]
"""Tells true time in seconds, from whatever origin; tests and simulations let it run as they like."""


class Clocks:
    """The monotonic clock of one boot, and a wall clock that is wrong by `skew_ms`."""

    def __init__(self, true: Seconds, wall_origin_ms: int, skew_ms: int = 0) -> None:
        self._true = true
        self._wall_origin_ms = wall_origin_ms
        self.skew_ms = skew_ms
        self.boot_id = ""
        self._booted = 0.0
        self.reboot()

    def reboot(self) -> None:
        """Start the phone again: the monotonic clock begins anew."""
        self.boot_id = uuid.uuid4().hex[:12]
        self._booted = self._true()

    @property
    def mono_ms(self) -> int:
        """Milliseconds since the phone was started."""
        return round((self._true() - self._booted) * 1000)

    @property
    def wall_ms(self) -> int:
        """What the wall clock shows, in Unix milliseconds."""
        return self._wall_origin_ms + round(self._true() * 1000) + self.skew_ms
