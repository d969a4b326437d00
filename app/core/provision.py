"""Which database a program uses: that of DATABASE_URL, or an embedded one in the data folder; migrated and ready."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from app.core.database import APP_ROLE
from app.core.migrations import migrate
from app.core.settings import Settings, get_settings

NAME = "wangge"


@contextmanager
def database(settings: Settings, *, share: bool = False) -> Iterator[Settings]:
    """Yield the settings with the addresses of a database at the head of the migrations, for as long as it runs.

    With DATABASE_URL set nothing embedded is imported. `share` lets an operator's command use the embedded server that
    another program runs already.

    Raises:
        DataFolderBusy: another program runs the embedded database of this data folder, and it is not to be shared.
        NoPostgres: there is neither DATABASE_URL nor a PostgreSQL to start.
    """
    if settings.database_url is not None:
        migrate(settings.database_url)
        yield settings
        return
    from app.core.embedded import EmbeddedServer

    running = EmbeddedServer.running_url(settings.data, database=NAME) if share else None
    if running is not None:
        app_url = EmbeddedServer.running_url(settings.data, APP_ROLE, NAME)
        yield _named(settings, running, app_url or running)
        return
    with EmbeddedServer.start(settings.data) as server:
        asyncio.run(_create(server.url(), f"CREATE DATABASE {NAME}"))
        migrate(server.url(database=NAME))
        asyncio.run(_create(server.url(database=NAME), f"ALTER ROLE {APP_ROLE} LOGIN"))
        yield _named(settings, server.url(database=NAME), server.url(APP_ROLE, NAME))


def _named(settings: Settings, owner_url: str, app_url: str) -> Settings:
    """Return the settings with these addresses, and leave them in the environment for worker processes."""
    os.environ.update({"DATABASE_URL": owner_url, "WANGGE_APP_DATABASE_URL": app_url})
    get_settings.cache_clear()
    return settings.model_copy(update={"database_url": owner_url, "app_database_url": app_url})


async def _create(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    except asyncpg.DuplicateDatabaseError:
        pass
    finally:
        await connection.close()


async def holds_data(url: str) -> bool:
    """Tell whether a migrated database holds any township, whose sealed data need the key ring they were made with."""
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT 1 FROM townships)"))
    finally:
        await connection.close()
