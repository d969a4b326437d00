"""Callers who hang up while their transaction begins: the connection that they leave is as good as new, or dropped."""

import asyncio
from typing import Any

import pytest

from app.access import in_townships_name
from app.core import database
from tests.sync.snares import until
from tests.town import Town

_SLEEPS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE $1"


async def test_whoever_hangs_up_while_it_begins_leaves_no_transaction(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEGIN is made slow, so that the caller goes while it is on its way, and nobody knows yet how it will end."""
    open_lanes, sleeps = database.lane_settings, [f"SELECT pg_sleep(30) -- {town.code} {n}" for n in range(3)]

    def slowly(*of: Any) -> str:  # what else works in the background begins as ever
        mine = asyncio.current_task() in started
        return f"{open_lanes(*of)};{sleeps[0]}" if mine else open_lanes(*of)

    started: list[asyncio.Task[None]] = []
    monkeypatch.setattr(database, "lane_settings", slowly)

    async def stay() -> None:
        async with in_townships_name(town.kit, town.code):
            raise AssertionError("it has begun")

    async def it_begins() -> bool:
        return await town.owner.fetchval(_SLEEPS, f"%{sleeps[0]}") == 1

    async def look() -> bool:
        async with town.kit.database.connection() as link:
            await link.sql.fetchval("SELECT 1")
            await asyncio.sleep(0.01)  # so that each of them has a connection of its own
            return link.sql.is_in_transaction()

    while sleeps:
        task = asyncio.create_task(stay())
        started.append(task)
        await until(it_begins)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert await asyncio.gather(*(look() for _ in range(8))) == [False] * 8
        sleeps.pop(0)
