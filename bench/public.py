"""Public reports from one address, WANGGE_BENCH_REPORTS of them: how many are let in, how the rest fares meanwhile."""

import json
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from app.services.public_limits import LIMITS
from bench import load
from bench.machine import Machine, serving
from bench.town import UNITS, Town

REPORTS = int(os.environ.get("WANGGE_BENCH_REPORTS", "1000"))
SENDERS = 4
READS = 400


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Read alone, beside the flood, and beside as many of the cheapest requests there are; print the ratios."""
    with serving(machine, port):
        poster = _poster(town, port)
        _read(town, port)
        alone = _read(town, port)
        flood, beside = _both(town, port, [_report(poster, n) for n in range(REPORTS)])
        _, cheap = _both(town, port, [load.request("GET", "/livez", {})] * REPORTS)
    let_in, limited = flood.statuses.get(201, 0), flood.statuses.get(429, 0)
    assert (let_in, limited) == (LIMITS["address"], REPORTS - LIMITS["address"]), flood.statuses
    out.print(
        f"{REPORTS:,} public reports from one address, {SENDERS} connections: {let_in} stored, {limited:,} limited, "
        f"{flood.rate:,.0f} answers a second"
    )
    out.print(
        f"a unit's roster meanwhile: median {alone.percentile(0.5):.1f} ms alone, {beside.percentile(0.5):.1f} ms "
        f"beside them ([bold]ratio {beside.percentile(0.5) / alone.percentile(0.5):.2f}[/]), "
        f"{cheap.percentile(0.5):.1f} ms beside as many GET /livez "
        f"([bold]ratio to that {beside.percentile(0.5) / cheap.percentile(0.5):.2f}[/], aim 1); "
        f"all answered: {beside.statuses}"
    )


def _both(town: Town, port: int, flood: list[bytes]) -> tuple[load.Result, load.Result]:
    """Return what the flood saw, and what was read while it ran."""
    with ThreadPoolExecutor(2) as pool:
        flooding = pool.submit(load.run, port, [flood[n::SENDERS] for n in range(SENDERS)])
        reading = pool.submit(_read, town, port)
        return flooding.result(), reading.result()


def _read(town: Town, port: int) -> load.Result:
    headers = {"Authorization": f"Bearer {town.office_token}"}
    return load.run(port, [[load.request("GET", f"/v1/units/{UNITS[0]}/roster", headers)] * READS])


def _poster(town: Town, port: int) -> str:
    url = f"http://127.0.0.1:{port}/v1/units/{UNITS[0]}/poster"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {town.office_token}"})
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["code"])


def _report(poster: str, number: int) -> bytes:
    body = {
        "poster": poster,
        "name": "何小燕",
        "phone": f"139{number:08d}",
        "from": "武汉",
        "arrived_on": "2020-02-03",
    }
    return load.request("POST", "/v1/public/self-reports", {}, json.dumps(body).encode())
