"""What every command opens first: the database and the key ring, with a plain word when either cannot be had."""

import asyncio
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from app.core import provision
from app.core.clock import SystemClock
from app.core.keys import KeyRing, KeyRingError
from app.core.kit import Kit, make_kit
from app.core.settings import Settings

T = TypeVar("T")


@contextmanager
def opened(settings: Settings, *, share: bool = False) -> Iterator[Settings]:
    """Yield settings whose database runs and whose key ring exists.

    Raises:
        SystemExit: it cannot be had; the message says why and what to do.
    """
    leave_on_sigterm(128 + signal.SIGTERM)
    try:
        with provision.database(settings, share=share) as found:
            _ensure_keys(found)
            yield found
    except (provision.NoDatabase, KeyRingError, OSError) as error:
        raise SystemExit(f"wangge: {error}") from None


def leave_on_sigterm(code: int) -> None:
    """Let SIGTERM end this process in good order, so that the embedded database is stopped and not cut off.

    uvicorn finishes its requests first and then raises the signal again. Further signals do not disturb the end.
    """
    if threading.current_thread() is not threading.main_thread():
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(code)

    signal.signal(signal.SIGTERM, leave)


def _ensure_keys(settings: Settings) -> None:
    """Make a key ring for a new installation; never for one whose data were sealed with a ring that is missing."""
    if settings.key_file.exists():
        KeyRing.load(settings.key_file)
        return
    assert settings.database_url is not None
    if asyncio.run(provision.holds_data(settings.database_url)):
        raise SystemExit(
            f"wangge: the database holds data, but its key ring {settings.key_file} is missing. Put the ring back "
            "(WANGGE_KEYS names another place); without it ID numbers and phones cannot be read."
        )
    settings.key_file.parent.mkdir(parents=True, exist_ok=True)
    KeyRing.create(settings.key_file, int(time.time()))


def run_with_kit(settings: Settings, job: Callable[[Kit], Awaitable[T]]) -> T:
    """Run `await job(kit)` with a kit of its own, and return its result."""

    async def inner() -> T:
        kit = make_kit(settings, SystemClock())
        try:
            return await job(kit)
        finally:
            await kit.database.close()

    return asyncio.run(inner())
