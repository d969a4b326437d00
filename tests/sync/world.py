"""A small world for models of sync: a town, five phones of four cadres, and what may happen to them."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient

from app.access import in_townships_name
from app.services.sync.held import retry_held
from tests.phone import Clocks, Phone, Weather, cloned, over
from tests.register import register
from tests.scene import open_order
from tests.town import Town

CREATES = {
    "household.register": "households",
    "household.check": "household_checks",
    "visit.record": "visits",
    "disinfection.log": "disinfection_logs",
}
YEARS = 10 * 365 * 24 * 3_600_000


@dataclass
class Cadre:
    """A person with a login; their phones are in `World.phones`."""

    account: UUID
    client: AsyncClient
    unit: int


@dataclass
class World:
    """Everything that a run of steps needs; `do` takes one step."""

    town: Town
    office: AsyncClient
    cadres: list[Cadre]
    phones: list[Phone]
    owners: list[Cadre]
    sites: list[str]
    homes: set[str]
    """The households that were there before."""
    gone: list[Phone] = field(default_factory=list)
    """Phones that were lost; what they had sent stands all the same."""
    chance: random.Random = field(default_factory=random.Random)

    def _known(self, phone: Phone, kind: str) -> list[tuple[str, int, Any]]:
        """Return the records of a kind that a phone holds."""
        return [
            (id_, rev, data)
            for held in phone.store.values()
            for id_, (rev, data) in held.get(kind, {}).items()
        ]

    async def do(self, action: str, number: int, seed: int) -> None:
        """Take one step with one phone."""
        self.chance = random.Random(seed)
        await getattr(self, f"_{action}")(number)

    async def _register(self, number: int) -> None:
        person = {"id": str(uuid4()), "name": f"人{self.chance.randrange(99)}"}
        body = {
            "id": str(uuid4()),
            "unit_code": self.town.units[self.owners[number].unit],
            "address": f"{self.chance.randrange(9)}组",
            "head": person,
        }
        self.phones[number].do("household.register", body)

    async def _edit(self, number: int) -> None:
        phone = self.phones[number]
        kind, field_, op = self.chance.choice(
            [("household", "address", "household.update"), ("person", "name", "person.update")]
        )
        known = self._known(phone, kind)
        if known:
            id_, rev, _ = self.chance.choice(known)
            phone.do(op, {field_: f"新{self.chance.randrange(99)}"}, id_, rev)

    async def _check(self, number: int) -> None:
        phone = self.phones[number]
        known = self._known(phone, "household")
        if known:
            id_, _, data = self.chance.choice(known)
            line = {
                "person_id": data["head_id"],
                "id_seen": True,
                "whereabouts": self.chance.choice(["home", "returned"]),
                "exposure": self.chance.choice(["none", "none", "contact"]),
            }
            body = {"household_id": id_, "register_seen": True, "members": [line]}
            phone.do("household.check", {**body, "occurred_at": self._typed(phone)})

    async def _visit(self, number: int) -> None:
        phone = self.phones[number]
        known = self._known(phone, "quarantine_order")
        if known:
            id_, _, _ = self.chance.choice(known)
            kind = self.chance.choice(["service", "temperature"])
            body = {"order_id": id_, "kind": kind, "at_home": True, "temperature_c": 36.5}
            phone.do("visit.record", {**body, "occurred_at": self._typed(phone)})

    async def _disinfect(self, number: int) -> None:
        phone = self.phones[number]
        site = self.sites[self.owners[number].unit]
        phone.do("disinfection.log", {"site_id": site, "occurred_at": self._typed(phone)})

    def _typed(self, phone: Phone) -> str:
        """Return what a person reads off the phone's wall clock."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=phone.clocks.wall_ms)
        return moment.isoformat()

    async def _push(self, number: int) -> None:
        phone = self.phones[number]
        ops = list(phone.outbox.values())
        self.chance.shuffle(ops)
        await phone.push_ops(ops[: self.chance.randint(1, 8)])

    async def _push_and_lose_the_reply(self, number: int) -> None:
        await self._through(number, Weather(self.chance, lose_reply=1.0))

    async def _push_twice(self, number: int) -> None:
        await self._through(number, Weather(self.chance, twice=1.0))

    async def _through(self, number: int, weather: Weather) -> None:
        phone = self.phones[number]
        calm, phone.send = phone.send, over(self.owners[number].client, weather)
        await phone.push()
        phone.send = calm

    async def _push_and_die(self, number: int) -> None:
        """The server dies somewhere inside the push: whatever it was doing ends there."""
        task = asyncio.create_task(self.phones[number].push())
        for _ in range(self.chance.randint(1, 60)):
            await asyncio.sleep(0)
            if task.done():
                break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _pull(self, number: int) -> None:
        await self.phones[number].pull(limit=self.chance.choice([1, 7, 500]))

    async def _clone(self, number: int) -> None:
        """Another phone of the same person is lost, and replaced by a copy of this one."""
        owner = self.owners[number]
        others = [n for n, one in enumerate(self.owners) if one is owner and n != number]
        for other in others[:1]:
            lost = self.phones[other]
            self.gone.append(lost)
            twin = self.phones[other] = cloned(self.phones[number])
            # What the lost phone had not sent is typed again; nothing else can save it.
            for op in lost.outbox.values():
                twin.outbox.setdefault(op["op_id"], op)

    async def _jump(self, number: int) -> None:
        clocks = self.phones[number].clocks
        clocks.skew_ms = self.chance.choice([0, 8 * 3_600_000, -8 * 3_600_000, YEARS, -YEARS])
        if self.chance.random() < 0.3:
            clocks.reboot()

    async def _move(self, number: int) -> None:
        rows = await self.town.owner.fetch(
            "SELECT id, rev FROM households WHERE township_code = $1 ORDER BY id", self.town.code
        )
        if rows:
            row = self.chance.choice(rows)
            body = {"base_rev": row["rev"], "unit_code": self.town.units[self.chance.randrange(2)]}
            answer = await self.office.patch(f"/v1/households/{row['id']}", json=body)
            assert answer.status_code in (200, 409), answer.text

    async def _reassign(self, number: int) -> None:
        cadre = self.owners[number]
        cadre.unit = 1 - cadre.unit
        body = {"codes": [self.town.units[cadre.unit]]}
        answer = await self.office.patch(f"/v1/staff/{cadre.account}", json=body)
        assert answer.status_code == 200, answer.text

    async def settle(self) -> None:
        """Let the sun shine until nothing is left to send, and everybody has read everything."""
        for _ in range(2):
            for phone in self.phones:
                await phone.push_ops(list(phone.outbox.values()))
            await retry_held(partial(in_townships_name, self.town.kit, self.town.code))
        for phone in self.phones:
            await phone.pull()


