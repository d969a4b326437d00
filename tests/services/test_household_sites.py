"""Households under quarantine as disinfection sites, and what they add to `sites_due`."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

from app.access import in_townships_name
from app.core.ids import uuid7
from app.services.household_sites import orders_changed
from tests.rows import household, log_disinfection, open_order, release_order
from tests.town import Town


async def tell(town: Town, *households: UUID) -> None:
    async with in_townships_name(town.kit, town.code) as work:
        await orders_changed(work, households)


async def sites(town: Town) -> list[tuple[UUID, bool, int]]:
    rows = await town.owner.fetch(
        "SELECT household_id, active, times_per_day FROM disinfection_sites WHERE township_code = $1",
        town.code,
    )
    return [tuple(row) for row in rows]


async def due(town: Town, day: date) -> int:
    """Return the stock as a report reads it: the sum of all changes up to the day."""
    total: int = await town.owner.fetchval(
        "SELECT coalesce(sum(sites_due), 0) FROM daily_counters WHERE township_code = $1 AND day <= $2",
        town.code,
        day,
    )
    return total


async def test_an_active_order_makes_the_household_a_site_until_it_ends(town: Town) -> None:
    home, today = await household(town), town.today()
    first, second = await open_order(town, home), await open_order(town, home)
    await tell(town, home)
    await tell(town, home, home, uuid7())
    assert await sites(town) == [(home, True, 1)]
    assert (await due(town, today), await due(town, today - timedelta(days=1))) == (1, 0)
    await release_order(town, first)
    await tell(town, home)
    assert await sites(town) == [(home, True, 1)]
    await release_order(town, second)
    await tell(town, home)
    assert await sites(town) == [(home, False, 1)]
    assert await due(town, today) == 0
    await open_order(town, home)
    await tell(town, home)
    assert await sites(town) == [(home, True, 1)]
    assert await due(town, today) == 1


async def test_what_was_disinfected_today_stays_due_today(town: Town) -> None:
    home, today = await household(town), town.today()
    order = await open_order(town, home)
    await tell(town, home)
    await log_disinfection(town, home, today)
    await release_order(town, order)
    await tell(town, home)
    assert (await due(town, today), await due(town, today + timedelta(days=1))) == (1, 0)
    await open_order(town, home)
    await tell(town, home)
    assert (await due(town, today), await due(town, today + timedelta(days=1))) == (1, 1)


async def test_parallel_changes_of_one_household_book_it_once(town: Town) -> None:
    homes = [await household(town) for _ in range(5)]
    orders = [await open_order(town, home) for home in homes]
    await asyncio.gather(*(tell(town, *homes) for _ in range(6)))
    assert sorted(await sites(town)) == sorted((home, True, 1) for home in homes)
    assert await due(town, town.today()) == 5
    for order in orders:
        await release_order(town, order)
    await asyncio.gather(*(tell(town, *homes) for _ in range(6)))
    assert sorted(await sites(town)) == sorted((home, False, 1) for home in homes)
    assert await due(town, town.today()) == 0
