"""A thousand readers of the live stream on one server process: the memory of each, and how late an event comes."""

import asyncio
import json
import os
import statistics
import time
from pathlib import Path

from rich.console import Console

from bench import load
from bench.machine import Machine, serving
from bench.town import CODE, UNITS, Town

READERS = int(os.environ.get("WANGGE_BENCH_READERS", "1000"))
EVENTS = 10


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Connect the readers, let something happen, and print what it cost."""
    with serving(machine, port) as pid:
        before = _resident(pid)
        delays, after = asyncio.run(_run(town, port, pid))
    out.print(
        f"{READERS:,} live readers of a whole township on one process: {(after - before) / READERS:,.0f} KiB each; "
        f"an event is with the median reader after {statistics.median(delays) * 1000:,.0f} ms, with the last after "
        f"[bold]{max(delays) * 1000:,.0f} ms[/]"
    )


def _resident(pid: int) -> int:
    """Return a process's resident memory in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


async def _run(town: Town, port: int, pid: int) -> tuple[list[float], int]:
    token = f"Authorization: Bearer {town.office_token}\r\n"
    head = f"GET /v1/live HTTP/1.1\r\nHost: bench\r\n{token}\r\n".encode()
    connections = []
    for _ in range(READERS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(head)
        await reader.readuntil(b"event: hello")
        connections.append((reader, writer))
    memory, delays = _resident(pid), list[float]()
    for number in range(EVENTS):
        mark = f"live {number}"
        waiting = [asyncio.create_task(_hear(reader, mark)) for reader, _ in connections]
        began = time.perf_counter()
        await asyncio.to_thread(_happen, town, port, mark)
        async with asyncio.timeout(120):
            delays += [moment - began for moment in await asyncio.gather(*waiting)]
    for _, writer in connections:
        writer.close()
    return delays, memory


async def _hear(reader: asyncio.StreamReader, mark: str) -> float:
    await reader.readuntil(mark.encode())
    return time.perf_counter()


def _happen(town: Town, port: int, mark: str) -> None:
    """Register a household, whose address is the mark."""
    body = {"unit_code": str(UNITS[0]), "address": mark, "head": {"name": "试验"}}
    token = {"Authorization": f"Bearer {town.office_token}"}
    request = load.request("POST", "/v1/households", token, json.dumps(body).encode())
    result = load.run(port, [[request]])
    assert result.statuses == {201: 1}, (CODE, result.statuses)
