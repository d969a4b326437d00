"""A load generator for loopback: a few keep-alive connections that send prepared requests as fast as answers come.

It runs in a process of its own so that its work is not counted as the server's, and reads just enough HTTP to find the
end of an answer and its status.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """What a run saw: answers by status, the seconds it took, and each answer's time in seconds."""

    statuses: dict[int, int]
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds

    def percentile(self, part: float) -> float:
        """The time in milliseconds below which this part of the answers lies."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, requests: Sequence[Sequence[bytes]]) -> Result:
    """Send each connection its requests, all connections at once, and return what came back."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        statuses, seconds, latencies = pool.apply(_run, (port, requests))
    return Result(statuses, seconds, latencies)


def _run(port: int, requests: Sequence[Sequence[bytes]]) -> tuple[dict[int, int], float, list[float]]:
    return asyncio.run(_drive(port, requests))


async def _drive(port: int, requests: Sequence[Sequence[bytes]]) -> tuple[dict[int, int], float, list[float]]:
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in requests]
    started = time.perf_counter()
    await asyncio.gather(
        *(_talk(r, w, queue, statuses, latencies) for (r, w), queue in zip(streams, requests, strict=True))
    )
    seconds = time.perf_counter() - started
    for _, writer in streams:
        writer.close()
    return statuses, seconds, latencies


async def _talk(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    requests: Sequence[bytes],
    statuses: dict[int, int],
    latencies: list[float],
) -> None:
    for message in requests:
        started = time.perf_counter()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length:
            await reader.readexactly(int(length))
        latencies.append(time.perf_counter() - started)
        status = int(head[9:12])
        statuses[status] = statuses.get(status, 0) + 1
