"""A township for one test: units, accounts of every role with tokens, and clients that speak for them."""

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import httpx
from fastapi import FastAPI

from app.access import in_nobodys_name, in_townships_name
from app.core.ids import uuid7
from app.core.kit import Kit
from app.core.tokens import AccessClaims
from app.services.townships import UnitRow, create_township, put_units


class FreshToken(httpx.Auth):
    """Sends a token that is good by the application's clock, wherever a test has moved it."""

    def __init__(self, kit: Kit, account_id: UUID, session_id: UUID) -> None:
        self.kit, self.account_id, self.session_id = kit, account_id, session_id

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        seconds = int(self.kit.clock.now().timestamp())
        claims = AccessClaims(self.account_id, self.session_id, seconds, seconds + 600)
        request.headers["Authorization"] = f"Bearer {self.kit.issue_token(claims)}"
        yield request


@dataclass
class Town:
    """A township under test; `units` are its three villages, the first of which the village login holds."""

    app: FastAPI
    owner: asyncpg.Pool
    code: int
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    accounts: dict[str, UUID] = field(default_factory=dict)
    tampered: bool = False
    """Whether a test changed records behind the product's back, so that the feed cannot tell of them."""

    @property
    def kit(self) -> Kit:
        """The application's parts."""
        kit: Kit = self.app.state.kit
        return kit

    @property
    def units(self) -> list[str]:
        """The codes of the three units."""
        return [f"{self.code}{n}" for n in (201, 202, 203)]

    def today(self) -> date:
        """The present day of the town's clock."""
        return self.kit.clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()

    async def account(
        self,
        role: str,
        codes: list[str],
        *,
        checkpoint_ids: list[UUID] | None = None,
        position: str | None = None,
    ) -> UUID:
        """Create an account with its staff row and return its id."""
        account_id, now = uuid7(), datetime.now(UTC)
        numbers = [int(code) for code in codes]
        await self.owner.execute(
            "INSERT INTO accounts (id, township_code, username, role, codes, checkpoint_ids, active, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, true, $7)",
            account_id,
            self.code,
            f"u-{account_id}",
            role,
            numbers,
            checkpoint_ids or [],
            now,
        )
        rows = [n if n >= 10**11 else n * 1000 for n in numbers]
        await self.owner.execute(
            "INSERT INTO staff (township_code, unit_code, id, name, codes, checkpoint_ids, position, health, active,"
            " rev, content_hash, recorded_at, author_id)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, 'fit', true, 1, '', $8, $3)",
            self.code,
            rows[0],
            account_id,
            f"王{role}",
            rows,
            checkpoint_ids or [],
            position,
            now,
        )
        return account_id

    async def client_of(self, account_id: UUID) -> httpx.AsyncClient:
        """Return a client that is logged in as an account."""
        now, session_id = self.kit.clock.now(), uuid7()
        await self.owner.execute(
            "INSERT INTO sessions (id, account_id, secret, generation, created_at, rotated_at, expires_at)"
            " VALUES ($1, $2, $3, 0, $4, $4, $5)",
            session_id,
            account_id,
            b"\1" * 32,
            now,
            now + timedelta(days=3650),
        )
        client = self.client()
        client.auth = FreshToken(self.kit, account_id, session_id)
        return client

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """Return a client with these headers."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://wangge.test", headers=headers)
        self.clients.append(client)
        return client

    async def login(self, role: str, codes: list[str], **more: Any) -> httpx.AsyncClient:
        """Create an account and return its client."""
        account_id = await self.account(role, codes, **more)
        self.accounts.setdefault(role, account_id)
        return await self.client_of(account_id)

    async def township(self) -> httpx.AsyncClient:
        """A client of the township's office."""
        return await self.login("township", [str(self.code)])

    async def village(self, unit: int = 0) -> httpx.AsyncClient:
        """A client of a unit's cadre."""
        return await self.login("village", [self.units[unit]], position="village_cadre")

    async def clinic(self) -> httpx.AsyncClient:
        """A client of the township's clinic."""
        return await self.login("clinic", [str(self.code)])


@asynccontextmanager
async def make_town(app: FastAPI, owner: asyncpg.Pool, code: int) -> AsyncIterator[Town]:
    """Create a township with three units."""
    town = Town(app, owner, code)
    async with in_nobodys_name(town.kit) as work:
        await create_township(work, code, "试验镇", "Asia/Shanghai")
    async with in_townships_name(town.kit, code) as work:
        await put_units(work, [UnitRow(int(unit), f"试验村{unit[-3:]}", "village") for unit in town.units])
    yield town
    for client in town.clients:
        await client.aclose()
