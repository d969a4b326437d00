"""A reader of the live stream, as a server sees one: it takes events when it likes, and hangs up when it likes."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI

from tests.town import Town

PATIENCE = 10


@dataclass(frozen=True)
class Event:
    """One event as it came; a comment has none of these."""

    name: str | None
    id: str | None
    data: Any


class Reader:
    """One connection to `GET /v1/live`."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.status = 0
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.beats = 0
        self.takes = asyncio.Event()
        self.takes.set()
        self._gone, self._rest = asyncio.Event(), b""
        self.task: asyncio.Task[None] | None = None

    async def connect(self, headers: dict[str, str], **query: str) -> "Reader":
        """Connect, and wait for the answer's status."""
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
            "method": "GET", "scheme": "http", "path": "/v1/live", "raw_path": b"/v1/live", "root_path": "",
            "query_string": urlencode(query).encode(), "headers": raw, "client": ("127.0.0.1", 1),
            "server": ("wangge.test", 80), "state": {},
        }  # fmt: skip
        self.task = asyncio.create_task(self.app(scope, self._receive, self._send))
        async with asyncio.timeout(PATIENCE):
            while not self.status:
                assert not self.task.done(), self.task.exception()
                await asyncio.sleep(0)
        return self

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        await self.takes.wait()
        if self._gone.is_set():
            raise OSError
        self._rest += message["body"]
        *whole, self._rest = self._rest.split(b"\n\n")
        for text in whole:
            self._take(text.decode())

    def _take(self, text: str) -> None:
        fields: dict[str, str] = {}
        for line in text.split("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        if set(fields) == {""}:
            self.beats += 1
        else:
            data = json.loads(fields["data"]) if "data" in fields else None
            self.events.put_nowait(Event(fields.get("event"), fields.get("id"), data))

    async def next(self) -> Event:
        """Return the next event."""
        async with asyncio.timeout(PATIENCE):
            return await self.events.get()

    async def until(self, name: str) -> list[Event]:
        """Return the events up to the first of a name."""
        found = [await self.next()]
        while found[-1].name != name:
            found.append(await self.next())
        return found

    async def ended(self) -> None:
        """Wait until the server has let go."""
        assert self.task is not None
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([self.task])

    async def hang_up(self) -> None:
        """Go away."""
        self._gone.set()
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait([self.task])


@contextmanager
def impatient(town: Town, seconds: float) -> Iterator[None]:
    """Let the application drop a reader who takes nothing for so long."""
    kit = town.kit
    town.app.state.kit = replace(kit, settings=kit.settings.model_copy(update={"live_patience": seconds}))
    yield
    town.app.state.kit = kit


def token_of(client: httpx.AsyncClient) -> dict[str, str]:
    """Return the header of a client's own token."""
    request = client.build_request("GET", "/")
    next(client.auth.auth_flow(request))  # type: ignore[union-attr]
    return {"authorization": request.headers["authorization"]}
