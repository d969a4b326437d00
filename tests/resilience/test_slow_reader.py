"""A reader of the live stream that stops reading, over a real socket: it is let go, and misses nothing."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Self

import pytest

from app.core.settings import Settings
from tests.conftest import TestClock
from tests.live import token_of
from tests.register import register
from tests.resilience.site import until
from tests.resilience.whole_day import Server
from tests.town import Town

HOUSEHOLDS = 120
SMALL = 4096


@pytest.fixture
async def server(settings: Settings, clock: TestClock) -> AsyncIterator[Server]:
    """A real server whose connections take little into their buffers, and which is soon out of patience."""
    impatient = settings.model_copy(update={"live_patience": 0.3})
    made = Server(impatient, clock, send_buffer=SMALL)
    yield made
    await asyncio.to_thread(made.stop)


class Phone:
    """A phone on a socket of its own, with little room for what it has not read."""

    def __init__(self, server: Server, token: dict[str, str], mark: str | None = None) -> None:
        self.server, self.headers = server, token | ({"last-event-id": mark} if mark else {})

    async def __aenter__(self) -> Self:
        """Ask for the stream behind the mark."""
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        place.setblocking(False)
        await asyncio.get_running_loop().sock_connect(place, ("127.0.0.1", self.server.port))
        self.reader, self.writer = await asyncio.open_connection(sock=place, limit=SMALL)
        lines = [f"{name}: {value}" for name, value in self.headers.items()]
        self.writer.write("\r\n".join(["GET /v1/live HTTP/1.1", "Host: x", *lines, "", ""]).encode())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Go away."""
        self.writer.transport.abort()

    async def events(self) -> AsyncIterator[dict[str, str]]:
        """Yield whole events until the server lets go; what was cut off is none."""
        event: dict[str, str] = {}
        try:
            while line := await self.reader.readline():
                name, colon, value = line.decode().rstrip("\r\n").partition(": ")
                if colon:
                    event[name] = value
                elif "id" in event and not name:
                    yield event
                    event = {}
        except (ConnectionError, asyncio.IncompleteReadError):
            return


async def test_who_stops_reading_is_let_go_and_resumes(town: Town, server: Server) -> None:
    village, whole = await town.village(), list(range(1, HOUSEHOLDS * 2 + 1))
    async with Phone(server, token_of(village)) as phone:
        mark = (await anext(phone.events()))["id"]
        for _ in range(HOUSEHOLDS):
            await register(village, town)
        await until(lambda: _let_go(server), 20)  # while the phone has read nothing of it
        taken = [event async for event in phone.events()]
    assert 0 < len(taken) < len(whole), "some of it was on its way"
    async with Phone(server, token_of(village), taken[-1]["id"] or mark) as phone:
        rest = phone.events()
        assert (await anext(rest))["event"] == "hello"
        taken += [await anext(rest) for _ in whole[len(taken) :]]
    assert [json.loads(event["data"])["seq"] for event in taken] == whole


async def _let_go(server: Server) -> bool:
    return server.connections == 0
