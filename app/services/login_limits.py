"""Login limits, kept in the database so that neither a restart nor a second process forgets them."""

from datetime import timedelta

from app.core.problems import TooMany
from app.core.work import OpenWork, Work

WINDOW = timedelta(minutes=15)
ADDRESS_FACTOR = 20
"""An address may fail this many times as often as a name: a village office shares one."""

_TRY = """
INSERT INTO login_attempts AS a (key, window_ends, failures) VALUES ($1, $2, 1)
ON CONFLICT (key) DO UPDATE SET
    failures = CASE WHEN a.window_ends > $3 THEN a.failures + 1 ELSE 1 END,
    window_ends = CASE WHEN a.window_ends > $3 THEN a.window_ends ELSE $2 END
RETURNING failures, window_ends
"""


def _key(work: Work, kind: str, value: str) -> bytes:
    return work.vault.fingerprint(f"login-{kind}", value)


async def count_try(open_work: OpenWork, username: str, address: str, most: int) -> None:
    """Count one try, before its password is looked at, so that parallel guesses cannot pass the limit.

    Raises:
        TooMany: this name, or this address, has failed too often in the present window.
    """
    waits: list[float] = []
    async with open_work() as work:
        for kind, value, limit in (("address", address, most * ADDRESS_FACTOR), ("name", username, most)):
            row = await work.sql.fetchrow(_TRY, _key(work, kind, value), work.now + WINDOW, work.now)
            assert row is not None
            if row["failures"] > limit:
                waits.append((row["window_ends"] - work.now).total_seconds())
    if waits:
        raise TooMany(int(max(waits)) + 1)


async def forgive(work: Work, username: str, address: str) -> None:
    """Take the try of a login that succeeded back: the name starts afresh, the address has one less.

    The address goes first, as in `count_try`, so that two logins never wait for each other in a circle.
    """
    await work.sql.execute(
        "UPDATE login_attempts SET failures = failures - 1 WHERE key = $1 AND failures > 0",
        _key(work, "address", address),
    )
    await work.sql.execute("DELETE FROM login_attempts WHERE key = $1", _key(work, "name", username))
