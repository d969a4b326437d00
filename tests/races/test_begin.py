"""Callers who hang up while their transaction begins: the connection that they leave is as good as new, or dropped."""

import asyncio

from app.access import in_townships_name
from tests.town import Town

TURNS = 120


async def test_whoever_hangs_up_while_it_begins_leaves_no_transaction(town: Town) -> None:
    async def stay() -> None:
        async with in_townships_name(town.kit, town.code):
            await asyncio.sleep(60)

    async def look() -> bool:
        async with town.kit.database.connection() as link:
            await link.sql.fetchval("SELECT 1")
            await asyncio.sleep(0.01)  # so that each of them has a connection of its own
            return link.sql.is_in_transaction()

    for turns in range(TURNS):
        task = asyncio.create_task(stay())
        for _ in range(turns % 40):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await asyncio.gather(*(look() for _ in range(8))) == [False] * 8
