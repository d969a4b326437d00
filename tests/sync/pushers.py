"""Phones that push without pause, and remember what they were told of each operation."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from httpx import AsyncClient

from tests.pushing import batch, op
from tests.register import register
from tests.scene import open_order, visit_body
from tests.sync.follower import Follower
from tests.town import Town


@dataclass
class Ground:
    """What can be written about in a unit."""

    unit: int
    order: str
    site: str


async def make_grounds(town: Town, office: AsyncClient, *units: int) -> list[Ground]:
    """Give units somebody in quarantine and a pharmacy."""
    grounds = []
    for unit in units:
        home = await register(office, town, unit)
        order = await open_order(office, home["head"]["id"], town.today())
        body = {"unit_code": town.units[unit], "name": "药房", "kind": "pharmacy"}
        site = (await office.post("/v1/disinfection-sites", json=body)).json()
        grounds.append(Ground(unit, order["id"], site["id"]))
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
        """Do something: register a household, visit, or disinfect."""
        now, unit = self.town.kit.clock.now(), self.town.units[self.ground.unit]
        for _ in range(count):
            person = {"id": str(uuid4()), "name": "李四"}
            made = self.chance.choice(
                [
                    op("household.register", {"unit_code": unit, "address": "一组", "head": person}, now),
                    op("visit.record", visit_body(self.ground.order, now), now),
                    op(
                        "disinfection.log", {"site_id": self.ground.site, "occurred_at": now.isoformat()}, now
                    ),
                ]
            )
            self.open[made["op_id"]] = made

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


KINDS = {"household.register": "household", "visit.record": "visit", "disinfection.log": "log"}


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
            before = 1 if record == "household" else 0
            told = unit.ids(record, scope)[before:]
            assert len(told) == len(set(told)) == len(ids)
            assert set(told) == set(ids)
        visits = [s["op_id"] for n, s in made if n == number and s["kind"] == "visit.record"]
        clinic.once("visit", visits, f"{town.units[number]}/clinic")
    return len(made)
