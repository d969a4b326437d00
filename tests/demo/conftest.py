"""Databases of their own for the demonstration data, whose township is a fixed one; and a clock that stands."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.cli.demo.places import few_units
from app.core.keys import KeyRing
from app.core.kit import Kit, make_kit
from app.core.migrations import migrate
from app.core.settings import Settings

NOON_AND_MORE = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # 15:30 in the township
UNITS = few_units(3)
HOMES = 24


@dataclass
class Standing:
    """A clock that stands until it is moved."""

    moment: datetime = NOON_AND_MORE

    def now(self) -> datetime:
        return self.moment


@dataclass
class Site:
    """A kit with a database of its own, and its owner's connection."""

    kit: Kit
    clock: Standing
    owner: asyncpg.Connection

    async def content(self) -> dict[str, list[str]]:
        """Everything that is stored but what a random id, a seal or the machine's clock puts there."""
        return {table: await self._rows(table, left_out) for table, left_out in _LEFT_OUT.items()}

    async def _rows(self, table: str, left_out: set[str]) -> list[str]:
        rows = await self.owner.fetch(f"SELECT to_jsonb(t) AS row FROM {table} t")
        shown = (row["row"] if isinstance(row["row"], dict) else json.loads(row["row"]) for row in rows)
        return sorted(
            json.dumps({k: v for k, v in row.items() if k not in left_out}, sort_keys=True) for row in shown
        )

    async def one(self, statement: str, *arguments: Any) -> Any:
        return await self.owner.fetchval(statement, *arguments)


_LEFT_OUT: dict[str, set[str]] = {
    "townships": {"settings"},
    "units": set(),
    "accounts": set(),
    "staff": {"phone_sealed"},
    "households": set(),
    "people": {"id_sealed", "phone_sealed"},
    "household_checks": set(),
    "check_lines": set(),
    "quarantine_orders": {"helpers_sealed"},
    "quarantine_slots": set(),
    "visits": set(),
    "alerts": {"id"},
    "checkpoints": set(),
    "decisions": {"claimed_sealed"},
    "disinfection_sites": {"id", "content_hash"},
    "disinfection_logs": {"site_id", "content_hash"},
    "daily_counters": {"changed_at"},
    "report_submissions": set(),
    "command_orders": set(),
    "order_units": set(),
    "order_answers": set(),
    "squads": set(),
    "shifts": set(),
    "shift_posts": set(),
    "shift_signings": set(),
    "patrols": set(),
    "publicity_materials": set(),
    "publicity_logs": set(),
    "venues": set(),
    "closures": set(),
    "inspections": set(),
    "market_rounds": set(),
    "pairings": set(),
    "tips": {"phone_sealed"},
    "self_reports": {"id_number_sealed", "phone_sealed"},
    "incidents": set(),
    "bulletins": set(),
    "supply_items": set(),
    "supply_moves": set(),
    "supply_stocks": set(),
    "funds": set(),
    "fund_balances": set(),
}

MakeSite = Callable[[], Awaitable[Site]]


@pytest.fixture(scope="module")
async def make_site(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MakeSite]:
    """Make sites that share a key ring, so that their contents can be compared."""
    tmp_path: Path = tmp_path_factory.mktemp("demo")
    KeyRing.create(tmp_path / "keys.json", 0)
    async with AsyncExitStack() as stack:

        async def make() -> Site:
            name = f"wangge_demo_{uuid.uuid4().hex[:12]}"
            await _execute(server_url, f"CREATE DATABASE {name}")
            stack.push_async_callback(_execute, server_url, f"DROP DATABASE {name} WITH (FORCE)")
            head, mark, query = server_url.partition("?")
            url = head.rpartition("/")[0] + "/" + name + mark + query
            await asyncio.to_thread(migrate, url)
            clock = Standing()
            kit = make_kit(Settings(database_url=url, data=tmp_path), clock)
            stack.push_async_callback(kit.database.close)
            owner = await asyncpg.connect(url)
            stack.push_async_callback(owner.close)
            return Site(kit, clock, owner)

        yield make


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
