"""Publicity, closures, pairing and village sales of the demonstration, as the source tells of them.

Source: 印制接地气、直观化的标语420条,确保每村标语不少于6条,宣传单不少于500份; 商家一律关门、赶场一律暂停、道路一律限行;
党员干部对邻近群众一带一、一带多; 组织肉菜水果进村流动售卖.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from app.cli.demo.days import Half, clock
from app.cli.demo.draws import between, draws, made_id
from app.cli.demo.people import Household
from app.cli.demo.places import TOWNSHIP, Unit, sites_of
from app.cli.demo.staff import cadre_id
from app.core.outcome import Outcome
from app.core.work import Work
from app.domain.closures import Found, VenueKind
from app.domain.enums import SiteKind
from app.domain.publicity import MaterialKind
from app.schemas.closures import ClosureBody, InspectionBody, VenueBody
from app.schemas.fields import Body
from app.schemas.market_rounds import RoundBody
from app.schemas.pairings import PairingBody
from app.schemas.publicity import MaterialBody, PublicityBody
from app.services.batch import Item
from app.services.closures import create_closures
from app.services.inspections import store_inspections
from app.services.market_rounds import create_rounds
from app.services.pairings import store_pairings
from app.services.publicity import create_materials, store_logs
from app.services.venues import store_venues

B = TypeVar("B", bound=Body)
Settled = list[Outcome[Any] | Item[Any]]

_MATERIALS = {
    "leaflet": ("防控知识宣传单", MaterialKind.LEAFLET),
    "business": ("暂停营业公告", MaterialKind.NOTICE),
    "market": ("停止赶场公告", MaterialKind.NOTICE),
    "slogan": ("防控标语", MaterialKind.SLOGAN),
    "radio": ("村村响广播", MaterialKind.BROADCAST),
    "speaker": ("扩音器流动宣传", MaterialKind.LOUDSPEAKER),
}
_SHOPS = {
    SiteKind.SUPERMARKET: (VenueKind.SHOP, True),
    SiteKind.PHARMACY: (VenueKind.SHOP, True),
    SiteKind.MARKET: (VenueKind.MARKET, False),
}
PAIRED_OF, GROUPS = 5, 6
"""Five cadres of a unit look after a group of households each; the sixth group has nobody yet."""
ROUND_EVERY = 4
"""A vendor comes into each unit every so many days."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A venue of a unit."""

    id: UUID
    unit: Unit
    name: str
    kind: VenueKind
    essential: bool

    def body(self) -> dict[str, Any]:
        """Return what the request that makes it says."""
        told = {"id": self.id, "name": self.name, "kind": self.kind, "essential": self.essential}
        return told | {"unit_code": str(self.unit.code)}


def shops_of(seed: int, unit: Unit) -> list[Shop]:
    """Return a unit's venues: the shops and markets that are disinfected there, a tea house, and some restaurants."""
    chance = draws(seed, "shops", unit.code)
    found = [(site.name, *_SHOPS[site.kind]) for site in sites_of(seed, unit) if site.kind in _SHOPS]
    found.append((unit.short_name + "茶馆", VenueKind.MAHJONG, False))
    if chance.random() < 0.5:
        found.append((unit.short_name + "饭店", VenueKind.RESTAURANT, False))
    return [Shop(made_id(seed, "shop", unit.code, told[0]), unit, *told) for told in found]


def _read(kind: type[B], bodies: Iterable[dict[str, Any]]) -> list[B]:
    return [kind.model_validate(body) for body in bodies]


async def load_registers(
    work: Work, seed: int, units: Sequence[Unit], homes: Mapping[int, Sequence[Household]], first: date
) -> Settled:
    """Load what stands before the first day: materials, venues, what is shut, and who looks after whom."""
    shops = [shop for unit in units for shop in shops_of(seed, unit)]
    materials = [
        {"id": made_id(seed, "material", key), "name": name, "kind": kind}
        for key, (name, kind) in _MATERIALS.items()
    ]
    return [
        *await create_materials(work, _read(MaterialBody, materials)),
        *await store_venues(work, _read(VenueBody, (shop.body() for shop in shops))),
        *await create_closures(work, _read(ClosureBody, _closures(seed, shops, first))),
        *await store_pairings(work, _read(PairingBody, _pairings(seed, units, homes))),
    ]


