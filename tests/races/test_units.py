"""A unit that is added while something is said to all units: it hears it, whichever of the two is first."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from app.access import in_townships_name
from app.schemas.market_rounds import RoundBody
from app.services.market_rounds import store_rounds
from app.services.townships import UnitRow, hold_units, put_units
from tests.outcomes import an_incident
from tests.publicity import a_round
from tests.pushing import pull
from tests.sheets import as_csv, fate, load
from tests.supplies import made
from tests.sync.snares import waiting
from tests.town import Town


async def begun(town: Town, act: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Begin what must wait for the open transaction, and return it once it does."""
    task = asyncio.create_task(act)
    while not await waiting(town):
        assert not task.done(), "it did not wait"
    return task


async def heard(town: Town, unit: str) -> list[str]:
    """Return the kinds of what a unit has been told."""
    return [c["kind"] for c in (await pull(await town.login("village", [unit])))["changes"]]


async def test_what_is_published_while_a_unit_is_being_added_reaches_it(town: Town) -> None:
    village, added = await town.village(), f"{town.code}990"
    incident = an_incident(town.units[0], town.kit.clock.now(), publish=True)
    async with in_townships_name(town.kit, town.code) as work:
        await put_units(work, [UnitRow(int(added), "新村", "village")])
        publishing = await begun(town, made(village, "/v1/incidents", incident))
    await publishing
    assert await heard(town, added) == ["bulletin"]


async def test_a_unit_that_is_added_while_a_round_is_being_arranged_hears_of_it(town: Town) -> None:
    added = f"{town.code}991"

    async def add() -> None:
        async with in_townships_name(town.kit, town.code) as work:
            await put_units(work, [UnitRow(int(added), "新村", "village")])

    async with in_townships_name(town.kit, town.code) as work:
        body = RoundBody.model_validate(a_round(town.today(), *town.units))
        await store_rounds(work, [body])
        adding = await begun(town, add())
    await adding
    assert await heard(town, added) == ["market_round"]


async def test_units_are_added_in_turn_by_an_import_and_by_an_operator(town: Town) -> None:
    """Both hold the township before they touch a unit, or they would wait for each other in a circle."""
    sheet = as_csv([["区划代码", "名称"], *([unit, f"新名{unit[-3:]}村"] for unit in town.units)])
    async with in_townships_name(town.kit, town.code) as work:
        await hold_units(work, to_add=True)
        importing = await begun(town, load(town, "units", sheet))
        await put_units(work, [UnitRow(int(unit), "旧名村", "village") for unit in town.units])
    assert fate(await importing) == (0, 3, 0, {})
