"""How far the demonstration data have come: kept in the township's own row, so that it is as true as the data are."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from app.access import in_nobodys_name, in_townships_name
from app.cli.demo.days import DAYS, local_date
from app.cli.demo.places import NAME, TOWNSHIP, ZONE, Unit
from app.core.kit import Kit
from app.core.work import Work
from app.services.townships import UnitRow, create_township, put_units

_READ = "SELECT settings ->> 'demo' FROM townships WHERE code = $1"
_WRITE = "UPDATE townships SET settings = settings || jsonb_build_object('demo', $2::text) WHERE code = $1"


class OwnTownship(Exception):
    """The database holds the township, and not as a demonstration."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be loaded: the data of these days until this moment; `done` tells that they are there."""

    seed: int
    days: tuple[date, ...]
    until: datetime
    done: bool
    extends: bool = False
    """Whether days were added to data that were complete, and may have been worked on since."""
    ticked: datetime | None = None
    """As of when the clock last booked what was left undone: done again later, it would judge by what came after."""

    @property
    def first(self) -> date:
        """The first day of the data."""
        return self.days[0]

    def text(self) -> str:
        """Return what is stored."""
        return json.dumps(
            {
                "seed": self.seed,
                "days": [day.isoformat() for day in self.days],
                "until": self.until.isoformat(),
                "done": self.done,
                "extends": self.extends,
                "ticked": self.ticked and self.ticked.isoformat(),
            }
        )

    def up_to(self, now: datetime) -> "Record":
        """Return this record with what is missing until today, the last days only; itself where nothing is."""
        today = local_date(now)
        if not self.done or today <= local_date(self.until):
            return self
        newest = {today - timedelta(days=n) for n in range(DAYS)}
        missing = {day for day in newest if day >= local_date(self.until)}
        return replace(self, days=tuple(sorted({*self.days, *missing})), until=now, done=False, extends=True)


def parse(text: str) -> Record:
    """Return a stored record."""
    stored: dict[str, Any] = json.loads(text)
    days = tuple(map(date.fromisoformat, stored["days"]))
    until = datetime.fromisoformat(stored["until"])
    ticked = datetime.fromisoformat(stored["ticked"]) if stored.get("ticked") else None
    return Record(stored["seed"], days, until, stored["done"], stored["extends"], ticked)


async def begin(kit: Kit, seed: int, units: Iterable[Unit]) -> Record:
    """Return the stored record; make it, the township and its units where there are none.

    Raises:
        OwnTownship: there is such a township, and it is no demonstration.
    """
    async with in_nobodys_name(kit) as work:
        made = await create_township(work, TOWNSHIP, NAME, ZONE)
        if made:
            today = local_date(work.now)
            days = tuple(today - timedelta(days=n) for n in reversed(range(DAYS)))
            await write(work, Record(seed, days, work.now, done=False))
        text = await work.sql.fetchval(_READ, TOWNSHIP)
    if text is None:
        raise OwnTownship
    record = parse(text)
    if not record.done:
        async with in_townships_name(kit, TOWNSHIP) as work:
            await put_units(work, [UnitRow(unit.code, unit.name, unit.kind) for unit in units])
    return record


async def write(work: Work, record: Record) -> None:
    """Store the record in the work's transaction."""
    await work.sql.execute(_WRITE, TOWNSHIP, record.text())


async def store(kit: Kit, record: Record) -> None:
    """Store the record."""
    async with in_townships_name(kit, TOWNSHIP) as work:
        await write(work, record)
