"""The daily report and a 30-day series beside one million events and ten: reports never read events."""

import asyncio
import os
import statistics
import time
import urllib.request

import asyncpg
from rich.console import Console
from sqlalchemy.engine import make_url

from app.cli.feed import recount
from bench import load
from bench.machine import Machine, free_port, serving
from bench.town import CODE, UNITS, Town, execute

DAY = "2026-01-30"
PATHS = {
    "daily report": f"/v1/reports/daily?day={DAY}",
    "30-day series": "/v1/reports/series?metrics=households_checked,passes,denials,orders_active"
    f"&from=2026-01-01&to={DAY}",
}
FEW, MANY = 1_000_000, int(os.environ.get("WANGGE_BENCH_EVENTS", "10000000"))
ROUNDS = 5

MANY_NAME = "bench_many"

_EVENTS = """
INSERT INTO decisions (township_code, unit_code, id, content_hash, author_id, recorded_at, checkpoint_id, occurred_at,
    day, direction, verdict, reasons, rules_version, subject_kind, temperature_c, mask, purpose)
SELECT {code}, (ARRAY{units})[1 + n % 58], gen_random_uuid(), '', '{gate}', '2026-01-01Z', '{gate}', '2026-01-01Z',
    '2025-11-01'::date + (n / 58 % 91)::int, 'out', (ARRAY['pass', 'deny'])[1 + (n % 10 = 0)::int],
    CASE WHEN n % 10 = 0 THEN '{{no_mask}}'::text[] ELSE '{{}}' END, 1, 'resident', 36.5, true, 'food'
FROM generate_series(1, {count}) AS n
"""


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Ask both databases in turn, the one with few events and the one with many, and print medians and ratios."""
    name = make_url(machine.owner_url).database
    many, its_port = machine.on(MANY_NAME), free_port()
    _load(machine, town, FEW)
    execute(
        machine.owner_url.replace(f"/{name}?", "/postgres?"), f"CREATE DATABASE {MANY_NAME} TEMPLATE {name}"
    )
    _load(many, town, MANY - FEW)
    for one in (machine, many):
        out.print(f"{len(recount(one.settings, str(CODE), check=False)):,} counters made by recount")
        assert recount(one.settings, str(CODE), check=True) == []
        execute(one.owner_url, "VACUUM ANALYZE decisions", "CHECKPOINT")
    with serving(machine, port), serving(many, its_port):
        times = _in_turn(town, {FEW: port, MANY: its_port})
        zipped = _in_turn(town, {MANY: its_port}, {"Accept-Encoding": "gzip"})
        grouped = _group_by(many)
        held_already = _unchanged(town, its_port)
    for path in PATHS:
        few, much, small = (_median(found, path) for found in (times[FEW], times[MANY], zipped[MANY]))
        out.print(
            f"{path}: {few:.1f} ms at {FEW:,} events, {much:.1f} ms at {MANY:,}: [bold]ratio {much / few:.2f}[/] "
            f"(aim at most 1.2, and under 20 ms); gzipped {small:.1f} ms"
        )
    series = _median(times[MANY], "30-day series")
    out.print(
        f"the same series by GROUP BY over {MANY:,} events: {grouped:,.0f} ms, [bold]{grouped / series:,.0f} times[/] "
        f"as long; unchanged (304): {held_already:,.0f} a second"
    )


def _load(machine: Machine, town: Town, count: int) -> None:
    statement = _EVENTS.format(code=CODE, units=UNITS, gate=town.gates[0][0], count=count)
    execute(machine.owner_url, "SET session_replication_role = replica;" + statement)


def _median(found: dict[str, list[float]], path: str) -> float:
    """Return the median of a path's rounds, in milliseconds."""
    return statistics.median(found[path]) * 1000


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


def _in_turn(
    town: Town, ports: dict[int, int], headers: dict[str, str] | None = None
) -> dict[int, dict[str, list[float]]]:
    """Ask each server for each path, in turn, by one client; return the median of every round."""
    times: dict[int, dict[str, list[float]]] = {events: {name: [] for name in PATHS} for events in ports}
    token = {"Authorization": f"Bearer {town.office_token}", **(headers or {})}
    for number in range(-1, ROUNDS):
        for name, path in PATHS.items():
            for events, port in ports.items():
                result = load.run(port, [[load.request("GET", path, token)] * 20])
                assert result.statuses == {200: 20}, result.statuses
                if number >= 0:  # the first round warms up
                    times[events][name].append(statistics.median(result.latencies))
    return times
