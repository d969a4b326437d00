"""`wangge simulate`: a day of 58 units' phones against a running server, and the proof that nothing was lost."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.cli.demo.sheet import FILE
from app.cli.simulate.day import DAY_HOURS, Worker
from app.cli.simulate.line import Line, Tally
from app.cli.simulate.people import make_workers
from app.core import private_file
from app.core.settings import Settings

out = Console()
STEP_SECONDS = 1.0
ROUNDS = 30


@dataclass
class Simulation:
    """How long, how fast, and by which dice."""

    url: str
    days: float
    speed: float
    seed: int
    tally: Tally = field(default_factory=Tally)


def run_simulation(settings: Settings, url: str | None, days: float, speed: float, seed: int) -> bool:
    """Let the phones work, and tell whether all of them hold what the server holds in the end.

    Raises:
        SystemExit: there is no demonstration to log in to, or its server does not answer.
    """
    try:
        sheet = json.loads(private_file.read(settings.data / FILE))
    except (OSError, ValueError, private_file.ExposedFile):
        raise SystemExit("wangge: no demo.json in the data folder; start `make demo` first.") from None
    simulation = Simulation(url or sheet["base_url"], days, speed, seed)
    try:
        return asyncio.run(_simulate(simulation, sheet["logins"]["township"]))
    except httpx.HTTPError as error:
        raise SystemExit(f"wangge: {simulation.url} does not answer ({type(error).__name__}).") from None


async def _simulate(simulation: Simulation, office: dict[str, str]) -> bool:
    limits = httpx.Limits(max_connections=64)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with httpx.AsyncClient(base_url=simulation.url, timeout=60, limits=limits) as client:
        with Progress(*columns, console=out) as bars:
            began = time.monotonic()
            line = Line(client, simulation.tally)
            dice = random.Random(simulation.seed)

            def true() -> float:
                return (time.monotonic() - began) * simulation.speed

            workers = await make_workers(line, office, dice, true, bars)
            await _work(simulation, workers, bars)
            await _drain(workers, bars)
            faults = await _prove(workers, bars)
    _report(simulation, workers, faults, time.monotonic() - began)
    return not faults


async def _work(simulation: Simulation, workers: Sequence[Worker], bars: Progress) -> None:
    """Let everybody work for the days asked for, a step of the simulated clock at a time."""
    steps = max(1, round(simulation.days * DAY_HOURS * 3600 / (simulation.speed * STEP_SECONDS)))
    task = bars.add_task("The phones work", total=steps)
    for step in range(steps):
        started = time.monotonic()
        for worker in workers:
            worker.line.weather = True
        await asyncio.gather(*(worker.step(step / steps) for worker in workers))
        bars.advance(task)
        await asyncio.sleep(max(0.0, STEP_SECONDS - (time.monotonic() - started)))


async def _drain(workers: Sequence[Worker], bars: Progress) -> None:
    """Bring every phone back into the net, until nothing but what is held is left to send."""
    task = bars.add_task("Everybody comes home", total=len(workers))

    async def drain(worker: Worker) -> None:
        worker.line.weather = False
        for _ in range(ROUNDS):
            await worker.phone.push(most=500)
            if all(worker.phone.results.get(id_, {}).get("status") == "held" for id_ in worker.phone.outbox):
                break
        bars.advance(task)

    await asyncio.gather(*map(drain, workers))


async def _prove(workers: Sequence[Worker], bars: Progress) -> list[str]:
    """Return where a phone and the server hold something else; nobody writes any more, so nothing may differ."""
    task = bars.add_task("Digests are compared", total=len(workers))
    faults = []
    for worker in workers:
        for _ in range(5):  # the clock of the server may still close a slot between a pull and its proof
            await worker.phone.pull()
            differ = await worker.phone.verify()
            if not differ:
                break
        faults += [f"{worker.name}: {one['kind']} of {one['scope']}" for one in differ]
        lost = [id_ for id_, op in worker.phone.done.items() if id_ not in worker.phone.results and op]
        faults += [f"{worker.name}: {id_} has no answer" for id_ in lost]
        bars.advance(task)
    return faults


def _report(simulation: Simulation, workers: Sequence[Worker], faults: Sequence[str], seconds: float) -> None:
    ops: Counter[tuple[str, str]] = Counter()
    for worker in workers:
        for id_, op in (worker.phone.done | worker.phone.outbox).items():
            ops[op["kind"], worker.phone.results[id_]["status"]] += 1
    statuses = sorted({status for _, status in ops})
    table = Table("operation", *statuses, title=f"{len(workers)} phones, {sum(ops.values()):,} operations")
    for kind in sorted({kind for kind, _ in ops}):
        table.add_row(kind, *(f"{ops[kind, status] or '·'}" for status in statuses))
    out.print(table)
    tally = simulation.tally
    records = sum(len(r) for w in workers for held in w.phone.store.values() for r in held.values())
    out.print(
        f"{tally.requests:,} requests, {tally.lost_requests:,} lost on the way, {tally.lost_replies:,} answers lost, "
        f"{tally.refused:,} refused; {records:,} records on the phones; {seconds:.0f} seconds."
    )
    for fault in faults:
        out.print(f"[red]{fault}[/]")
    if not faults:
        out.print("[bold green]Every phone holds what the server holds: all digests are equal.[/]")
