"""Who works in the simulation: a cadre in every unit, staff of some gates, and two of the clinic, with new logins."""

import asyncio
import random
import time
import uuid
from typing import Any

from rich.progress import Progress

from app.cli.simulate.clocks import Clocks, Seconds
from app.cli.simulate.day import Worker
from app.cli.simulate.line import Line
from app.cli.simulate.phone import Phone

GATES, CLINIC = 6, 2
HOUR_MS = 3_600_000
SKEWS = (
    0,
    0,
    0,
    20_000,
    -90_000,
    8 * HOUR_MS,
    -8 * HOUR_MS,
    10 * 365 * 24 * HOUR_MS,
    -10 * 365 * 24 * HOUR_MS,
)


async def make_workers(
    line: Line, office: dict[str, str], dice: random.Random, true: Seconds, bars: Progress
) -> list[Worker]:
    """Create the logins through the API, and give each a phone that starts by snapshot."""
    await line.log_in(office["username"], office["password"])
    units = await _all(line, "/v1/units")
    gates = (await _all(line, "/v1/checkpoints"))[:GATES]
    run = uuid.uuid4().hex[:6]
    wanted = [("village", {"codes": [unit["unit_code"]]}, unit["name"]) for unit in units]
    wanted += [("checkpoint", {"checkpoint_ids": [gate["id"]]}, gate["name"]) for gate in gates]
    wanted += [("clinic", {}, f"卫生院{n + 1}") for n in range(CLINIC)]
    task = bars.add_task("Logins and snapshots", total=len(wanted))
    room = asyncio.Semaphore(4)

    async def make(number: int, role: str, scope: dict[str, Any], name: str) -> Worker:
        async with room:
            worker = await _make(line, f"sim-{run}-{number}", role, scope, name, dice.randrange(2**32), true)
        bars.advance(task)
        return worker

    return list(await asyncio.gather(*(make(n, *one) for n, one in enumerate(wanted))))


async def _make(
    office: Line, username: str, role: str, scope: dict[str, Any], name: str, seed: int, true: Seconds
) -> Worker:
    body = {"id": str(uuid.uuid4()), "username": username, "name": name[:20], "role": role, **scope}
    await _must(office, "/v1/staff", body)
    password = (await _must(office, f"/v1/staff/{body['id']}/password", None))["password"]
    line = office.another(seed)
    await line.log_in(username, password)
    dice = random.Random(seed)
    clocks = Clocks(true, round(time.time() * 1000), dice.choice(SKEWS))
    worker = Worker(name, role, scope, Phone(username, line.send, clocks), line, dice)
    await worker.phone.start()
    return worker


async def _must(line: Line, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    status, answer = await line.send("POST", path, body)
    if status not in (200, 201):
        raise SystemExit(f"wangge: {path} answers {status}: {answer.get('code')}.")
    return answer


async def _all(line: Line, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        _, page = await line.send("GET", f"{path}?limit=500{after}", None)
        items += page["items"]
        if page["next"] is None:
            return items
        after = f"&after={page['next']}"
