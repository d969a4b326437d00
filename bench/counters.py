"""What counters cost the writers: the same writes to one database by a server that counts and by one that does not."""

import json
import statistics
import time
import urllib.request
from collections.abc import Callable
from uuid import uuid4

from rich.console import Console

from app.core.ids import uuid7
from bench import load
from bench.decisions import decide
from bench.machine import Machine, cpu_seconds, free_port, serving
from bench.town import Phone, Town

ROUNDS = 25
"""Many and short: what else the machine does hits both alike."""
BATCH = 200

Load = Callable[[int, Town], load.Result]


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Let both write in turn, the one or the other first, and print the ratio of their medians."""
    bare = free_port()
    with serving(machine, port) as counting, serving(machine, bare, "bench.uncounted") as other:
        _registers(port, town.phones[0])
        servers = {True: (port, counting), False: (bare, other)}
        for name, (write, size) in _WRITES.items():
            rates: dict[bool, list[float]] = {True: [], False: []}
            cpu: dict[bool, list[float]] = {True: [], False: []}
            for number in range(-1, ROUNDS):
                for counted in (True, False) if number % 2 else (False, True):
                    at, pid = servers[counted]
                    before = cpu_seconds(pid)
                    result = write(at, town)
                    writes = sum(result.statuses.values()) * size
                    if number >= 0:  # the first round warms up
                        rates[counted].append(result.rate * size)
                        cpu[counted].append((cpu_seconds(pid) - before) / writes * 1e6)
            _print(out, name, rates, cpu)


def _print(out: Console, name: str, rates: dict[bool, list[float]], cpu: dict[bool, list[float]]) -> None:
    pairs = sorted(1 - one / other for one, other in zip(rates[True], rates[False], strict=True))
    quarter = len(pairs) // 4
    with_, without = statistics.median(cpu[True]), statistics.median(cpu[False])
    out.print(
        f"{name}: {statistics.median(rates[True]):,.0f} a second with counters, "
        f"{statistics.median(rates[False]):,.0f} without: they cost [bold]{statistics.median(pairs):.1%}[/] "
        f"(median of {ROUNDS} pairs, the middle half {pairs[quarter]:.1%} to {pairs[-1 - quarter]:.1%}; aim at most "
        f"15 %); server CPU {with_:,.0f} µs beside {without:,.0f} µs: {with_ / without - 1:.1%}"
    )


def _decisions(port: int, town: Town) -> load.Result:
    result = decide(port, town, 100)
    assert set(result.statuses) == {201}, result.statuses
    return result


def _registrations(port: int, town: Town) -> load.Result:
    result = load.run(port, [[_batch(phone)] for phone in town.phones])
    assert set(result.statuses) == {200}, result.statuses
    return result


def _registers(port: int, phone: Phone) -> None:
    """See that such a batch is taken, every operation of it."""
    body = _batch(phone).partition(b"\r\n\r\n")[2]
    headers = {"Authorization": f"Bearer {phone.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/sync/push", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert {one["status"] for one in json.load(answer)["results"]} == {"applied"}


def _batch(phone: Phone) -> bytes:
    now = int(time.time() * 1000)
    body = {
        "device_id": "bench", "batch_id": str(uuid4()), "schema": 1, "boot_id": "1", "sent_mono_ms": now,
        "sent_wall_ms": now, "ops": [_household(phone, now) for _ in range(BATCH)],
    }  # fmt: skip
    return load.request(
        "POST", "/v1/sync/push", {"Authorization": f"Bearer {phone.token}"}, json.dumps(body).encode()
    )


def _household(phone: Phone, now: int) -> dict[str, object]:
    body = {"unit_code": phone.unit, "address": "三组8号", "head": {"id": str(uuid7()), "name": "试验"}}
    return {"op_id": str(uuid4()), "kind": "household.register", "mono_ms": now, "wall_ms": now,
            "body": body}  # fmt: skip


_WRITES: dict[str, tuple[Load, int]] = {
    "decisions, one a request": (_decisions, 1),
    f"households, {BATCH} a push": (_registrations, BATCH),
}
