"""Pushes and pulls with everything on, beside pgbench's own INSERT of 200 rows from unnest, in one run."""

import json
import statistics
import time
import urllib.request
from collections.abc import Sequence
from uuid import UUID, uuid4

from rich.console import Console
from rich.table import Table

from bench import load
from bench.machine import Machine, cpu_seconds, pgbench_script, serving
from bench.town import Phone, Town

SIZES = (1, 20, 200, 500)
OPS = 8_000
"""Operations a size and round."""
ROUNDS = 3
PAGES = 400

_TABLES = """
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS bench_ops (id uuid PRIMARY KEY, unit bigint NOT NULL, at timestamptz NOT NULL, body text);
"""

_INSERT = """
INSERT INTO bench_ops (id, unit, at, body)
SELECT id, 511303106243, now(), repeat('x', 200)
FROM unnest(ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 200))) AS n(id) ON CONFLICT DO NOTHING;
"""


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Interleave rounds of pgbench, of fresh batches and of their replays, and print medians and ratios."""
    with serving(machine, port) as pid:
        _push(port, town.phones, _batches(town.phones, 20, 400))
        bare = []
        fresh: dict[int, list[float]] = {size: [] for size in SIZES}
        again: dict[int, list[float]] = {size: [] for size in SIZES}
        cpu: dict[int, list[float]] = {size: [] for size in SIZES}
        for _ in range(ROUNDS):
            bare.append(200 * pgbench_script(machine, _TABLES, _INSERT, 3, len(town.phones)))
            for size in SIZES:
                batches = _batches(town.phones, size, OPS if size > 1 else OPS // 8)
                before = cpu_seconds(pid)
                fresh[size].append(_push(port, town.phones, batches) * size)
                count = sum(map(len, batches)) * size
                cpu[size].append((cpu_seconds(pid) - before) / count * 1e6)
                again[size].append(_push(port, town.phones, batches) * size)
        _print_pushes(out, bare, fresh, again, cpu)
        _pull(machine, town, port, pid, out)


def _print_pushes(
    out: Console,
    bare: Sequence[float],
    fresh: dict[int, list[float]],
    again: dict[int, list[float]],
    cpu: dict[int, list[float]],
) -> None:
    base = statistics.median(bare)
    out.print(f"pgbench INSERT of 200 rows from unnest: {base:,.0f} rows a second")
    table = Table(
        "batch", "visits/s", "µs of server CPU each", "ratio (aim 0.2 at 200)", "replayed / fresh (aim 1.5)"
    )
    for size in SIZES:
        rate = statistics.median(fresh[size])
        replay = statistics.median(again[size]) / rate
        each = statistics.median(cpu[size])
        table.add_row(str(size), f"{rate:,.0f}", f"{each:,.0f}", f"{rate / base:.3f}", f"{replay:.2f}")
    out.print(table)


def _batches(phones: Sequence[Phone], size: int, ops: int) -> list[list[bytes]]:
    """Return each phone's requests: visits to its own unit's quarantined people."""
    each = max(1, ops // size // len(phones))
    return [[_batch(phone, size) for _ in range(each)] for phone in phones]


def _batch(phone: Phone, size: int) -> bytes:
    now = int(time.time() * 1000)
    ops = [_visit(phone.orders[n % len(phone.orders)], now) for n in range(size)]
    body = {
        "device_id": "bench",
        "batch_id": str(uuid4()),
        "schema": 1,
        "boot_id": "1",
        "sent_mono_ms": now,
        "sent_wall_ms": now,
        "ops": ops,
    }
    return load.request("POST", "/v1/sync/push", _token(phone), json.dumps(body).encode())


def _visit(order_id: UUID, now: int) -> dict[str, object]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now // 1000 - 1))
    body = {
        "order_id": str(order_id),
        "kind": "temperature",
        "occurred_at": at,
        "temperature_c": 36.5,
        "at_home": True,
        "note": "精神尚可",
    }
    return {"op_id": str(uuid4()), "kind": "visit.record", "mono_ms": now, "wall_ms": now, "body": body}


def _token(phone: Phone) -> dict[str, str]:
    return {"Authorization": f"Bearer {phone.token}"}


def _push(port: int, phones: Sequence[Phone], batches: list[list[bytes]]) -> float:
    """Send the batches, a connection a phone; return how many a second were answered."""
    result = load.run(port, batches)
    count = sum(map(len, batches))
    assert result.statuses == {200: count}, result.statuses
    assert len(phones) == len(batches)
    return result.rate


def _pull(machine: Machine, town: Town, port: int, pid: int, out: Console) -> None:
    """Measure pages of 200 changes, from as many cursors as there are pages."""
    phone = town.phones[0]
    paths = _paths(port, phone)
    requests = [
        [load.request("GET", path, _token(phone)) for path in (paths * PAGES)[:PAGES]] for _ in range(4)
    ]
    rates, cpu = [], []
    for _ in range(ROUNDS):
        before = cpu_seconds(pid)
        result = load.run(port, requests)
        assert result.statuses == {200: 4 * PAGES}, result.statuses
        rates.append(result.rate)
        cpu.append((cpu_seconds(pid) - before) / (4 * PAGES) * 1e6)
    out.print(
        f"pull pages of 200 changes: {statistics.median(rates):,.0f} a second, "
        f"{statistics.median(cpu):,.0f} µs of server CPU each (aim 500 a second)"
    )


def _paths(port: int, phone: Phone) -> list[str]:
    paths: list[str] = []
    cursor = ""
    while True:
        path = f"/v1/sync/pull?limit=200{cursor}"
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=_token(phone))
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = json.load(answer)
        if len(page["changes"]) < 200:
            return paths
        paths.append(path)
        cursor = f"&cursor={page['next']}"
