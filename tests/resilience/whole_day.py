"""A township of 58 units under two servers that share a database and a clock that the test moves."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import uvicorn

from app.core.ids import uuid7
from app.core.settings import Settings
from app.core.wire import Wire
from app.main import create_app
from tests.conftest import TestClock
from tests.resilience.site import free_port
from tests.town import FreshToken, Town

PATIENCE = 60.0


class Server:
    """One server with its own pool, clockwork and bell, on a port of its own; it can be stopped and started again."""

    def __init__(self, settings: Settings, clock: TestClock, send_buffer: int | None = None) -> None:
        self.settings, self.clock, self.port = settings, clock, free_port()
        self.send_buffer = send_buffer
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, and return when it does."""
        app = create_app(self.settings, self.clock)
        config = uvicorn.Config(
            app, port=self.port, http=Wire, log_config=None, access_log=False, timeout_graceful_shutdown=2
        )
        self.server = uvicorn.Server(config)
        place = config.bind_socket()
        if self.send_buffer is not None:
            place.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer
            )  # its connections have the same
        self.thread = threading.Thread(target=self.server.run, args=([place],))
        self.thread.start()
        until = time.monotonic() + PATIENCE
        while not self.server.started:
            assert self.thread.is_alive()
            assert time.monotonic() < until
            time.sleep(0.01)

    @property
    def connections(self) -> int:
        """How many it holds now."""
        return len(self.server.server_state.connections)

    def stop(self) -> None:
        """Stop as on a signal."""
        self.server.should_exit = True
        self.thread.join()


@dataclass
class Unit:
    """A unit with its cadre, who listens to the live stream and comes back after every break."""

    code: str
    number: int
    client: httpx.AsyncClient
    heard: list[tuple[str, int]] = field(default_factory=list)
    breaks: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, urls: Callable[[int], str]) -> None:
        """Read the stream for ever, each time behind the last event."""
        mark: str | None = None
        while True:
            with contextlib.suppress(httpx.HTTPError):
                url = urls(self.number + self.breaks) + "/v1/live"
                headers = {"last-event-id": mark} if mark else {}
                async with self.client.stream("GET", url, headers=headers, timeout=PATIENCE) as answer:
                    # The clock may leap between the making of a token and its check.
                    assert answer.status_code in (200, 401), await answer.aread()
                    async for event in _events(answer):
                        if event.get("event") not in (None, "hello", "bye"):
                            said = json.loads(event["data"])
                            self.heard.append((said["scope"], said["seq"]))
                        mark = event.get("id", mark)
                        self.ready.set()
            self.breaks += 1
            await asyncio.sleep(0.05)


async def _events(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Yield whole events; what a break cuts off is none."""
    event: dict[str, str] = {}
    async for text in answer.aiter_lines():
        name, _, value = text.partition(": ")
        if text:
            event[name] = value
        elif answer.status_code == 200:
            yield event
            event = {}


@dataclass
class Day:
    """The day: its servers, its units, and the office."""

    town: Town
    clock: TestClock
    servers: list[Server]
    units: list[Unit]
    office: httpx.AsyncClient

    def url(self, number: int) -> str:
        """Return the server that a call of this number goes to."""
        return self.servers[number % len(self.servers)].url

    async def each(self, act: Callable[[Unit], Awaitable[Any]], at_once: int = 8) -> None:
        """Let every unit do something, some at a time."""
        room = asyncio.Semaphore(at_once)

        async def one(unit: Unit) -> None:
            async with room:
                await act(unit)

        await asyncio.gather(*(one(unit) for unit in self.units))

    async def post(self, unit: Unit, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Let a unit post, to one of the servers, again where that one is away."""
        for attempt in range(100):
            try:
                answer = await unit.client.post(self.url(unit.number + attempt) + path, json=body)
            except httpx.TransportError:
                continue
            if answer.status_code != 503:
                assert answer.status_code in (200, 201), answer.text
                said: dict[str, Any] = answer.json()
                return said
            await asyncio.sleep(0.05)
        raise AssertionError("no server answers")

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask as the office."""
        return await self.office.get(self.url(0) + path, params=query)

    async def until(self, path: str, fits: Callable[[httpx.Response], bool], **query: Any) -> Any:
        """Ask again and again until the clockworks have done what is due."""
        async with asyncio.timeout(PATIENCE):
            while not fits(answer := await self.get(path, **query)):  # noqa: ASYNC110 - happens in another server
                await asyncio.sleep(0.05)
        return answer.json()


async def client_of(town: Town, role: str, codes: list[str]) -> httpx.AsyncClient:
    """Return a client with a real connection, logged in as a new account."""
    account = await town.account(role, codes)
    now, session = town.kit.clock.now(), uuid7()
    await town.owner.execute(
        "INSERT INTO sessions (id, account_id, secret, generation, created_at, rotated_at, expires_at)"
        " VALUES ($1, $2, $3, 0, $4, $4, $5)",
        session,
        account,
        b"\1" * 32,
        now,
        now + timedelta(days=3650),
    )
    return httpx.AsyncClient(auth=FreshToken(town.kit, account, session), timeout=PATIENCE)


async def feed_of(owner: asyncpg.Pool, code: int) -> dict[str, list[int]]:
    """Return the numbers of every unit's own feed."""
    rows = await owner.fetch(
        "SELECT unit_code, seq FROM feed WHERE township_code = $1 AND audience = 'unit' ORDER BY unit_code, seq",
        code,
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(f"{row['unit_code']}/unit", []).append(row["seq"])
    return found


def new_id() -> str:
    """Return an id as phones make them."""
    return str(uuid7())


def at(text: str) -> datetime:
    """Return a moment of the day in Shanghai."""
    return datetime.fromisoformat(f"2026-03-02T{text}+08:00")
