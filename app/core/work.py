"""Work: who calls, what they may see, and the open transaction. No service runs without one."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.counters import Tally
from app.core.database import Link
from app.core.feed import Changes, Signature, Told
from app.core.scope import NOWHERE, Scope
from app.core.vault import Vault

NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an account in a session, an API key, or the program itself (no account)."""

    role: str
    scope: Scope = NOWHERE
    account_id: UUID | None = None
    session_id: UUID | None = None
    device_id: str | None = None
    places: frozenset[UUID] | None = None
    """The single places (checkpoints) to which the caller is limited further; None is no such limit."""


@dataclass(frozen=True, slots=True)
class Township:
    """The township in whose name the work is done: its settings and its zone, in which days are cut."""

    code: int
    name: str
    zone: ZoneInfo
    settings: Mapping[str, Any]
    epoch: UUID = NIL
    """The history that phones follow (contract, section 9)."""


NO_TOWNSHIP = Township(0, "", ZoneInfo("UTC"), {})


@dataclass(slots=True)
class Work:
    """One caller's open transaction."""

    link: Link
    caller: Caller
    township: Township
    now: datetime
    vault: Vault
    language: str = "zh"
    """The language of the texts in the answer: "zh" or "en"."""
    tally: Tally = field(default_factory=Tally)
    changes: Changes = field(default_factory=Changes)
    told: bool = False
    """Whether the feed has grown by this transaction."""

    @property
    def sql(self) -> asyncpg.Connection:
        """The transaction's asyncpg connection, for hot paths and set-based statements."""
        return self.link.sql

    @property
    def session(self) -> AsyncSession:
        """The transaction's SQLAlchemy session, for settings, staff and rosters."""
        return self.link.session()

    @property
    def township_code(self) -> int:
        """The 9-digit code that every statement names."""
        return self.township.code

    @property
    def today(self) -> date:
        """The present day in the township's zone."""
        return self.now.astimezone(self.township.zone).date()

    @property
    def account_id(self) -> UUID:
        """The caller's account; the program's own work has the nil id."""
        return self.caller.account_id or NIL

    def sees_unit(self, unit_code: int) -> bool:
        """Tell whether a unit lies in the caller's scope."""
        return self.caller.scope.contains_unit(unit_code)

    def count(self, unit_code: int, day: date, metric: StrEnum, amount: int = 1) -> None:
        """Change a counter of a unit and day, in this transaction."""
        self.tally.add(unit_code, day, metric, amount)

    def touch(self, kind: StrEnum, ids: Iterable[UUID]) -> None:
        """Tell of records in the feed, as they will stand at the end of this transaction."""
        self.changes.add(kind, ids)

    async def tell(self) -> list[Told]:
        """Write the folded counters, then the feed, before the end, for whoever needs the numbers that it gives."""
        counters = self._counters()
        if counters:
            await self.sql.execute(counters)
        feed = self.changes.call(self.signature)
        self.told = self.told or bool(feed)
        return [Told(*row) for row in await self.sql.fetch(f"SELECT * FROM {feed}")] if feed else []

    def _counters(self) -> str:
        """Return the program's own statement of the counters, for whatever unit of the township, or ''.

        What was done for a former unit counts there, whatever the caller's units are now. The lane is wide from the
        last statements of the transaction to its end.
        """
        counters = self.tally.statement(self.township.code, self.now)
        if not counters:
            return ""
        return f"SET LOCAL app.tally = '{Scope((str(self.township.code),)).literal()}';{counters}"

    @property
    def signature(self) -> Signature:
        """Who writes, as the audit trail keeps it."""
        return Signature(self.township.code, self.now, self.account_id, self.caller.device_id)

    async def finish(self) -> None:
        """Write the folded counters, then the feed, and commit, in one message; afterwards the write is durable."""
        counters = self._counters()
        feed = self.changes.call(self.signature)
        self.told = self.told or bool(feed)
        await self.link.commit(";".join(filter(None, (counters, f"SELECT FROM {feed}" if feed else ""))))


OpenWork = Callable[[], AbstractAsyncContextManager[Work]]
"""Opens a short transaction of its own; for routes that must not hold one while they compute or wait."""

OpenTownship = Callable[[int], AbstractAsyncContextManager[Work]]
"""Opens the program's own work for a township, by its code."""

Look = Callable[[Work], Awaitable[Any]]

LookTogether = Callable[[Hashable, Look], Awaitable[Any]]
"""Looks at something in a short transaction of its own, shared with those who see the same as the caller and ask, at
the same time, by the same key, which names everything else that the look depends on. It is nobody's account's own."""