ACTIONS = [
    "register", "edit", "edit", "check", "check", "visit", "visit", "disinfect", "push", "push", "pull", "pull",
    "push_and_lose_the_reply", "push_twice", "push_and_die", "clone", "jump", "move", "reassign",
]  # fmt: skip


async def make_world(town: Town) -> World:
    """Give two units two cadres each; the first cadre has two phones."""
    office = await town.township()
    sites = []
    for unit in town.units[:2]:
        body = {"unit_code": unit, "name": "药房", "kind": "pharmacy"}
        sites.append((await office.post("/v1/disinfection-sites", json=body)).json()["id"])
    cadres = []
    for unit in (0, 0, 1, 1):
        account = await town.account("village", [town.units[unit]])
        cadres.append(Cadre(account, await town.client_of(account), unit))
    owners = [cadres[0], *cadres]
    now = town.kit.clock.now().timestamp()
    start = asyncio.get_running_loop().time()
    phones = [
        Phone(
            f"phone-{n}",
            over(owner.client),
            Clocks(lambda: asyncio.get_running_loop().time() - start, round(now * 1000)),
        )
        for n, owner in enumerate(owners)
    ]
    homes = [await register(office, town, unit) for unit in (0, 0, 1)]
    for home in homes:
        await open_order(office, home["head"]["id"], town.today())
    for phone in phones:
        await phone.pull()
    return World(town, office, cadres, phones, owners, sites, {home["id"] for home in homes})
