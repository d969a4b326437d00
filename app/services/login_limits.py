"""Login limits, kept in the database so that neither a restart nor a second process forgets them."""

from datetime import timedelta
from uuid import UUID

from app.core.problems import TooMany
from app.core.work import OpenWork, Work

WINDOW = timedelta(minutes=15)
ADDRESS_FACTOR = 20
"""An address may fail this many times as often as a name: a village office shares one."""
CHANGES = 10
"""How often in a window an account may name a wrong present password when it wants another."""

_TRY = """
INSERT INTO login_attempts AS a (key, window_ends, failures) VALUES ($1, $2, 1)
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN a.window_ends > $3 THEN a.failures + 1 ELSE 1 END,
    window_ends = CASE WHEN a.window_ends > $3 THEN a.window_ends ELSE $2 END
RETURNING failures, window_ends
"""

_FORGET = "DELETE FROM login_attempts WHERE key = $1"


def _key(work: Work, kind: str, value: str) -> bytes:
    return work.vault.fingerprint(f"login-{kind}", value)


async def count_try(open_work: OpenWork, username: str, address: str, most: int) -> None:
    """Count one try, before its password is looked at, so that parallel guesses cannot pass the limit.

    Raises:
        TooMany: this name, or this address, has failed too often in the present window.
    """
    async with open_work() as work:
        waits = [
            await _count(work, "address", address, most * ADDRESS_FACTOR),
            await _count(work, "name", username, most),
        ]
    _refuse_above(max(waits))


async def count_change(open_work: OpenWork, account_id: UUID) -> None:
    """Count one try to name an account's present password in order to change it, before it is looked at.

    A login that was left open, or its token, must not be a way to guess the password.

    Raises:
        TooMany: too many failures in the present window.
    """
    async with open_work() as work:
        wait = await _count(work, "change", str(account_id), CHANGES)
    _refuse_above(wait)


async def _count(work: Work, kind: str, value: str, limit: int) -> float:
    """Count a failure; return the seconds until the window ends where there are too many, else 0."""
    return await count(work, _key(work, kind, value), WINDOW, limit)


async def count(work: Work, key: bytes, window: timedelta, limit: int) -> float:
    """Count one try under a key, whose window begins with its first; return the seconds until the window ends where
    there are more than the limit, else 0."""
    row = await work.sql.fetchrow(_TRY, key, work.now + window, work.now)
    assert row is not None
    seconds: float = (row["window_ends"] - work.now).total_seconds()
    return seconds if row["failures"] > limit else 0


def _refuse_above(wait: float) -> None:
    if wait > 0:
        raise TooMany(int(wait) + 1)


async def forgive_change(work: Work, account_id: UUID) -> None:
    """Let the count of `count_change` start afresh."""
    await work.sql.execute(_FORGET, _key(work, "change", str(account_id)))


async def forgive(work: Work, username: str, address: str) -> None:
    """Take the try of a login that succeeded back: the name starts afresh, the address has one less.

    The address goes first, as in `count_try`, so that two logins never wait for each other in a circle.
    """
    await work.sql.execute(
        "UPDATE login_attempts SET failures = failures - 1 WHERE key = $1 AND failures > 0",
        _key(work, "address", address),
    )
    await work.sql.execute(_FORGET, _key(work, "name", username))
