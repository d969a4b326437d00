"""The daily report and a 30-day series beside one million events and ten: reports never read events."""

import asyncio
import os
import statistics
import time
import urllib.request

import asyncpg
from rich.console import Console

from bench import load
from bench.machine import Machine, serving
from bench.town import CODE, UNITS, Town, execute

DAY = "2026-01-30"
PATHS = {
    "daily report": f"/v1/reports/daily?day={DAY}",
    "30-day series": "/v1/reports/series?metrics=households_checked,passes,denials,orders_active"
    f"&from=2026-01-01&to={DAY}",
}
FEW, MANY = 1_000_000, int(os.environ.get("WANGGE_BENCH_EVENTS", "10000000"))
ROUNDS = 5

_COUNTERS = f"""
INSERT INTO daily_counters (township_code, unit_code, day, changed_at, households, households_checked, passes, denials)
SELECT {CODE}, u, d::date, '2026-01-31Z', 1, 20, 50, 5
FROM unnest(ARRAY{UNITS}) AS u, generate_series('2025-11-01'::date, '{DAY}'::date, '1 day') AS d
ON CONFLICT DO NOTHING
"""

_EVENTS = """
INSERT INTO decisions (township_code, unit_code, id, content_hash, author_id, recorded_at, checkpoint_id, occurred_at,
    day, direction, verdict, reasons, rules_version, subject_kind, temperature_c, mask, purpose)
SELECT {code}, {unit}, gen_random_uuid(), '', '{checkpoint}', '2026-01-01Z', '{checkpoint}', '2026-01-01Z',
    '2025-11-01'::date + (n % 90), 'out', 'pass', '{{}}', 1, 'resident', 36.5, true, 'food'
FROM generate_series(1, {count}) AS n
"""


def _load(machine: Machine, town: Town, count: int) -> None:
    statement = _EVENTS.format(code=CODE, unit=UNITS[0], checkpoint=town.gates[0][0], count=count)
    execute(machine.owner_url, "SET session_replication_role = replica;" + statement, "ANALYZE")


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Measure with few events, then with many, and print the medians of each and their ratio."""
    execute(machine.owner_url, _COUNTERS)
    medians: dict[str, list[float]] = {name: [] for name in PATHS}
    held = 0
    with serving(machine, port):
        for total in (FEW, MANY):
            _load(machine, town, total - held)
            held = total
            for name, times in _round_robin(town, port).items():
                medians[name].append(statistics.median(times) * 1000)
        zipped = _round_robin(town, port, {"Accept-Encoding": "gzip"})
        grouped = _group_by(machine)
        held_already = _unchanged(town, port)
    for name, (few, many) in medians.items():
        out.print(
            f"{name}: {few:.1f} ms at {FEW:,} events, {many:.1f} ms at {MANY:,}: [bold]ratio {many / few:.2f}[/] "
            f"(aim at most 1.2, and under 20 ms); gzipped {statistics.median(zipped[name]) * 1000:.1f} ms"
        )
    series = medians["30-day series"][1]
    out.print(
        f"the same series by GROUP BY over {MANY:,} events: {grouped:,.0f} ms, [bold]{grouped / series:,.0f} times[/] "
        f"as long; unchanged (304): {held_already:,.0f} a second"
    )


def _group_by(machine: Machine) -> float:
    """Return how many milliseconds the series takes from the events themselves."""
    statement = (
        "SELECT day, count(*) FILTER (WHERE verdict = 'pass'), count(*) FILTER (WHERE verdict = 'deny') FROM decisions"
        f" WHERE township_code = {CODE} AND day BETWEEN '2026-01-01' AND '{DAY}' GROUP BY day ORDER BY day"
    )

    async def run() -> float:
        connection = await asyncpg.connect(machine.owner_url)
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await connection.fetch(statement)
            times.append(time.perf_counter() - began)
        await connection.close()
        return statistics.median(times) * 1000

    return asyncio.run(run())


def _unchanged(town: Town, port: int) -> float:
    """Return how often a second a dashboard learns that nothing has changed."""
    token = {"Authorization": f"Bearer {town.office_token}"}
    path = PATHS["daily report"]
    url = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=token), timeout=30) as answer:
        etag = answer.headers["ETag"]
    request = load.request("GET", path, token | {"If-None-Match": etag})
    result = load.run(port, [[request] * 200 for _ in range(4)])
    assert result.statuses == {304: 800}, result.statuses
    return result.rate


def _round_robin(town: Town, port: int, headers: dict[str, str] | None = None) -> dict[str, list[float]]:
    """Ask for both, in turn, by one client."""
    times: dict[str, list[float]] = {name: [] for name in PATHS}
    token = {"Authorization": f"Bearer {town.office_token}", **(headers or {})}
    for _ in range(ROUNDS):
        for name, path in PATHS.items():
            result = load.run(port, [[load.request("GET", path, token)] * 20])
            assert result.statuses == {200: 20}, result.statuses
            times[name] += result.latencies
    return times
