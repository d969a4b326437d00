"""A thousand readers of the live stream on one server process: what each costs, and how late an event comes.

Each has a login of their own, and all of them hear the whole township: nothing is told to fewer than all.
"""

import asyncio
import json
import os
import statistics
import time
import urllib.request
from pathlib import Path

from rich.console import Console

from bench.machine import Machine, cpu_seconds, serving
from bench.town import CODE, UNITS, Town, office_tokens

READERS = int(os.environ.get("WANGGE_BENCH_READERS", "1000"))
EVENTS = 10


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Connect the readers, let something happen, and print what it cost."""
    tokens = asyncio.run(office_tokens(machine.settings, READERS))
    with serving(machine, port) as pid:
        before = _resident(pid)
        delays, after, seconds = asyncio.run(_run(town, tokens, port, pid))
    delays.sort()
    out.print(
        f"{READERS:,} live readers of a whole township on one process: {(after - before) / READERS:,.0f} KiB each; "
        f"an event is with the median reader after {statistics.median(delays) * 1000:,.0f} ms, with 99 of 100 after "
        f"{delays[int(len(delays) * 0.99)] * 1000:,.0f} ms, with the last after [bold]{delays[-1] * 1000:,.0f} ms[/]; "
        f"{seconds / EVENTS / READERS * 1e6:,.0f} µs of CPU each"
    )


def _resident(pid: int) -> int:
    """Return a process's resident memory in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


async def _run(town: Town, tokens: list[str], port: int, pid: int) -> tuple[list[float], int, float]:
    connections = []
    for token in tokens:
        head = f"GET /v1/live HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(head)
        await reader.readuntil(b"event: hello")
        connections.append((reader, writer))
    memory, delays, began_cpu = _resident(pid), list[float](), cpu_seconds(pid)
    for number in range(EVENTS):
        mark = f"live {number}"
        waiting = [asyncio.create_task(_hear(reader, mark)) for reader, _ in connections]
        began = time.perf_counter()
        await asyncio.to_thread(_happen, town, port, mark)
        async with asyncio.timeout(120):
            delays += [moment - began for moment in await asyncio.gather(*waiting)]
    seconds = cpu_seconds(pid) - began_cpu
    for _, writer in connections:
        writer.close()
    return delays, memory, seconds


async def _hear(reader: asyncio.StreamReader, mark: str) -> float:
    await reader.readuntil(mark.encode())
    return time.perf_counter()


def _happen(town: Town, port: int, mark: str) -> None:
    """Register a household, whose address is the mark."""
    body = {"unit_code": str(UNITS[0]), "address": mark, "head": {"name": "试验"}}
    headers = {"Authorization": f"Bearer {town.office_token}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/v1/households"
    with urllib.request.urlopen(
        urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=60
    ) as answer:
        assert answer.status == 201, (CODE, answer.status)
