"""Phones that write without pause, and remember what they were told."""

import asyncio
import uuid
from types import TracebackType
from typing import Self

import httpx

from tests.resilience.site import UNITS, Site, household, is_unavailable, until


class Writers:
    """Writes households in parallel until told to stop.

    `acknowledged` are those answered with 2xx; `open` those whose fate the phone does not know; `refused` counts the
    503s. Any other answer is `wrong`.
    """

    def __init__(self, site: Site, client: httpx.AsyncClient, *, parallel: int = 8) -> None:
        self.site, self.client, self.parallel = site, client, parallel
        self.acknowledged: set[str] = set()
        self.open: set[str] = set()
        self.refused = 0
        self.wrong: list[str] = []
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._write()) for _ in range(self.parallel)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def written(self, count: int) -> None:
        """Wait until so many further writes were acknowledged."""
        goal = len(self.acknowledged) + count

        async def reached() -> bool:
            return len(self.acknowledged) >= goal

        await until(reached)

    async def _write(self) -> None:
        while not self._stopping:
            id_ = str(uuid.uuid4())
            self.open.add(id_)
            if not await self._send(id_):
                await asyncio.sleep(0.05)

    async def _send(self, id_: str) -> bool:
        unit = UNITS[int(id_[0], 16) % 2]
        try:
            answer = await self.client.post("/v1/households", json=household(id_, unit))
        except httpx.TransportError:
            return False
        if answer.status_code in (200, 201):
            replayed = answer.headers.get("idempotent-replay") == "true"
            if replayed != (answer.status_code == 200) or answer.json()["id"] != id_:
                self.wrong.append(f"{answer.status_code} {answer.headers} {answer.text}")
            self.acknowledged.add(id_)
            self.open.discard(id_)
            return True
        if is_unavailable(answer):
            self.refused += 1
        else:
            self.wrong.append(f"{answer.status_code} {answer.text}")
        return False

    async def send_again(self) -> None:
        """Send everything once more, as a phone does that heard nothing: all must be there, and once."""
        before, unknown = set(self.acknowledged), set(self.open)
        for ids in (before, unknown):
            ordered = sorted(ids)
            for start in range(0, len(ordered), self.parallel):
                sent = await asyncio.gather(*map(self._send, ordered[start : start + self.parallel]))
                assert all(sent)
        assert self.acknowledged == before | unknown
        assert not self.open

    async def check(self) -> None:
        """Nothing acknowledged is lost, nothing is there twice, and the counters agree with the rows."""
        assert not self.wrong, (self.wrong[:3], self.site.mishaps()[:3])
        acknowledged, unknown = set(self.acknowledged), set(self.open)
        stored = {str(row["id"]) for row in await self.site.sql("SELECT id FROM households")}
        assert acknowledged <= stored, f"{len(acknowledged - stored)} acknowledged writes are lost"
        await self.send_again()
        assert not self.wrong, self.wrong[:3]
        rows = await self.site.sql(
            "SELECT count(*) AS rows, count(DISTINCT id) AS ids, (SELECT count(*) FROM people) AS people,"
            " (SELECT sum(households) FROM daily_counters) AS counted FROM households"
        )
        assert len({*rows[0]}) == 1, dict(rows[0])
        stored = {str(row["id"]) for row in await self.site.sql("SELECT id FROM households")}
        assert acknowledged | unknown <= stored
