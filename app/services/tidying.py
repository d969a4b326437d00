"""What the program forgets by itself: logins that ended, and login tries of windows that are over.

Both would grow for ever, and anybody can make rows of the second kind without a password.
"""

from datetime import datetime

import asyncpg

BATCH = 5000

# A row that a login holds just now is passed over, so that nobody waits here, nor in a circle; the next round has it.
_ENDED_SESSIONS = f"""
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
"""

_PAST_TRIES = f"""
DELETE FROM login_attempts WHERE key IN (
    SELECT key FROM login_attempts WHERE window_ends <= $1 ORDER BY window_ends LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
"""


_UNUSED_TICKETS = f"""
DELETE FROM live_tickets WHERE hash IN (
    SELECT hash FROM live_tickets WHERE expires_at <= $1 ORDER BY expires_at LIMIT {BATCH} FOR UPDATE SKIP LOCKED
)
"""


async def tidy(sql: asyncpg.Connection, now: datetime) -> None:
    """Delete some of what nobody can use any more; called again and again, it deletes all."""
    await sql.execute(_ENDED_SESSIONS, now)
    await sql.execute(_PAST_TRIES, now)
    await sql.execute(_UNUSED_TICKETS, now)
