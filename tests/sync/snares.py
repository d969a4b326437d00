"""Snares: triggers that a test lays in the database as its owner, and takes away again. The product knows of none."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from httpx import AsyncClient

from tests.town import Town

_numbers = itertools.count(1)

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
_AT_THE_STOP = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    """Poll until a condition holds; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        await asyncio.sleep(0.01)


async def waiting(town: Town) -> int:
    """Return how many transactions wait for a lock."""
    count: int = await town.owner.fetchval(_WAITING)
    return count


def account_of(client: AsyncClient) -> UUID:
    """Return the account for which a client speaks."""
    id_: UUID = client.auth.account_id  # type: ignore[union-attr]
    return id_


@asynccontextmanager
async def snare(town: Town, table: str, event: str, body: str, row: str = "NEW") -> AsyncIterator[None]:
    """Run some PL/pgSQL on every such event of the town's rows: `BEFORE INSERT`, ..., or `COMMIT` of an insert."""
    name = f"snare_{town.code}_{next(_numbers)}"
    at_commit = event == "COMMIT"
    kind, when = ("CONSTRAINT TRIGGER", "AFTER INSERT") if at_commit else ("TRIGGER", event)
    deferred = "DEFERRABLE INITIALLY DEFERRED" if at_commit else ""
    await town.owner.execute(f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
            $$ BEGIN {body} RETURN {row}; END $$;
        CREATE {kind} {name} {when} ON {table} {deferred} FOR EACH ROW WHEN ({row}.township_code = {town.code})
            EXECUTE FUNCTION {name}();
    """)
    try:
        yield
    finally:
        await town.owner.execute(f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}()")


@asynccontextmanager
async def counting(town: Town) -> AsyncIterator[str]:
    """Make a sequence, which counts what is rolled back as well, and return its name."""
    name = f"snare_numbers_{town.code}_{next(_numbers)}"
    await town.owner.execute(f"CREATE SEQUENCE {name}")
    try:
        yield name
    finally:
        await town.owner.execute(f"DROP SEQUENCE {name}")


@dataclass
class Stop:
    """A place where one account's transactions stop until they are released; everybody else passes."""

    town: Town
    key: int
    keeper: Any

    async def reached(self) -> bool:
        """Tell whether somebody stands here."""
        return bool(await self.town.owner.fetchval(_AT_THE_STOP, self.key))

    async def release(self) -> None:
        """Let them go on."""
        await self.keeper.execute("SELECT pg_advisory_unlock_all()")


@asynccontextmanager
async def stop(town: Town, table: str, event: str, account: UUID) -> AsyncIterator[Stop]:
    """Stop an account's transactions at such an event, before whatever comes after it."""
    key = next(_numbers)
    body = f"""
        IF current_setting('app.account', true) = '{account}' THEN
            PERFORM pg_advisory_xact_lock_shared({key});
        END IF;
    """
    async with snare(town, table, event, body), town.owner.acquire() as keeper:
        await keeper.execute(f"SELECT pg_advisory_lock({key})")
        made = Stop(town, key, keeper)
        try:
            yield made
        finally:
            await made.release()
