"""The connection pool, and the one way in which a transaction starts and ends.

SQLAlchemy makes the connections; its engine runs in AUTOCOMMIT because asyncpg refuses its own transactions on a
connection where one was begun by hand. `Database` keeps the idle ones itself (SQLAlchemy's pool costs two switches of
greenlets a request) and alone sends BEGIN, opens the lanes of the fence and commits, in one round trip each. Hot paths
use the asyncpg connection itself, cold ones a SQLAlchemy session over the same connection.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError
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
        self._places = asyncio.Semaphore(pool_size)
        self._patience = pool_timeout
        self._idle: list[PoolProxiedConnection] = []

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            await greenlet_spawn(self._idle.pop().close)
        await self.engine.dispose()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Link"]:
        """Lend one connection outside any transaction; give it back whole, or drop it.

        Raises:
            Unavailable: no connection became free in time, or the server is away.
        """
        proxy = await self._take()
        link = Link(self.engine, proxy)
        try:
            yield link
        except Problem:
            raise
        except Exception as error:
            misuse = isinstance(_cause_of(error), asyncpg.InterfaceError) and not link.sql.is_closed()
            translated = error if misuse else translate(error)
            if translated is error:
                raise
            raise translated from error
        finally:
            if _is_clean(proxy):
                self._idle.append(proxy)
                self._places.release()
            else:
                await asyncio.shield(asyncio.ensure_future(self._drop(proxy)))

    async def _take(self) -> PoolProxiedConnection:
        """Return an idle connection, or a new one; wait while all are lent."""
        try:
            async with asyncio.timeout(self._patience if self._places.locked() else None):
                await self._places.acquire()
        except TimeoutError as error:
            log.warning("no database connection is free")
            raise Unavailable from error
        try:
            proxy = await self._idle_one()
            return proxy if proxy is not None else await greenlet_spawn(self.engine.sync_engine.pool.connect)
        except BaseException as error:
            self._places.release()
            cause = _cause_of(error)
            if not isinstance(cause, (*AWAY, PoolTimeout, asyncpg.PostgresError)):
                raise
            log.warning("no database connection", extra={"error": type(cause).__name__})
            raise Unavailable from error

    async def _idle_one(self) -> PoolProxiedConnection | None:
        while self._idle:
            proxy = self._idle.pop()
            if _is_clean(proxy):
                return proxy
            await greenlet_spawn(_discard, proxy)
        return None

    async def _drop(self, proxy: PoolProxiedConnection) -> None:
        try:
            await greenlet_spawn(_discard, proxy)
        finally:
            self._places.release()

    @asynccontextmanager
    async def transaction(self, lanes: Mapping[str, Scope]) -> AsyncIterator["Link"]:
        """Lend a connection with the lanes open, for work of its own: returning commits, raising rolls back."""
        async with self.connection() as link:
            try:
                await link.begin(lanes)
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

    async def begin(self, lanes: Mapping[str, Scope], account_id: UUID | None = None) -> None:
        """Start the transaction with exactly these lanes open, in the name of an account (one round trip)."""
        await self.sql.execute("BEGIN;" + lane_settings(lanes, account_id))

    async def commit(self, last: str = "") -> None:
        """Flush what the session holds, run a last statement without parameters, and commit (one round trip).

        Raises:
            Broken: the server had given the transaction up, so that COMMIT did nothing.
        """
        if self._session is not None:
            await self._session.flush()
        if await self.sql.execute(f"{last};COMMIT" if last else "COMMIT") != "COMMIT":
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
    if isinstance(cause, (*AWAY, PoolTimeout)):
        return Unavailable()
    return error


def _cause_of(error: BaseException) -> BaseException:
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


def _is_clean(proxy: PoolProxiedConnection) -> bool:
    """Tell whether a connection lives and no transaction was left open on it."""
    driver: Any = proxy.driver_connection
    return driver is not None and not driver.is_closed() and not driver.is_in_transaction()


def _discard(proxy: PoolProxiedConnection) -> None:
    proxy.invalidate()
    proxy.close()
