"""Alembic's entry: migrates the database of DATABASE_URL (or of the connection that the program hands over)."""

import asyncio

from alembic import context
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from app.core.settings import get_settings
from app.models import metadata

OPTIONS = {"target_metadata": metadata, "transaction_per_migration": True, "compare_server_default": True}


def run(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    """Open a connection of our own and run the migrations on it."""
    url = context.config.attributes.get("url") or get_settings().database_url
    if url is None:
        raise SystemExit("DATABASE_URL is not set; `wangge migrate` migrates the embedded database.")
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(connect())
