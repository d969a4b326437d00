"""The real places: the 58 units of 东观镇, their checkpoints (卡点), and what is disinfected there."""

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from uuid import UUID

from app.cli.demo.draws import draws, made_id
from app.domain.enums import CheckpointKind, SiteKind, UnitKind

TOWNSHIP = 511303106
NAME = "东观镇"
ZONE = "Asia/Shanghai"
SHOWN_UNIT = 511303106243
"""黄溪村, whose logins the demonstration prints."""
UNITS_FILE = "dongguan-units-2019.csv"

_MARKET_TOWNS = frozenset(
    {*range(511303106001, 511303106006), SHOWN_UNIT, 511303106234},
)
"""Source: 特别是加强了东观场镇的5个社区和原黄溪、马家场镇的2个村的消毒工作. The list of units has no 马家村; 花板场村,
whose name says market town (场), stands for that village."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the grid with its place in the township's list, from 1 on."""

    number: int
    code: int
    name: str
    kind: UnitKind

    @property
    def short_name(self) -> str:
        """The name of the village or community itself, without its committee (村民委员会、居民委员会)."""
        return self.name.removesuffix("村民委员会").removesuffix("居民委员会")

    @property
    def lags(self) -> bool:
        """Whether the unit is behind with its work."""
        return self.number % 8 == 6


def units_of_township() -> list[Unit]:
    """Return the 58 units as the statistical division codes of 2019 list them."""
    text = files("app").joinpath("data", UNITS_FILE).read_text(encoding="utf-8")
    return [
        Unit(number, int(row["unit_code"]), row["name"], UnitKind(row["kind"]))
        for number, row in enumerate(csv.DictReader(text.splitlines()), start=1)
    ]


def few_units(count: int) -> list[Unit]:
    """Return a small township for tests: the unit that is shown, and others."""
    ordered = sorted(units_of_township(), key=lambda unit: (unit.code != SHOWN_UNIT, unit.number))
    return ordered[:count]


def gate_id(seed: int, number: int) -> UUID:
    """Return the id of a checkpoint; a village's has the number of its unit, the town's entrances 101 and 102."""
    return made_id(seed, "checkpoint", number)


def checkpoints(seed: int, units: list[Unit]) -> list[dict[str, Any]]:
    """Return one checkpoint a unit, and two at the entrances of the town, as requests.

    Source: 各村仅保留一个出入口设卡检查,场镇入口实行交通管制.
    """
    gates = [(unit.number, unit, f"{unit.short_name}出入口卡点", CheckpointKind.VILLAGE) for unit in units]
    gates += [
        (101 + at, units[at % len(units)], f"场镇{side}入口卡点", CheckpointKind.TOWN_ENTRANCE)
        for at, side in enumerate("南北")
    ]
    return [
        {
            "id": gate_id(seed, number),
            "number": number,
            "unit_code": str(unit.code),
            "name": name,
            "kind": kind,
        }
        for number, unit, name, kind in gates
    ]


@dataclass(frozen=True, slots=True)
class Site:
    """A place that is disinfected every day."""

    id: UUID
    unit_code: int
    name: str
    kind: SiteKind
    times_per_day: int
    priority: bool

    def body(self) -> dict[str, Any]:
        """Return what the request that makes it says."""
        return {
            "id": self.id,
            "unit_code": str(self.unit_code),
            "name": self.name,
            "kind": self.kind,
            "times_per_day": self.times_per_day,
            "priority": self.priority,
        }


def sites_of(seed: int, unit: Unit) -> list[Site]:
    """Return a unit's places: its office, and shops as large as the unit is busy; the town's offices in the first.

    Source: 对辖区内重点人员家中,以及办公室、超市、市场、药房等人流量较大的场所进行一次消毒; 每日对镇机关办公室、派出所
    等办公场所进行1次消毒.
    """
    busy, chance = unit.code in _MARKET_TOWNS, draws(seed, "sites", unit.code)
    kinds = [(SiteKind.OFFICE, "办公室")]
    kinds += [(SiteKind.SUPERMARKET, "便民超市")] if busy or chance.random() < 0.6 else []
    kinds += [(SiteKind.PHARMACY, "药房")] if busy or chance.random() < 0.25 else []
    kinds += [(SiteKind.MARKET, "农贸市场")] if busy else []
    places = [(kind, unit.short_name + name, 2 if busy else 1, busy) for kind, name in kinds]
    if unit.number == 1:
        places.append((SiteKind.TOWN_OFFICE, "东观镇机关办公室", 1, False))
        places.append((SiteKind.POLICE_STATION, "东观派出所", 1, False))
    return [
        Site(made_id(seed, "site", unit.code, number), unit.code, name, kind, times, priority)
        for number, (kind, name, times, priority) in enumerate(places)
    ]
