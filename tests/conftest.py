"""What every test stands on: a real PostgreSQL, the real application, and a township of its own."""

import asyncio
import itertools
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from fastapi import FastAPI

from app.core.embedded import EmbeddedServer
from app.core.keys import KeyRing
from app.core.migrations import migrate
from app.core.settings import Settings
from app.main import create_app
from tests.feed import untold
from tests.town import Town, make_town

numbers = itertools.count(1)


class TestClock:
    """The clock of the tests: it runs with the machine's, moved by as much as a test says."""

    __test__ = False

    def __init__(self) -> None:
        self.moved = timedelta(0)
        self.fixed: datetime | None = None

    def now(self) -> datetime:
        return self.fixed or datetime.now(UTC) + self.moved


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: that of DATABASE_URL, else an embedded one of this test process."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("postgres")
    with EmbeddedServer.start(folder, settings={"fsync": "off"}) as server:
        yield server.url()
    EmbeddedServer.destroy(folder)


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """A migrated database of this test process."""
    name = f"wangge_test_{uuid.uuid4().hex[:12]}"
    asyncio.run(_execute(server_url, f"CREATE DATABASE {name}"))
    url = _with_database(server_url, name)
    migrate(url)
    yield url
    asyncio.run(_execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


def _with_database(url: str, name: str) -> str:
    head, mark, query = url.partition("?")
    return head.rpartition("/")[0] + "/" + name + mark + query


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the application under test."""
    folder: Path = tmp_path_factory.mktemp("data")
    KeyRing.create(folder / "keys.json", 0)
    return Settings(
        database_url=database_url, data=folder, clock_seconds=3600, login_failures=10, gate_hash_cost=1
    )


@pytest.fixture(scope="session")
def clock() -> TestClock:
    """The application's clock."""
    return TestClock()


@pytest.fixture(autouse=True)
def _clock_runs(clock: TestClock) -> Iterator[None]:
    yield
    clock.moved, clock.fixed = timedelta(0), None


@pytest.fixture(scope="session")
async def app(settings: Settings, clock: TestClock) -> AsyncIterator[FastAPI]:
    """The running application."""
    application = create_app(settings, clock)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture(scope="session")
async def owner(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections of the database's owner, who stands above the fence: to look at what was really stored."""
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=2)
    yield pool
    await pool.close()


@pytest.fixture
async def town(app: FastAPI, owner: asyncpg.Pool) -> AsyncIterator[Town]:
    """A township of its own with three units, and a client for each role."""
    async with make_town(app, owner, 410000000 + os.getpid() % 1000 * 1000 + next(numbers)) as made:
        yield made
        assert made.tampered or await untold(made) == [], "the feed does not tell what the records say"


@pytest.fixture
async def other_town(app: FastAPI, owner: asyncpg.Pool) -> AsyncIterator[Town]:
    """A second township, whose data must never show in the first."""
    async with make_town(app, owner, 420000000 + os.getpid() % 1000 * 1000 + next(numbers)) as made:
        yield made
