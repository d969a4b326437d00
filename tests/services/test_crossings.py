"""The two crossings of the fence, called as anybody who reached the database as the application could."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from app.core.scope import Scope
from tests.gate import make_checkpoint, resident, seen
from tests.town import Town

_IDENTIFY = "SELECT person_id, unit_code, on_staff FROM identify($1, NULL, $2, NULL, NULL)"
_RAISE = "SELECT raise_breach($1, $2, $3, now())"


async def ask(
    town: Town, lanes: dict[str, Scope], person_id: UUID, code: int | None = None
) -> list[asyncpg.Record]:
    async with town.kit.database.transaction(lanes) as link:
        found: list[asyncpg.Record] = await link.sql.fetch(_IDENTIFY, code or town.code, person_id)
        assert await link.sql.fetchval("SELECT count(*) FROM people") == 0, "the lanes are closed again"
        assert await link.sql.fetchval("SELECT count(*) FROM staff") == 0
        return found


async def test_a_gate_learns_who_somebody_of_its_township_is(town: Town, other_town: Town) -> None:
    person_id, elsewhere = await resident(town, 1), await resident(other_town)
    gate = {"gate": Scope((town.units[0],))}
    assert [tuple(row) for row in await ask(town, gate, person_id)] == [
        (person_id, int(town.units[1]), False)
    ]
    assert await ask(town, gate, elsewhere) == []
    assert await ask(town, gate, elsewhere, other_town.code) == []


@pytest.mark.parametrize("lane", [None, "grid", "staff", "unit", "clinic", "tally", "post"])
async def test_without_a_gate_nobody_learns_anything(town: Town, lane: str | None) -> None:
    person_id = await resident(town, 1)
    lanes = {lane: Scope((town.units[0],))} if lane else {}
    assert await ask(town, lanes, person_id) == []


async def test_a_breach_is_raised_for_ones_own_stored_decision_alone(town: Town) -> None:
    office = await town.township()
    checkpoint = await make_checkpoint(office, town.units[0])
    person_id = str(await resident(town, 1, quarantined=True))
    for subject in ({"person_id": person_id}, {}):
        await office.post(f"/v1/checkpoints/{checkpoint}/decisions", json=seen(subject))
    breach, stranger = await town.owner.fetch(
        "SELECT id FROM decisions WHERE township_code = $1 ORDER BY 'in_quarantine' = ANY (reasons) DESC",
        town.code,
    )
    town.tampered = True
    await town.owner.execute("DELETE FROM alerts WHERE township_code = $1", town.code)

    async def raised(gate: str, decision: UUID) -> int | None:
        async with town.kit.database.transaction({"gate": Scope((gate,))}) as link:
            unit: int | None = await link.sql.fetchval(_RAISE, town.code, decision, uuid4())
            return unit

    assert await raised(town.units[0], uuid4()) is None
    assert await raised(town.units[0], stranger["id"]) is None
    assert await raised(town.units[1], breach["id"]) is None
    assert await raised(town.units[0], breach["id"]) == int(town.units[1])
    assert await raised(town.units[0], breach["id"]) is None
    assert await town.owner.fetchval("SELECT count(*) FROM alerts WHERE township_code = $1", town.code) == 1


async def test_an_owner_who_is_no_superuser_serves_as_well(town: Town) -> None:
    """A function acts as its owner; one who stands behind the fence like everybody else must reach as far."""
    person_id = await resident(town, 1)
    signature = "identify(bigint, bytea, uuid, text, bytea)"
    owner = await town.owner.fetchval("SELECT current_user")
    async with town.owner.acquire() as connection, connection.transaction():
        await connection.execute(
            f"CREATE ROLE plain_owner NOLOGIN; GRANT SELECT ON people, staff TO plain_owner;"
            f"GRANT CREATE ON SCHEMA public TO plain_owner; ALTER FUNCTION {signature} OWNER TO plain_owner;"
            f"SET LOCAL app.gate = '{Scope((town.units[0],)).literal()}'; SET LOCAL ROLE wangge_app"
        )
        rows = await connection.fetch(_IDENTIFY, town.code, person_id)
        await connection.execute(
            f"RESET ROLE; ALTER FUNCTION {signature} OWNER TO {owner};"
            f"REVOKE ALL ON people, staff FROM plain_owner; REVOKE ALL ON SCHEMA public FROM plain_owner;"
            f"DROP ROLE plain_owner"
        )
    assert [row["person_id"] for row in rows] == [person_id]
