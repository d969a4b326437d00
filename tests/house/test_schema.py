"""The schema keeps the rules that let it be spread over a cluster (design decision 4), and no file swells."""

from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, LargeBinary, Table, UniqueConstraint

from app.models import metadata
from app.models.fence import FENCE, MAY_DELETE
from app.services.resealing import SEALED

ROOT = Path(__file__).parents[2]
SHARED = {
    "townships",
    "accounts",
    "former_assignments",
    "sessions",
    "login_attempts",
    "api_keys",
    "gate_keys",
    "gate_salts",
    "live_tickets",
}
TABLES = sorted(metadata.tables.values(), key=lambda t: t.name)
FENCED = [table for table in TABLES if table.name not in SHARED]


@pytest.mark.parametrize("table", FENCED, ids=str)
def test_keys_of_a_townships_data_start_with_the_township(table: Table) -> None:
    keys = [list(table.primary_key.columns)]
    keys += [
        list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint | ForeignKeyConstraint)
    ]
    keys += [list(index.columns) for index in table.indexes if index.unique]
    for key in keys:
        assert key[0].name == "township_code", [c.name for c in key]
    for foreign in table.foreign_key_constraints:
        assert foreign.ondelete is None
        assert foreign.onupdate is None
        assert foreign.elements[0].column.name == "township_code"


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_columns_have_no_sequence_and_know_their_zone(table: Table) -> None:
    for column in table.columns:
        assert column.identity is None
        assert column.autoincrement in (False, "auto")
        if isinstance(column.type, DateTime):
            assert column.type.timezone, column
        if column.name.endswith("_code"):
            assert isinstance(column.type, BigInteger), column
        default = getattr(column.server_default, "arg", None)
        constant = default is None or str(default).isdigit() or str(default).startswith("'")
        assert constant, "times and ids are parameters, never defaults"


def test_every_table_with_a_unit_code_stands_behind_the_fence() -> None:
    assert {t.name for t in TABLES if "unit_code" in t.columns} == set(FENCE)
    assert {t.name for t in FENCED} == set(FENCE)


def test_nothing_that_a_person_reported_may_be_deleted() -> None:
    assert {"quarantine_slots", "login_attempts", "sessions", "live_tickets", "gate_digests"} == MAY_DELETE


def test_every_sealed_column_is_sealed_again_after_a_change_of_key() -> None:
    columns = {(t.name, c.name) for t in TABLES for c in t.columns if c.name.endswith("_sealed")}
    assert {(s.table, s.column) for s in SEALED} == columns
    assert all(isinstance(metadata.tables[t].columns[c].type, LargeBinary) for t, c in columns)


async def test_the_database_has_no_triggers_and_no_sequences_of_ours(owner: asyncpg.Pool) -> None:
    assert await owner.fetch("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal") == []
    assert await owner.fetch("SELECT relname FROM pg_class WHERE relkind = 'S'") == []


async def test_definer_functions_are_the_lawful_crossings(owner: asyncpg.Pool) -> None:
    rows = await owner.fetch(
        "SELECT proname, proconfig, has_function_privilege('public', oid, 'execute') AS anyone FROM pg_proc"
        " WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY proname"
    )
    assert [row["proname"] for row in rows] == ["append_feed", "identify", "pass_standing", "raise_breach"]
    assert all(any(setting.startswith("search_path=") for setting in row["proconfig"]) for row in rows)
    assert not any(row["anyone"] for row in rows)


@pytest.mark.parametrize("folder", ["app", "tests", "bench", "alembic"])
def test_no_file_swells(folder: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
