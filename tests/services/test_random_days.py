"""Weeks of random work, late records, moves and downtime: counters, replay and frozen days always say the same."""

import os
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.access import in_townships_name
from app.services.moves import move_household
from tests.conftest import TestClock
from tests.counting import assert_recounted
from tests.freezing import begin, freeze, recomputed, report
from tests.gate import make_checkpoint, seen
from tests.register import line, register
from tests.scene import tick
from tests.town import Town

START = datetime.fromisoformat("2026-03-02T08:00:00+08:00")
SEEDS = int(os.environ.get("WANGGE_TEST_RANDOM_DAYS", "6"))
STEPS = 120


class Staff:
    """Those who work, at random, and what they have made so far."""

    def __init__(self, town: Town, clock: TestClock, seed: int) -> None:
        self.town, self.clock, self.dice = town, clock, random.Random(seed)
        self.homes: list[dict[str, Any]] = []
        self.orders: list[str] = []

    async def begin(self) -> None:
        """Sign everybody in, and make the first household's quarantine."""
        self.office = await self.town.township()
        villages = [await self.town.village(n) for n in range(3)]
        self.visitors = [self.office, *villages, await self.town.clinic()]
        self.gate = await make_checkpoint(self.office, self.town.units[0])
        await self.register()
        await self.quarantine()

    def now(self) -> datetime:
        """Return the moment."""
        return self.clock.now()

    def past(self, hours: int = 60) -> str:
        """Return a moment of the last hours: phones send late."""
        return (self.now() - timedelta(minutes=self.dice.randrange(hours * 60))).isoformat()

    async def register(self) -> None:
        """A household registers."""
        self.homes.append(await register(self.office, self.town, self.dice.randrange(3)))

    async def check(self) -> None:
        """A household is checked."""
        home = self.dice.choice(self.homes)
        where, exposure = (
            self.dice.choice(["home", "returned"]),
            self.dice.choice(["none", "none", "contact"]),
        )
        found = {"register_seen": True, "members": [line(home["head"]["id"], where, exposure=exposure)]}
        await self.post("/v1/household-checks", household_id=home["id"], occurred_at=self.past(), **found)

    async def quarantine(self) -> None:
        """Somebody is quarantined, since up to two weeks."""
        person = self.dice.choice(self.homes)["head"]["id"]
        since = (self.now() - timedelta(days=self.dice.randrange(14))).date()
        made = await self.post(
            "/v1/quarantine-orders", person_id=person, reason="contact", starts_on=str(since)
        )
        if made.status_code == 201:
            self.orders.append(made.json()["id"])

    async def release(self) -> None:
        """Somebody goes to hospital."""
        await self.post(f"/v1/quarantine-orders/{self.dice.choice(self.orders)}/release", reason="hospital")

    async def extend(self) -> None:
        """A quarantine takes longer."""
        path = f"/v1/quarantine-orders/{self.dice.choice(self.orders)}"
        ends = date.fromisoformat((await self.office.get(path)).json()["ends_on"])
        await self.office.patch(path, json={"ends_on": str(ends + timedelta(days=self.dice.randrange(1, 4)))})

    async def visit(self) -> None:
        """Somebody visits, and perhaps measures a fever."""
        body: dict[str, Any] = {
            "order_id": self.dice.choice(self.orders),
            "at_home": self.dice.random() > 0.2,
        }
        if self.dice.random() < 0.5:
            body |= {"kind": "temperature", "temperature_c": self.dice.choice([36.5, 38.0])}
        body = {"kind": "service", "occurred_at": self.past()} | body
        await self.dice.choice(self.visitors).post("/v1/visits", json=body)

    async def move(self) -> None:
        """A household moves to another unit."""
        async with in_townships_name(self.town.kit, self.town.code) as work:
            home = UUID(self.dice.choice(self.homes)["id"])
            await move_household(work, home, int(self.dice.choice(self.town.units)))

    async def site(self) -> None:
        """A place is to be disinfected."""
        often = self.dice.randrange(1, 4)
        unit = self.dice.choice(self.town.units)
        await self.post(
            "/v1/disinfection-sites", unit_code=unit, name="店", kind="market", times_per_day=often
        )

    async def change_site(self) -> None:
        """A place is to be disinfected more or less often, or no more."""
        sites = (await self.office.get("/v1/disinfection-sites")).json()["items"]
        if not sites:
            return
        site = self.dice.choice(sites)
        often = site["kind"] == "key_household" or self.dice.random() < 0.4
        change = (
            {"times_per_day": self.dice.randrange(1, 4)} if often else {"active": self.dice.random() < 0.5}
        )
        changed = await self.office.patch(f"/v1/disinfection-sites/{site['id']}", json=change)
        assert changed.status_code == 200, changed.text

    async def log(self) -> None:
        """A place was disinfected."""
        sites = (await self.office.get("/v1/disinfection-sites")).json()["items"]
        if sites:
            chosen = self.dice.choice(sites)["id"]
            await self.post("/v1/disinfection-logs", site_id=chosen, occurred_at=self.past(30))

    async def decide(self) -> None:
        """A stranger came to the gate."""
        await self.post(f"/v1/checkpoints/{self.gate}/decisions", **seen({}, occurred_at=self.past(40)))

    async def resolve(self) -> None:
        """Somebody saw to an alert."""
        alerts = (await self.office.get("/v1/alerts", params={"status": "open"})).json()["items"]
        if alerts:
            await self.post(f"/v1/alerts/{self.dice.choice(alerts)['id']}/resolve")

    async def post(self, path: str, **body: Any) -> httpx.Response:
        """Send; the answer may be a refusal, never a fault."""
        answer = await self.office.post(path, json=body)
        assert answer.status_code < 500, answer.text
        return answer

    def any_work(self) -> Callable[[], Awaitable[None]]:
        """Return what is done next."""
        often = [self.visit] * 3 + [self.log] * 3
        rare = [self.check, self.quarantine, self.release, self.extend, self.move, self.site]
        return self.dice.choice([*often, *rare, self.register, self.change_site, self.decide, self.resolve])

    def pass_time(self) -> None:
        """Let minutes or hours pass; at times the server sleeps for days."""
        minutes = self.dice.choice([1, 7, 40, 120, 300]) + 1440 * (self.dice.random() < 0.03) * 2
        self.clock.fixed = self.now() + timedelta(
            minutes=minutes, microseconds=self.dice.randrange(1, 999_999)
        )


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_counters_replay_and_frozen_days_agree(seed: int, town: Town, clock: TestClock) -> None:
    await begin(town, clock, START)
    staff = Staff(town, clock, seed)
    await staff.begin()
    for _ in range(STEPS):
        staff.pass_time()
        await staff.any_work()()
        if staff.dice.random() < 0.5:
            await tick(town)
            await freeze(town)
            await assert_recounted(town)
    for _ in range(6):
        clock.fixed = clock.now() + timedelta(hours=2)
        await tick(town)
        await freeze(town)
    await assert_recounted(town)
    await every_revision_can_be_made_again(town)


async def every_revision_can_be_made_again(town: Town) -> None:
    """Every stored number is what its positions give, every change names records, and the last is the live one."""
    revisions: defaultdict[date, list[int]] = defaultdict(list)
    found = await town.owner.fetch(
        "SELECT DISTINCT day, revision FROM frozen_reports WHERE township_code = $1 ORDER BY 1, 2", town.code
    )
    for row in found:
        revisions[row["day"]].append(row["revision"])
    assert max(max(made) for made in revisions.values()) > 2, "late records restated a day"
    for day, made in revisions.items():
        for revision in made:
            again = await recomputed(town, revision, day)
            assert all(stored == anew for stored, anew in again.values()), (day, revision)
            changes = (await report(town, revision, str(day)))["changes"] if revision > 2 else []
            assert all(change["records"] for change in changes), [c for c in changes if not c["records"]]
        if made[-1] >= 2:
            last, live = await report(town, made[-1], str(day)), await report(town, None, str(day))
            assert differing(last, live) == [], day


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """Return where two reports say different numbers."""
    pairs = zip(one["units"], other["units"], strict=True)
    return [(a["unit_code"], name, a[name], b[name]) for a, b in pairs for name in a if a[name] != b[name]]
