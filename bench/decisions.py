"""Decisions a second with everything on (token, session, fence, rules, counters), beside pgbench's SELECT + INSERT."""

import json
import random
import statistics
from uuid import UUID

from rich.console import Console

from app.core.ids import uuid7
from bench import load
from bench.machine import Machine, cpu_seconds, pgbench, serving
from bench.town import Town

CLIENTS = 8
ROUNDS = 3
SECONDS = 5


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Interleave rounds of pgbench and of the API, and print the medians and their ratio."""
    rates, bare, cpu, worst = [], [], [], []
    with serving(machine, port) as pid:
        decide(port, town, 500)
        for _ in range(ROUNDS):
            bare.append(pgbench(machine, SECONDS, CLIENTS))
            before = cpu_seconds(pid)
            result = decide(port, town, 1000)
            count = sum(result.statuses.values())
            assert result.statuses == {201: count}, result.statuses
            cpu.append((cpu_seconds(pid) - before) / count * 1e6)
            rates.append(result.rate)
            worst.append(result.percentile(0.99))
    out.print(f"pgbench SELECT + INSERT, {CLIENTS} clients: {statistics.median(bare):,.0f} a second")
    out.print(
        f"decisions, everything on, one server process: {statistics.median(rates):,.0f} a second, "
        f"{statistics.median(cpu):,.0f} µs of server CPU each, p99 {statistics.median(worst):.1f} ms"
    )
    ratios = ", ".join(f"{rate / base:.3f}" for rate, base in zip(rates, bare, strict=True))
    out.print(
        f"[bold]ratio {statistics.median(rates) / statistics.median(bare):.3f}[/] (rounds: {ratios}; aim 0.2)"
    )


def decide(port: int, town: Town, each: int) -> load.Result:
    """Let every gate decide so often, all at once."""
    return load.run(port, [[_request(town, *gate) for _ in range(each)] for gate in town.gates])


def _request(town: Town, checkpoint_id: UUID, token: str) -> bytes:
    body = {
        "id": str(uuid7()),
        "occurred_at": "2026-01-01T08:00:00+08:00",
        "direction": "out",
        "subject": {"person_id": str(random.choice(town.people))},
        "temperature_c": 36.5,
        "mask": True,
        "purpose": "food",
    }
    path = f"/v1/checkpoints/{checkpoint_id}/decisions"
    return load.request("POST", path, {"Authorization": f"Bearer {token}"}, json.dumps(body).encode())
