"""The fence, proven by raw SQL as the application's role, for every table on its list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.core.database import APP_ROLE
from app.core.scope import Scope, lane_settings
from app.models import metadata
from app.models.fence import FENCE
from tests.town import Town

LANES = ("grid", "staff", "tally", "unit", "clinic", "gate", "post")


def sample(column: Column[Any], town: Town, unit: int) -> Any:
    """A value that fits a column, in a row of one unit of a town."""
    if column.name == "township_code":
        return town.code
    if column.name in ("unit_code", "gate_unit_code"):
        return unit
    if column.name == "codes":
        return [unit]
    if column.name in ("kind", "audience"):
        return {"kind": "fever", "audience": "unit"}[column.name]
    by_type: list[tuple[type, Any]] = [
        (ARRAY, []),
        (JSONB, "{}"),
        (Uuid, uuid4()),
        (DateTime, datetime(2020, 2, 1, tzinfo=UTC)),
        (Date, date(2020, 2, 1)),
        (Boolean, True),
        (LargeBinary, b"x"),
        (Integer | SmallInteger | BigInteger | Numeric, 1),  # type: ignore[list-item]
    ]
    return next((value for kind, value in by_type if isinstance(column.type, kind)), "x")


async def put_row(town: Town, table: str, unit: int, connection: Any = None) -> None:
    """Insert a row of `unit` into a table, as whoever the connection is."""
    town.tampered = True
    columns = [c for c in metadata.tables[table].columns if not c.nullable or c.name == "gate_unit_code"]
    names = ", ".join(c.name for c in columns)
    places = ", ".join(f"${i}" for i in range(1, len(columns) + 1))
    values = [sample(c, town, unit) for c in columns]
    await (connection or town.owner).execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *values)


@asynccontextmanager
async def as_application(town: Town, lanes: dict[str, str] | None) -> AsyncIterator[Any]:
    """A transaction of the application's role with these lanes open, rolled back at the end."""
    async with town.owner.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(
                "SET LOCAL session_replication_role = replica"
            )  # rows without their parents
            await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
            if lanes is not None:
                await connection.execute(lane_settings({k: Scope.of([v]) for k, v in lanes.items()}))
            yield connection
        finally:
            await transaction.rollback()


async def count(connection: Any, table: str, town: Town) -> int:
    found = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE township_code = $1", town.code)
    assert isinstance(found, int)
    return found


# What the township says to all of its units.
OF_ALL_UNITS = {"briefing_minutes", "squads", "bulletins"}


@pytest.mark.parametrize("table", sorted(OF_ALL_UNITS))
async def test_some_rows_are_for_every_unit_of_their_township(
    town: Town, other_town: Town, table: str
) -> None:
    async with town.owner.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        await put_row(town, table, town.code * 1000, connection)
        await connection.execute("RESET session_replication_role")
    for lanes, seen in (
        (None, 0),
        (dict.fromkeys(LANES, town.units[1]), 1),
        (dict.fromkeys(LANES, str(town.code)), 1),
        (dict.fromkeys(LANES, other_town.units[0]), 0),
    ):
        async with as_application(town, lanes) as connection:
            assert await count(connection, table, town) == seen, lanes


@pytest.mark.parametrize("table", sorted(set(FENCE) - OF_ALL_UNITS))
async def test_a_row_is_seen_from_its_own_unit_only(town: Town, table: str) -> None:
    mine, sibling = town.units[0], town.units[1]
    async with town.owner.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        if table == "units":
            await connection.execute("DELETE FROM units WHERE township_code = $1", town.code)
        await put_row(town, table, int(mine), connection)
        await connection.execute("RESET session_replication_role")
    for lanes, seen in (
        (None, 0),
        (dict.fromkeys(LANES, mine), 1),
        (dict.fromkeys(LANES, str(town.code)), 1),
        (dict.fromkeys(LANES, sibling), 0),
        (dict.fromkeys(LANES, "42"), 0),
    ):
        async with as_application(town, lanes) as connection:
            assert await count(connection, table, town) == seen, lanes
    async with as_application(town, dict.fromkeys(LANES, mine)) as connection:
        for lane in LANES:  # a setting that was reset reads as ''
            await connection.execute(f"SET LOCAL app.{lane} = ''")
        assert await count(connection, table, town) == 0


@pytest.mark.parametrize("table", sorted(FENCE))
async def test_no_row_can_be_written_into_another_unit(town: Town, table: str) -> None:
    async with as_application(town, dict.fromkeys(LANES, town.units[0])) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await put_row(town, table, int(town.units[1]), connection)


@pytest.mark.parametrize(
    ("table", "lanes"),
    [
        ("staff", ("grid", "tally", "unit", "clinic", "gate", "post")),
        ("households", ("grid", "staff", "tally", "gate", "post", "clinic")),
        ("household_checks", ("grid", "staff", "tally", "gate", "post", "clinic")),
        ("disinfection_logs", ("grid", "staff", "tally", "gate", "post", "clinic")),
        ("photo_uses", ("grid", "staff", "tally", "gate", "post", "clinic")),
        ("photos", ("grid", "tally", "gate", "post", "unit", "clinic")),
        ("visits", ("grid", "staff", "tally", "gate", "post", "unit")),
        ("quarantine_orders", ("grid", "staff", "tally", "gate", "post", "unit")),
        ("decisions", ("grid", "staff", "tally", "post", "unit", "clinic")),
    ],
)
async def test_a_noun_is_dark_from_every_other_lane(town: Town, table: str, lanes: tuple[str, ...]) -> None:
    async with town.owner.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        await put_row(town, table, int(town.units[0]), connection)
        await connection.execute("RESET session_replication_role")
    async with as_application(town, dict.fromkeys(lanes, str(town.code))) as connection:
        assert await count(connection, table, town) == 0


async def test_every_policy_in_the_database_is_the_one_on_the_list(owner: asyncpg.Pool) -> None:
    rows = await owner.fetch(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced, count(p.polname) AS policies"
        " FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND (c.relrowsecurity OR p.polname IS NOT NULL) GROUP BY 1, 2"
    )
    assert {row["relname"]: (row["forced"], row["policies"]) for row in rows} == dict.fromkeys(
        FENCE, (True, 1)
    )


async def test_the_application_owns_nothing_and_cannot_pass(owner: asyncpg.Pool) -> None:
    role = await owner.fetchrow(
        "SELECT oid, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = $1", APP_ROLE
    )
    assert role is not None
    assert (role["rolsuper"], role["rolbypassrls"]) == (False, False)
    assert await owner.fetchval("SELECT count(*) FROM pg_class WHERE relowner = $1", role["oid"]) == 0
