"""What operators do with the feed: prove that nobody changed it, and begin another epoch after a restore."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.access import in_townships_name
from app.cli.opening import run_with_kit
from app.core.kit import Kit
from app.core.problems import NotFound
from app.core.settings import Settings
from app.core.work import Work
from app.services.feed_log import Fault, begin_epoch, untold, verify_log

T = TypeVar("T")


def verify(settings: Settings, township: str | None) -> tuple[int, list[Fault]]:
    """Recompute the feed of a township, or of all; return how many rows it has, and what is wrong."""
    rows, faults = 0, list[Fault]()
    for code in _townships(settings) if township is None else [township]:
        count, found = _in_township(settings, code, verify_log)
        rows, faults = rows + count, faults + found + _in_township(settings, code, untold)
    return rows, faults


def new_epoch(settings: Settings, township: str) -> None:
    """Let every phone of a township start anew."""
    _in_township(settings, township, begin_epoch)


def _townships(settings: Settings) -> list[str]:
    async def job(kit: Kit) -> list[str]:
        async with kit.database.connection() as link:
            rows = await link.sql.fetch("SELECT code FROM townships ORDER BY code")
        return [str(row["code"]) for row in rows]

    return run_with_kit(settings, job)


def _in_township(settings: Settings, code: str, act: Callable[[Work], Awaitable[T]]) -> T:
    async def job(kit: Kit) -> T:
        async with in_townships_name(kit, int(code)) as work:
            return await act(work)

    if not code.isdigit() or len(code) != 9:
        raise SystemExit("wangge: a township's code has 9 digits.")
    try:
        return run_with_kit(settings, job)
    except NotFound:
        raise SystemExit("wangge: there is no such township.") from None
