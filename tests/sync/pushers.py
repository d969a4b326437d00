"""Phones that push without pause, and remember what they were told of each operation."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from httpx import AsyncClient

from tests.duty import a_patrol
from tests.outcomes import a_tip, an_incident
from tests.publicity import a_publicity_log, a_venue, an_inspection, make_material
from tests.pushing import batch, op
from tests.register import register
from tests.scene import open_order, visit_body
from tests.supplies import a_fund, a_move, granted, made, stocked
from tests.sync.follower import Follower
from tests.town import Town


@dataclass
class Ground:
    """What can be written about in a unit."""

    unit: int
    order: str
    site: str
    item: str
    material: str
    venue: str


async def make_grounds(town: Town, office: AsyncClient, *units: int) -> list[Ground]:
    """Give units somebody in quarantine, a pharmacy, a shop, and more masks and money than anybody uses up."""
    grounds, now = [], town.kit.clock.now()
    codes = [town.units[unit] for unit in units]
    item, material = await stocked(office, now, dict.fromkeys(codes, 90_000)), await make_material(office)
    await granted(office, now, dict.fromkeys(codes, "90000"))
    for unit, code in zip(units, codes, strict=True):
        home = await register(office, town, unit)
        order = await open_order(office, home["head"]["id"], town.today())
        site = await made(
            office, "/v1/disinfection-sites", {"unit_code": code, "name": "药房", "kind": "pharmacy"}
        )
        shop = await made(office, "/v1/venues", a_venue(code))
        grounds.append(Ground(unit, order["id"], site["id"], item, material, shop["id"]))
    return grounds


@dataclass
class Pusher:
    """One phone. `open` are the operations whose fate it does not know, `done` those that were acknowledged."""

    town: Town
    client: AsyncClient
    ground: Ground
    chance: random.Random
    hangs_up: float = 0.0
    """How often it goes away in the middle of its request."""
    open: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)

    def make(self, count: int) -> None:
        """Do something: register a household, visit, disinfect, or what else a unit's day is made of."""
        now = self.town.kit.clock.now()
        bodies = bodies_of(self.ground, self.town.units[self.ground.unit], now)
        for _ in range(count):
            kind = self.chance.choice(list(KINDS))
            sent = op(kind, bodies[kind](), now)
            self.open[sent["op_id"]] = sent

    async def push(self) -> bool:
        """Send what is open, and some of what was acknowledged; tell whether an answer came."""
        again = self.chance.sample(sorted(self.done), min(len(self.done), 2))
        ops = [*self.open.values(), *(self.done[id_] for id_ in again)]
        self.chance.shuffle(ops)
        sent = asyncio.create_task(
            self.client.post("/v1/sync/push", json=batch(self.town.kit.clock.now(), *ops))
        )
        if self.chance.random() < self.hangs_up:
            for _ in range(self.chance.randint(1, 80)):
                await asyncio.sleep(0)
            sent.cancel()
            await asyncio.gather(sent, return_exceptions=True)
            return False
        answer = await sent
        self.statuses.append(answer.status_code)
        if answer.status_code != 200:
            return False
        for sent_op, result in zip(ops, answer.json()["results"], strict=True):
            self._settle(sent_op, result)
        return True

    def _settle(self, sent: dict[str, Any], result: dict[str, Any]) -> None:
        id_ = sent["op_id"]
        assert result["op_id"] == id_
        assert result["status"] in ("applied", "duplicate"), result
        place = {name: result[name] for name in ("entity", "scope", "seq")}
        assert self.results.setdefault(id_, place) == place, "a repeat is answered as the first time"
        self.done[id_] = sent
        self.open.pop(id_, None)

    async def write(self, rounds: int) -> None:
        """Push so many times, two to six new operations each."""
        for _ in range(rounds):
            self.make(self.chance.randint(2, 6))
            await self.push()

    async def write_until(self, deadline: float) -> None:
        """Push until a moment of the monotonic clock."""
        while time.monotonic() < deadline:
            await self.write(1)


KINDS = {
    "household.register": "household",
    "visit.record": "visit",
    "disinfection.log": "log",
    "supply.move": "supply_move",
    "fund.record": "fund",
    "patrol.record": "patrol",
    "publicity.log": "publicity",
    "inspection.record": "inspection",
    "tip.record": "tip",
    "incident.record": "incident",
}
"""What phones say, and of which kind the feed tells it."""


def bodies_of(ground: Ground, unit: str, now: datetime) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return how the body of each kind is made."""
    at = now.isoformat()
    return {
        "household.register": lambda: {
            "unit_code": unit,
            "address": "一组",
            "head": {"id": str(uuid4()), "name": "李四"},
        },
        "visit.record": lambda: visit_body(ground.order, now),
        "disinfection.log": lambda: {"site_id": ground.site, "occurred_at": at},
        "supply.move": lambda: a_move(ground.item, "confirm", 0.125, now, unit),
        "fund.record": lambda: a_fund(unit, "spend", "0.01", now),
        "patrol.record": lambda: a_patrol(unit, now),
        "publicity.log": lambda: a_publicity_log(unit, ground.material, now, 3),
        "inspection.record": lambda: an_inspection(ground.venue, now),
        "tip.record": lambda: a_tip(unit),
        "incident.record": lambda: an_incident(unit, now),
    }


BEFORE = {"household", "supply_move", "fund"}
"""Of these the office has written one for each unit before the phones begin: the home, the issue, the grant."""


def all_told_once(town: Town, pushers: list[Pusher], unit: Follower, clinic: Follower) -> int:
    """Assert that each audience was told every acknowledged operation once, and no other; return how many there are."""
    made = [(p.ground.unit, sent) for p in pushers for sent in p.done.values()]
    grounds = {p.ground.unit: p.ground for p in pushers}
    for follower in (unit, clinic):
        follower.without_gaps()
    for number in grounds:
        scope = f"{town.units[number]}/unit"
        for kind, record in KINDS.items():
            ids = [s["op_id"] for n, s in made if n == number and s["kind"] == kind]
            told = unit.ids(record, scope)[int(record in BEFORE) :]
            assert len(told) == len(set(told)) == len(ids)
            assert set(told) == set(ids)
        visits = [s["op_id"] for n, s in made if n == number and s["kind"] == "visit.record"]
        clinic.once("visit", visits, f"{town.units[number]}/clinic")
    return len(made)
