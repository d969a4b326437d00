"""The migrations on every PostgreSQL that is found: up, down, up again, equal to the models, by a lowly owner."""

import asyncio
import contextlib
import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from app.core.embedded import EmbeddedServer, installed_postgres
from app.core.migrations import migrate
from tests.postgres15 import OWNER, make_lowly_owner

ROOT = Path(__file__).resolve().parents[2]

TABLES = """
SELECT coalesce(string_agg(c.relname, ',' ORDER BY c.relname), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'S') AND c.relname <> 'alembic_version'
"""
FUNCTIONS = """
SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
POLICIES = "SELECT string_agg(p::text, E'\\n' ORDER BY tablename, policyname) FROM pg_policies p"


@pytest.fixture(params=["of this run", "15"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Each server in turn."""
    if request.param == "of this run":
        yield request.getfixturevalue("server_url")
        return
    binaries = installed_postgres(15)
    if binaries is None:
        pytest.skip("no PostgreSQL 15 is installed here")
    place = tmp_path_factory.mktemp("postgres15")
    with EmbeddedServer.start(place, binaries=binaries, settings={"fsync": "off"}) as running:
        yield running.url()
    EmbeddedServer.destroy(place)


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """An empty database, for an owner who is no superuser."""
    name = f"migrations_{secrets.token_hex(4)}"
    url, remove = make_lowly_owner(server, name)
    yield url
    remove()


def config(url: str, said: io.StringIO | None = None) -> Config:
    made = Config(ROOT / "alembic.ini", stdout=said or io.StringIO())
    made.attributes["url"] = url
    return made


def value(url: str, query: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_up_down_up_by_an_owner_who_is_no_superuser(empty: str) -> None:
    assert value(empty, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    migrate(empty)
    tables, functions = value(empty, TABLES), value(empty, FUNCTIONS)
    assert "households" in str(tables)
    command.check(config(empty))  # raises where the models differ
    command.downgrade(config(empty), "base")
    assert value(empty, TABLES) == ""
    assert value(empty, FUNCTIONS) == 0
    migrate(empty)
    assert set(str(value(empty, TABLES)).split(",")) == set(str(tables).split(","))
    assert value(empty, FUNCTIONS) == functions
    migrate(empty)
    command.check(config(empty))


def test_each_step_can_be_taken_back_and_forth(empty: str) -> None:
    migrate(empty)
    while value(empty, "SELECT count(*) FROM alembic_version"):
        before = value(empty, TABLES), value(empty, POLICIES)
        command.downgrade(config(empty), "-1")
        command.upgrade(config(empty), "+1")
        assert (value(empty, TABLES), value(empty, POLICIES)) == before
        command.downgrade(config(empty), "-1")


def test_a_difference_between_models_and_migrations_is_seen(empty: str) -> None:
    """`alembic check` would prove nothing if it could not fail."""
    migrate(empty)
    value(empty, "ALTER TABLE households ADD COLUMN surplus text")
    with (
        pytest.raises(Exception, match="New upgrade operations detected"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        command.check(config(empty))


def test_the_owner_is_the_lowly_one(empty: str) -> None:
    assert str(value(empty, "SELECT current_user")).startswith(OWNER)
