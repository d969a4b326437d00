"""What operators do with the feed and the counters: prove them, mend counters, and begin another epoch."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from app.access import in_townships_name
from app.cli.opening import run_with_kit
from app.core.kit import Kit
from app.core.problems import NotFound
from app.core.settings import Settings
from app.core.work import Work
from app.services.feed_log import Fault, begin_epoch, untold, verify_log
from app.services.recount import Difference, compare, mend

T = TypeVar("T")


def verify(settings: Settings, township: str | None) -> tuple[int, list[Fault]]:
    """Recompute the feed of a township, or of all; return how many rows it has, and what is wrong."""
    rows, faults = 0, list[Fault]()
    for code in _townships(settings) if township is None else [township]:
        count, found = _in_township(settings, code, verify_log)
        rows, faults = rows + count, faults + found + _in_township(settings, code, untold)
    return rows, faults


def recount(settings: Settings, township: str | None, check: bool) -> list[Difference]:
    """Compare the counters of a township, or of all, with the records; correct them unless told only to check."""
    found = []
    for code in _townships(settings) if township is None else [township]:
        differences = _in_township(settings, code, compare)
        found += differences
        if differences and not check:
            _in_township(settings, code, partial(_mend, differences))
    return found


async def _mend(differences: list[Difference], work: Work) -> None:
    mend(work, differences)


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
