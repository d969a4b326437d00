"""The audit trail: the chain holds, erasing data does not break it, and whatever else is changed is named."""

import asyncpg
import pytest

from app.access import in_townships_name
from app.core.database import APP_ROLE
from app.services.feed_log import Fault, untold, verify_log
from tests.house.scenario import make_scenario
from tests.town import Town


async def verified(town: Town) -> tuple[int, list[Fault]]:
    async with in_townships_name(town.kit, town.code) as work:
        return await verify_log(work)


async def change(town: Town, statement: str) -> None:
    """Change the log as the tables' owner, who alone could."""
    town.tampered = True
    changed = await town.owner.execute(statement, town.code, int(town.units[0]))
    assert changed.endswith(" 1"), changed


WHERE = "WHERE township_code = $1 AND unit_code = $2 AND audience = 'unit'"


async def test_the_chain_holds(town: Town) -> None:
    await make_scenario(town)
    rows, faults = await verified(town)
    assert faults == []
    assert rows == await town.owner.fetchval("SELECT count(*) FROM feed WHERE township_code = $1", town.code)
    assert rows > 20


async def test_it_names_who_on_which_device_and_by_which_operation(town: Town) -> None:
    scenario = await make_scenario(town)
    row = await town.owner.fetchrow(
        "SELECT author_id, device_id, data::json ->> 'name' AS name FROM feed"
        " WHERE township_code = $1 AND kind = 'person' AND op_id IS NOT NULL AND audience = 'unit'"
        " ORDER BY seq DESC LIMIT 1",
        town.code,
    )
    assert row is not None
    assert (row["author_id"], row["device_id"], row["name"]) == (
        town.accounts["township"],
        "phone-2",
        "王二",
    )
    assert scenario.office is not None


async def test_data_may_be_erased(town: Town) -> None:
    await make_scenario(town)
    await change(town, f"UPDATE feed SET data = NULL, salt = NULL {WHERE} AND seq = 2")
    assert (await verified(town))[1] == []


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        (f"UPDATE feed SET rev = rev + 1 {WHERE} AND seq = 3", 3, "not what was written"),
        (f"UPDATE feed SET at = at + '1 second' {WHERE} AND seq = 5", 5, "not what was written"),
        (f'UPDATE feed SET data = data || \'{{"note": "x"}}\' {WHERE} AND seq = 4', 4, "its data"),
        (f"UPDATE feed SET content_hash = '' {WHERE} AND seq = 4", 4, "not what was written"),
        (f"DELETE FROM feed {WHERE} AND seq = 6", 6, "missing"),
        (f"UPDATE feed_heads SET seq = seq + 1 {WHERE}", None, "the head"),
    ],
)
async def test_the_first_bad_number_is_named(town: Town, statement: str, seq: int | None, what: str) -> None:
    await make_scenario(town)
    await change(town, statement)
    (fault,) = (await verified(town))[1]
    assert fault.scope == f"{town.units[0]}/unit"
    assert fault.what.startswith(what)
    assert seq is None or fault.seq == seq


async def test_a_record_that_was_changed_untold_is_named(town: Town) -> None:
    scenario = await make_scenario(town)
    person = scenario.ids["people"]
    town.tampered = True
    await town.owner.execute("UPDATE people SET rev = rev + 1 WHERE id = $1", person)
    async with in_townships_name(town.kit, town.code) as work:
        assert {fault.what for fault in await untold(work)} == {f"person {person}"}


@pytest.mark.parametrize(
    "statement", ["UPDATE feed SET rev = 9", "DELETE FROM feed", "UPDATE feed_heads SET seq = 9"]
)
async def test_the_application_cannot_change_what_stands(town: Town, statement: str) -> None:
    async with in_townships_name(town.kit, town.code) as work:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await work.sql.execute(f"SET LOCAL ROLE {APP_ROLE}; {statement}")
        await work.sql.execute("ROLLBACK; BEGIN")