def _closures(seed: int, shops: Iterable[Shop], first: date) -> list[dict[str, Any]]:
    shut: list[tuple[str, dict[str, Any]]] = [
        ("暂停营业公告", {"venue_id": shop.id})
        for shop in shops
        if not shop.essential and shop.kind is not VenueKind.MARKET
    ]
    shut += [("停止赶场公告", {"market_code": str(TOWNSHIP)}), ("道路限行公告", {"road": "东观场镇入口"})]
    return [
        {"id": made_id(seed, "closure", *what.values()), "starts_on": first, "notice": notice} | what
        for notice, what in shut
    ]


def _pairings(
    seed: int, units: Iterable[Unit], homes: Mapping[int, Sequence[Household]]
) -> list[dict[str, Any]]:
    made = []
    for unit in units:
        for number in range(PAIRED_OF):
            group = [home.id for home in homes[unit.code]][number::GROUPS][:200]
            if group:
                id_ = made_id(seed, "pairing", unit.code, number)
                carer = cadre_id(seed, unit, number)
                made.append({"id": id_, "staff_id": carer, "household_ids": group})
    return made


async def load_rounds(work: Work, seed: int, units: Sequence[Unit], day: date) -> Settled:
    """Load the day's round through every fourth unit; a stop takes a quarter of an hour."""
    turn = day.toordinal() % ROUND_EVERY
    wanted = [unit for unit in units if unit.number % ROUND_EVERY == turn]
    if not wanted:
        return []
    stops = [
        {"unit_code": str(unit.code), "at": clock(day, 8) + timedelta(minutes=15 * n)}
        for n, unit in enumerate(wanted)
    ]
    told = {"vendor": "东观供销社", "goods": ["猪肉", "蔬菜", "水果"], "day": day, "stops": stops}
    return [*await create_rounds(work, _read(RoundBody, [told | {"id": made_id(seed, "round", day)}]))]


async def load_half(work: Work, seed: int, unit: Unit, half: Half, until: datetime) -> Settled:
    """Load what a unit hands out, puts up and reads out in half a day, and which shops it looks at."""
    logs = [log for log in _logs(seed, unit, half) if half.holds(log["at"], until)]
    looks = [look for look in _looks(seed, unit, half) if half.holds(look["at"], until)]
    return [
        *await store_logs(work, _read(PublicityBody, logs)),
        *await store_inspections(work, _read(InspectionBody, looks)),
    ]


def _logs(seed: int, unit: Unit, half: Half) -> list[dict[str, Any]]:
    """Return a day's logs: the broadcast morning and evening, a loudspeaker round; on the first day what is printed."""
    chance = draws(seed, "publicity", unit.code, half.day)
    told = [("radio", clock(half.day, 8), 1), ("radio", clock(half.day, 18), 1)]
    told.append(("speaker", between(chance, clock(half.day, 14), clock(half.day, 17)), 1))
    if half.number == 0:
        few = unit.lags
        told.append(("leaflet", clock(half.day, 9, 10), 380 if few else chance.randint(500, 560)))
        told.append(("slogan", clock(half.day, 10, 20), 4 if few else chance.randint(6, 9)))
        told += [(key, clock(half.day, 9, 30), 20) for key in ("business", "market")]
    return [
        {
            "id": made_id(seed, "publicity", unit.code, key, at.isoformat()),
            "material_id": made_id(seed, "material", key),
            "unit_code": str(unit.code),
            "count": count,
            "at": at,
        }
        for key, at, count in told
    ]


def _looks(seed: int, unit: Unit, half: Half) -> list[dict[str, Any]]:
    """Return a day's inspections: of most shops that are shut, one each."""
    made = []
    for shop in shops_of(seed, unit):
        chance = draws(seed, "look", shop.id, half.day)
        at = between(chance, clock(half.day, 9), clock(half.day, 17))
        if shop.essential or chance.random() < (0.4 if unit.lags else 0.1):
            continue
        crowded = chance.random() < (0.15 if shop.kind is VenueKind.MAHJONG else 0.03)
        found = {"found": Found.GATHERING, "action": "当场劝散,责令关门"} if crowded else {"found": "closed"}
        made.append({"id": made_id(seed, "look", shop.id, half.day), "venue_id": shop.id, "at": at} | found)
    return made
