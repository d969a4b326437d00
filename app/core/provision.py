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
OLDEST = 15


class NoDatabase(RuntimeError):
    """There is no database that can be used; the message says why, to an operator."""


@contextmanager
def database(settings: Settings, *, share: bool = False) -> Iterator[Settings]:
    """Yield the settings with the addresses of a database at the head of the migrations, for as long as it runs.

    With DATABASE_URL set nothing embedded is imported. `share` lets an operator's command use the embedded server that
    another program runs already.

    Raises:
        NoDatabase: DATABASE_URL cannot be used; or there is none, and no PostgreSQL to start, or another program runs
            that of this data folder, and it is not to be shared.
    """
    if settings.database_url is not None:
        asyncio.run(_check(settings.database_url))
        migrate(settings.database_url)
        if settings.app_database_url is None:
            asyncio.run(_check(settings.database_url, APP_ROLE))
        yield settings
        return
    with _embedded(settings, share) as found:
        yield found


@contextmanager
def _embedded(settings: Settings, share: bool) -> Iterator[Settings]:
    from app.core.embedded import (
        DataFolderBusy,
        DataFolderUnusable,
        EmbeddedServer,
        NoPostgres,
        ServerFailed,
    )

    running = EmbeddedServer.running_url(settings.data, database=NAME) if share else None
    if running is not None:
        app_url = EmbeddedServer.running_url(settings.data, APP_ROLE, NAME)
        yield _named(settings, running, app_url or running)
        return
    try:
        server = EmbeddedServer.start(settings.data)
    except (DataFolderBusy, DataFolderUnusable, NoPostgres, ServerFailed) as error:
        raise NoDatabase(str(error)) from error
    with server:
        asyncio.run(_create(server.url(), f"CREATE DATABASE {NAME}"))
        migrate(server.url(database=NAME))
        asyncio.run(_create(server.url(database=NAME), f"ALTER ROLE {APP_ROLE} LOGIN"))
        yield _named(settings, server.url(database=NAME), server.url(APP_ROLE, NAME))


def _named(settings: Settings, owner_url: str, app_url: str) -> Settings:
    """Return the settings with these addresses, and leave them in the environment for worker processes."""
    os.environ.update({"DATABASE_URL": owner_url, "WANGGE_APP_DATABASE_URL": app_url})
    get_settings.cache_clear()
    return settings.model_copy(update={"database_url": owner_url, "app_database_url": app_url})


async def _check(url: str, role: str | None = None) -> None:
    """See whether a server answers, is new enough, and lets us take the role of the application.

    Raises:
        NoDatabase: not so.
    """
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise NoDatabase(f"the database of DATABASE_URL cannot be used: {error}") from error
    try:
        if connection.get_server_version().major < OLDEST:
            raise NoDatabase(f"the database of DATABASE_URL is older than PostgreSQL {OLDEST}")
        if role is not None:
            await connection.execute(f"SET ROLE {role}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise NoDatabase(
            f"the login of DATABASE_URL may not act as {role}; let an administrator run: GRANT {role} TO <login>"
        ) from error
    finally:
        await connection.close()


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
