"""The connection pool, and the one way in which a transaction starts and ends.

SQLAlchemy keeps the pool; its engine runs in AUTOCOMMIT because asyncpg refuses its own transactions on a connection
where one was begun by hand. `Database.transaction` alone sends BEGIN, opens the lanes of the fence and commits, in one
round trip each. Hot paths use the asyncpg connection itself, cold ones a SQLAlchemy session over the same connection.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import PoolProxiedConnection, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import greenlet_spawn

from app.core.problems import BY_CONSTRAINT, Broken, Problem, Unavailable
from app.core.scope import Scope, lane_settings

log = logging.getLogger("wangge.database")

APP_ROLE = "wangge_app"

# What a lost, starting, stopping or overloaded server says; the caller may send the same again.
AWAY = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.InternalClientError,
)


class Database:
    """A pool of connections as the application's role, which owns nothing and cannot pass the fence."""

    def __init__(
        self, url: str, *, pool_size: int = 8, pool_timeout: float = 5.0, role: str | None = None
    ) -> None:
        server_settings = {
            "application_name": "wangge",
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": "15s",
            "statement_timeout": "60s",
            "lock_timeout": "10s",
            "jit": "off",
        }
        if role is not None:
            server_settings["role"] = role
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            pool_reset_on_return=None,
            connect_args={"server_settings": server_settings, "statement_cache_size": 512, "timeout": 5},
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Link"]:
        """Lend one connection outside any transaction; give it back whole, or drop it.

        Raises:
            Unavailable: no connection became free in time, or the server is away.
        """
        try:
            proxy = await greenlet_spawn(self.engine.sync_engine.pool.connect)
        except Exception as error:
            cause = _cause_of(error)
            if not isinstance(cause, (*AWAY, PoolTimeout, asyncpg.PostgresError)):
                raise
            log.warning("no database connection", extra={"error": type(cause).__name__})
            raise Unavailable from error
        link = Link(self.engine, proxy)
        try:
            yield link
        except Problem:
            raise
        except Exception as error:
            translated = translate(error)
            if translated is error:
                raise
            raise translated from error
        finally:
            await asyncio.shield(asyncio.ensure_future(_give_back(proxy)))

    @asynccontextmanager
    async def transaction(self, lanes: Mapping[str, Scope]) -> AsyncIterator["Link"]:
        """Lend a connection with the lanes open, for work of its own: returning commits, raising rolls back."""
        async with self.connection() as link:
            await link.begin(lanes)
            try:
                yield link
            except BaseException:
                await link.rollback()
                raise
            await link.commit()


class Link:
    """One lent connection: `sql` is asyncpg's own, `session()` SQLAlchemy's over the same wire."""

    def __init__(self, engine: AsyncEngine, proxy: PoolProxiedConnection) -> None:
        self._engine = engine
        self._proxy = proxy
        self._session: AsyncSession | None = None
        driver = proxy.driver_connection
        assert isinstance(driver, asyncpg.Connection)
        self.sql: asyncpg.Connection[asyncpg.Record] = driver

    def session(self) -> AsyncSession:
        """Return the SQLAlchemy session of this transaction, made on first use."""
        if self._session is None:
            wire = AsyncConnection(self._engine, Connection(self._engine.sync_engine, connection=self._proxy))
            self._session = AsyncSession(bind=wire, expire_on_commit=False)
        return self._session

    async def begin(self, lanes: Mapping[str, Scope]) -> None:
        """Start the transaction with exactly these lanes open (one round trip)."""
        await self.sql.execute("BEGIN;" + lane_settings(lanes))

    async def commit(self) -> None:
        """Flush what the session holds and commit.

        Raises:
            Broken: the server had given the transaction up, so that COMMIT did nothing.
        """
        if self._session is not None:
            await self._session.flush()
        if await self.sql.execute("COMMIT") != "COMMIT":
            raise Broken

    async def rollback(self) -> None:
        """Give the transaction up; a connection that cannot is dropped by its keeper."""
        try:
            await asyncio.shield(asyncio.ensure_future(self.sql.execute("ROLLBACK")))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            self.sql.terminate()


def translate(error: Exception) -> Problem | Exception:
    """Return the problem that a database error means to the caller, or the error itself where it is a bug."""
    cause = _cause_of(error)
    if isinstance(cause, asyncpg.IntegrityConstraintViolationError):
        problem = BY_CONSTRAINT.get(constraint_of(cause))
        return problem() if problem else error
    refused_value = isinstance(cause, asyncpg.InterfaceError) and isinstance(cause, ValueError)
    if isinstance(cause, (*AWAY, PoolTimeout)) and not refused_value:
        return Unavailable()
    return error


def _cause_of(error: Exception) -> BaseException:
    """Return what the driver raised: SQLAlchemy hands it on as the cause of its own, while it connects unwrapped."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    driver_error = isinstance(error.__cause__, asyncpg.PostgresError | asyncpg.InterfaceError)
    return error.__cause__ if driver_error and error.__cause__ else error


def constraint_of(error: asyncpg.PostgresError) -> str:
    """Return the constraint's name; a Citus worker names it in the message only, with a shard's number behind it."""
    name = getattr(error, "constraint_name", None)
    if name and name in BY_CONSTRAINT:
        return str(name)
    message = str(error)
    return next((known for known in BY_CONSTRAINT if f'"{known}' in message), "")


def _refuse_dead(driver: Any, _record: Any, _proxy: Any) -> None:
    if driver.driver_connection.is_closed():
        raise DisconnectionError


async def _give_back(proxy: PoolProxiedConnection) -> None:
    await greenlet_spawn(_check_in, proxy)


def _check_in(proxy: PoolProxiedConnection) -> None:
    driver: Any = proxy.driver_connection
    if driver is None or driver.is_closed() or driver.is_in_transaction():
        proxy.invalidate()
    proxy.close()
