"""Loading the demonstration data through the services of the API, as of the days on which things happened.

Each unit's half day is one transaction, and every id in it is known beforehand: a unit's half day is there as a whole
or not at all, and what is there is not loaded again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from app.access import in_townships_name
from app.cli.demo import command, duty, gates, outcomes, publicity, rounds, self_reports, supplies
from app.cli.demo.cases import RELEASE_REASON, Cases
from app.cli.demo.days import Half, clock, halves
from app.cli.demo.draws import draws
from app.cli.demo.people import Household, households_of
from app.cli.demo.places import TOWNSHIP, Unit, checkpoints, gate_id, sites_of
from app.cli.demo.record import Record, write
from app.cli.demo.staff import all_staff, cadre_id, clinic_id, gate_staff_id, office_id
from app.core.kit import Kit
from app.core.outcome import Outcome
from app.core.problems import Problem
from app.core.work import Work
from app.domain.enums import HalfDay, VisitKind
from app.schemas.alerts import ResolveBody
from app.schemas.checkpoints import CheckpointBody
from app.schemas.decisions import DecisionBody
from app.schemas.disinfection import LogBody, SiteBody
from app.schemas.fields import Body
from app.schemas.household_checks import CheckBody
from app.schemas.households import HouseholdBody
from app.schemas.quarantine import OrderBody
from app.schemas.staff import StaffBody
from app.schemas.visits import VisitBody
from app.services.alerts import resolve_alert
from app.services.batch import Item
from app.services.bulk import plan_anew
from app.services.checkpoints import create_checkpoint
from app.services.clockwork import tick_township
from app.services.decisions import decide
from app.services.disinfection_logs import record_logs
from app.services.disinfection_sites import create_site
from app.services.household_checks import record_checks
from app.services.households import store_households
from app.services.quarantine_changes import release_order
from app.services.quarantine_orders import create_orders
from app.services.staff_create import create_staff
from app.services.visits import record_visits

log = logging.getLogger("wangge.demo")

PLAYS = (command.steps, duty.steps, outcomes.steps, supplies.steps)
"""What is played each day, step by step."""

B = TypeVar("B", bound=Body)
AT_ONCE = 2
"""How many units are loaded at the same time: while one waits for the database, the other computes."""
_NOTES = ("已电话联系并上门核实", "已报卫生院复测,体温正常", "已劝返并加强巡查")

_HOLDS = {
    table: f"SELECT EXISTS (SELECT 1 FROM {table} WHERE township_code = $1 AND id = $2)"
    for table in ("households", "staff", "decisions")
}

_HOME_SITES = """
SELECT household_id, id FROM disinfection_sites WHERE township_code = $1 AND household_id = ANY($2)
"""

_OPEN_ALERTS = """
SELECT id, cause FROM alerts
WHERE township_code = $1 AND unit_code = $2 AND status = 'open' AND at < $3 ORDER BY cause
"""

Report = Callable[[str, int, int], None]
"""Told of progress: what is being loaded, how much of it is done, and how much there is."""


class Refused(Exception):
    """A service refused what the demonstration holds for good."""


@dataclass(slots=True)
class Loading:
    """One run of loading."""

    kit: Kit
    record: Record
    units: Sequence[Unit]
    homes: dict[int, list[Household]]
    report: Report
    refused: int = 0

    @property
    def seed(self) -> int:
        """The seed of the data."""
        return self.record.seed

    @property
    def dawn(self) -> datetime:
        """When the registers were made: just after the first day began."""
        return clock(self.record.first, 0) + timedelta(seconds=1)

    @asynccontextmanager
    async def work(self, now: datetime) -> AsyncIterator[Work]:
        """Open a transaction as of a moment."""
        async with in_townships_name(self.kit, TOWNSHIP, now=now) as work:
            await plan_anew(work)
            yield work

    def settle(self, outcomes: Iterable[Outcome[Any] | Item[Any]]) -> None:
        """Look at what became of a batch: new data are never refused; added days may meet what people have changed.

        Raises:
            Refused: something was not stored.
        """
        for outcome in outcomes:
            if outcome.problem is not None:
                self.refuse(outcome.problem)

    def refuse(self, problem: Problem) -> None:
        """Count a refusal, or stop at it.

        Raises:
            Refused: the data are new.
        """
        if not self.record.extends:
            raise Refused(problem.code, [(error.pointer, error.code) for error in problem.errors])
        self.refused += 1


async def load(
    kit: Kit, record: Record, units: Sequence[Unit], report: Report, homes_each: int | None = None
) -> Record:
    """Load all that the record says and is not there yet, and return the record, done.

    `homes_each` makes small units, for tests.
    """
    homes = {}
    for number, unit in enumerate(units, start=1):
        homes[unit.code] = households_of(record.seed, unit, homes_each)
        report("people drawn", number, len(units))
    loading = Loading(kit, record, units, homes, report)
    if not record.extends:
        await _load_registers(loading)
    for half in halves(record.first, record.days, record.until):
        await _take_statistics(kit)
        await _load_half(loading, half)
    if loading.refused:
        log.info(
            "records of added days did not fit what has been changed since", extra={"count": loading.refused}
        )
    async with loading.work(record.until) as work:
        done = replace(loading.record, done=True)
        await write(work, done)
    return done


async def _take_statistics(kit: Kit) -> None:
    """Tell the planner what has grown: the database itself would notice only when the loading is over."""
    connection = await asyncpg.connect(kit.settings.database_url)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _load_registers(loading: Loading) -> None:
    """Load what stands before the first day: places, households, staff."""
    seed, units = loading.seed, loading.units
    async with loading.work(loading.dawn) as work:
        act_as(work, office_id(seed))
        for gate in checkpoints(seed, list(units)):
            (await create_checkpoint(work, CheckpointBody.model_validate(gate))).take()
        for unit in units:
            for site in sites_of(seed, unit):
                (await create_site(work, SiteBody.model_validate(site.body()))).take()
    await _of_all_units(loading, "households", _load_households)
    bodies = all_staff(seed, units, loading.homes)
    async with loading.work(loading.dawn) as work:
        if not await _holds(work, "staff", bodies[-1]["id"]):
            act_as(work, office_id(seed))
            loading.settle(await create_staff(work, read(StaffBody, bodies)))
    loading.report("staff", len(bodies), len(bodies))
    async with loading.work(loading.dawn) as work:
        act_as(work, office_id(seed))
        first = loading.record.first
        loading.settle(await publicity.load_registers(work, seed, units, loading.homes, first))
        loading.settle(await supplies.load_registers(work, seed, units))


async def _load_households(loading: Loading, unit: Unit) -> int:
    homes = loading.homes[unit.code]
    async with loading.work(loading.dawn) as work:
        if not await _holds(work, "households", homes[-1].id):
            act_as(work, cadre_id(loading.seed, unit))
            bodies = read(HouseholdBody, [home.body() for home in homes])
            loading.settle(await store_households(work, bodies))
    return len(homes)


async def _load_half(loading: Loading, half: Half) -> None:
    """Load half a day of every unit, then let the clock book what was left undone."""
    title = f"{half.day} {half.slot}"
    plans = {unit.code: loading_cases(loading, unit) for unit in loading.units}

    async def load_unit(_: Loading, unit: Unit) -> int:
        await _UnitHalf(loading, half, unit, plans).load()
        return 1

    until = loading.record.until
    await _play(loading, half, until)
    if half.slot is HalfDay.AM:
        async with loading.work(half.moment(until)) as work:
            act_as(work, office_id(loading.seed))
            loading.settle(await publicity.load_rounds(work, loading.seed, loading.units, half.day))
    await _of_all_units(loading, title, load_unit)
    await _tick(loading, half, min(half.end + timedelta(seconds=1), until))


async def _tick(loading: Loading, half: Half, moment: datetime) -> None:
    """Let the clock book once what was left undone."""
    if loading.record.ticked is None or loading.record.ticked < moment:
        loading.record = replace(loading.record, ticked=moment)
        async with loading.work(moment) as work:
            await tick_township(work, half.start)
            await write(work, loading.record)


async def _play(loading: Loading, half: Half, until: datetime) -> None:
    """Load what the township does together, each step as of its own moment: supplies, tips, the day's reports, its
    order, the answers, and the night's duty."""

    def author(work: Work, unit: Unit | None) -> None:
        act_as(work, cadre_id(loading.seed, unit) if unit else office_id(loading.seed))

    played = [step for play in PLAYS for step in play(loading.seed, list(loading.units), half.day, author)]
    for moment, act in sorted(played, key=lambda step: step[0]):
        if half.holds(moment, until):
            async with loading.work(moment) as work:
                await act(work)


def loading_cases(loading: Loading, unit: Unit) -> Cases:
    """Return the cases of a unit."""
    return Cases(loading.seed, unit, loading.homes[unit.code], loading.record.first)


class _UnitHalf:
    """Half a day of one unit on its way into the database."""

    def __init__(self, loading: Loading, half: Half, unit: Unit, plans: dict[int, Cases]) -> None:
        self.loading, self.half, self.unit = loading, half, unit
        self.until = loading.record.until
        self.cases = plans[unit.code]
        at = list(plans).index(unit.code)
        self.neighbour = list(plans.values())[(at + 1) % len(plans)]
        self.gates = [unit.number, *(101 + n for n in range(2) if at == n % len(plans))]
        numbers = [(day - loading.record.first).days for day in loading.record.days if day <= half.day]
        self.orders = [
            order
            for order in self.cases.orders(numbers)
            if order.opened_at < half.end and half.start < order.ends_at
        ]
        self.cadre = cadre_id(loading.seed, unit)

    async def load(self) -> None:
        """Load everything in one transaction, unless it is there."""
        crossings = {
            gate: gates.decisions(self.cases, self.neighbour, gate, self.half, self.until)
            for gate in self.gates
        }
        async with self.loading.work(self.half.moment(self.until)) as work:
            own = crossings[self.unit.number]
            if own and await _holds(work, "decisions", own[-1]["id"]):
                return
            await self_reports.load_half(work, self.cases, self.half, self.until)
            act_as(work, self.cadre)
            await self._record(
                work, record_checks, CheckBody, rounds.checks(self.cases, self.half, self.until)
            )
            await self._open_named(work)
            await self._visit(work)
            await self._disinfect(work)
            for gate, bodies in crossings.items():
                await self._cross(work, gate, bodies)
            await self._release(work)
            await self._resolve(work)
            seed = self.loading.seed
            self.loading.settle(await publicity.load_half(work, seed, self.unit, self.half, self.until))

    async def _record(
        self,
        work: Work,
        service: Callable[[Work, Sequence[B]], Awaitable[Sequence[Outcome[Any]]]],
        kind: type[B],
        bodies: Sequence[dict[str, Any]],
    ) -> None:
        if bodies:
            self.loading.settle(await service(work, read(kind, bodies)))

    async def _open_named(self, work: Work) -> None:
        if self.half.number == 0 and self.half.start <= clock(self.half.day, 7) < self.half.end:
            bodies = [
                {
                    "id": order.id,
                    "person_id": order.home.head.id,
                    "reason": order.reason,
                    "starts_on": order.starts_on,
                    "helpers": [{"name": order.home.head.name[0] + "家邻居"}],
                }
                for order in self.cases.named
            ]
            await self._record(work, create_orders, OrderBody, bodies)

    async def _visit(self, work: Work) -> None:
        for kind in VisitKind:
            clinic = kind is VisitKind.TEMPERATURE and self.unit.number % 4 != 0
            act_as(work, clinic_id(self.loading.seed, self.unit.number) if clinic else self.cadre)
            bodies = rounds.visits(self.cases, self.orders, self.half, self.until, kind)
            await self._record(work, record_visits, VisitBody, bodies)

    async def _disinfect(self, work: Work) -> None:
        act_as(work, self.cadre)
        homes = {order.home.id for order in self.orders}
        rows = await work.sql.fetch(_HOME_SITES, TOWNSHIP, list(homes))
        sites = {row["household_id"]: row["id"] for row in rows}
        bodies = rounds.disinfections(
            self.cases, sites_of(self.loading.seed, self.unit), self.half, self.until
        )
        bodies += rounds.home_disinfections(self.cases, self.orders, sites, self.half, self.until)
        await self._record(work, record_logs, LogBody, bodies)

    async def _cross(self, work: Work, gate: int, bodies: Sequence[dict[str, Any]]) -> None:
        if bodies:
            act_as(work, gate_staff_id(self.loading.seed, gate))
            place = gate_id(self.loading.seed, gate)
            self.loading.settle(await decide(work, place, read(DecisionBody, bodies)))

    async def _release(self, work: Work) -> None:
        """Release by hand, in the afternoon, who is to be released."""
        act_as(work, office_id(self.loading.seed))
        for order in self.cases.named:
            if order.released_on == self.half.day and self.half.holds(clock(self.half.day, 16), self.until):
                try:
                    await release_order(work, order.id, RELEASE_REASON)
                except Problem as problem:
                    self.loading.refuse(problem)

    async def _resolve(self, work: Work) -> None:
        """Resolve most of the alerts of earlier half days; the others wait still."""
        act_as(work, self.cadre)
        for row in await work.sql.fetch(_OPEN_ALERTS, TOWNSHIP, self.unit.code, self.half.start):
            chance = draws(self.loading.seed, "resolve", row["cause"])
            if chance.random() < 0.65:
                await resolve_alert(work, row["id"], ResolveBody(note=chance.choice(_NOTES)))


async def _of_all_units(loading: Loading, title: str, job: Callable[[Loading, Unit], Awaitable[int]]) -> None:
    """Do a job for every unit, a few at the same time, and report it; the first failure stops the others."""
    waiting, done = iter(loading.units), 0
    loading.report(title, 0, len(loading.units))

    async def run() -> None:
        nonlocal done
        for unit in waiting:
            await job(loading, unit)
            done += 1
            loading.report(title, done, len(loading.units))

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(run())


async def _holds(work: Work, table: str, id_: UUID) -> bool:
    return bool(await work.sql.fetchval(_HOLDS[table], TOWNSHIP, id_))


def act_as(work: Work, account_id: UUID) -> None:
    """Let somebody be the author of what this work writes from now on."""
    work.caller = replace(work.caller, account_id=account_id)


def read(kind: type[B], bodies: Iterable[dict[str, Any]]) -> list[B]:
    """Return requests as the API would read them."""
    return [kind.model_validate(body) for body in bodies]
