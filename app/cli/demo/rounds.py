"""What the household teams and the clinic do in a unit in half a day: checks, visits, disinfection."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any
from uuid import UUID

from app.cli.demo.cases import Case, Cases, Order
from app.cli.demo.days import Half, clock
from app.cli.demo.draws import between, draws, made_id, pick
from app.cli.demo.people import Household, Person
from app.cli.demo.places import Site
from app.domain.enums import Exposure, HalfDay, VisitKind, Whereabouts

_AWAY = ("广东东莞", "广东深圳", "浙江温州", "江苏苏州", "四川成都", "重庆", "福建泉州", "新疆乌鲁木齐")
_FROM_HUBEI = ("湖北武汉", "湖北黄冈", "湖北孝感", "湖北荆州", "湖北襄阳")
_PURCHASES = (
    ("大米10公斤", 52),
    ("蔬菜", 18.5),
    ("猪肉2斤", 56),
    ("感冒清热颗粒", 23.8),
    ("降压药", 36),
    ("鸡蛋30个", 21),
)
_NEEDS = ("口罩", "代买降压药", "婴儿奶粉", "煤气", "生活垃圾清运")
_AGENTS = ("84消毒液", "75%酒精", "过氧乙酸")
_WINDOWS = {HalfDay.AM: ((7, 0), (11, 40)), HalfDay.PM: ((13, 30), (17, 50))}


def window(half: Half) -> tuple[datetime, datetime]:
    """Return the hours in which a half day's work is done."""
    start, end = _WINDOWS[half.slot]
    return clock(half.day, *start), clock(half.day, *end)


@lru_cache(maxsize=64)
def checks_of_day(cases: Cases, half_day_number: int) -> tuple[dict[str, Any], ...]:
    """Return a day's checks as requests."""
    chance = draws(cases.seed, "checks", cases.unit.code, half_day_number)
    found = {case.home.id: case for case in cases.of(half_day_number)}
    day = cases.first + timedelta(days=half_day_number)
    checks = []
    for home in cases.round_of(half_day_number):
        case = found.get(home.id)
        hour = chance.choice((8, 8, 9, 9, 10, 11, 14, 15, 16, 17))
        at = between(chance, clock(day, hour), clock(day, hour, 40))
        id_ = made_id(cases.seed, "check", cases.unit.code, half_day_number, home.register_no)
        checks.append(_check(chance, id_, home, case.found_at if case else at, case))
    return tuple(checks)


def checks(cases: Cases, half: Half, until: datetime) -> list[dict[str, Any]]:
    """Return the checks of half a day."""
    return [check for check in checks_of_day(cases, half.number) if half.holds(check["occurred_at"], until)]


def _check(chance: Random, id_: UUID, home: Household, at: datetime, case: Case | None) -> dict[str, Any]:
    people = list(home.people)
    if case is None and len(people) > 2 and chance.random() < 0.04:
        people.pop()  # somebody stays unaccounted for
    lines = [_line(chance, person, at, case) for person in people]
    return {
        "id": id_,
        "household_id": home.id,
        "occurred_at": at,
        "register_seen": chance.random() < 0.95,
        "members": lines,
    }


def _line(chance: Random, person: Person, at: datetime, case: Case | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "person_id": person.id,
        "id_seen": chance.random() < 0.9,
        "exposure": Exposure.NONE,
    }
    if case is not None and person.id == case.person.id:
        return line | _exposed(chance, at, case)
    where = pick(chance, ((Whereabouts.HOME, 80), (Whereabouts.AWAY, 15), (Whereabouts.RETURNED, 5)))
    line["whereabouts"] = where
    if where is Whereabouts.AWAY:
        return line | {"away_to": chance.choice(_AWAY), "id_seen": False}
    if where is Whereabouts.RETURNED:
        line |= {"returned_from": chance.choice(_AWAY)}
        line |= {"returned_on": (at - timedelta(days=chance.randint(1, 9))).date()}
    if chance.random() < 0.5:
        line["temperature_c"] = _healthy(chance)
    if chance.random() < 0.003:
        line["symptoms"] = ["咳嗽"]
    return line


def _exposed(chance: Random, at: datetime, case: Case) -> dict[str, Any]:
    found: dict[str, Any] = {"exposure": case.exposure, "temperature_c": _healthy(chance), "id_seen": True}
    if case.exposure is Exposure.CONTACT:
        return found | {"whereabouts": Whereabouts.HOME}
    day = at.date() - timedelta(days=0 if at.hour < 1 else chance.randint(0, 2))
    origin = chance.choice(_FROM_HUBEI if case.exposure is Exposure.HUBEI_RETURNEE else _AWAY)
    return found | {"whereabouts": Whereabouts.RETURNED, "returned_from": origin, "returned_on": day}


def _healthy(chance: Random) -> float:
    return round(36 + chance.randint(1, 10) / 10, 1)


def visits(
    cases: Cases, orders: Iterable[Order], half: Half, until: datetime, kind: VisitKind
) -> list[dict[str, Any]]:
    """Return the visits of one kind that are made in half a day; some are left out, more where the unit lags."""
    made = []
    for order in orders:
        chance = draws(cases.seed, "visit", order.id, half.day, half.slot, kind)
        at = _visited_at(chance, order, half)
        missed = chance.random() < (0.2 if cases.unit.lags else 0.05)
        special = _special(half, kind) if order.main else ""
        if special == "missed" or (missed and not order.main):
            continue
        if at is not None and half.holds(at, until):
            id_ = made_id(cases.seed, "visit", order.id, half.day, half.slot, kind)
            visit = {"id": id_, "order_id": order.id, "kind": kind, "occurred_at": at, "at_home": True}
            made.append(visit | _findings(chance, kind, special))
    return made


def _visited_at(chance: Random, order: Order, half: Half) -> datetime | None:
    """Return when an order's visit of this half day takes place; None where it does not stand then."""
    start, end = window(half)
    if half.start <= order.opened_at < clock(half.day, 1):
        start, end = order.opened_at, order.opened_at + timedelta(minutes=20)  # at once, at night
    start = max(start, order.opened_at)
    return between(chance, start, end) if start < end and end <= order.ends_at else None


def _special(half: Half, kind: VisitKind) -> str:
    """Return what happens on a unit's main order on the second day of each three."""
    if half.number % 3 != 1:
        return ""
    if kind is VisitKind.TEMPERATURE:
        return "fever" if half.slot is HalfDay.AM else ""
    return "absent" if half.slot is HalfDay.AM else "missed"


def _findings(chance: Random, kind: VisitKind, special: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if kind is VisitKind.TEMPERATURE:
        fever = special == "fever" or chance.random() < 0.01
        found["temperature_c"] = round(37.3 + chance.randint(2, 14) / 10, 1) if fever else _healthy(chance)
        if special == "fever":
            found["symptoms"] = ["发热", "咳嗽"]
        return found
    if special == "absent" or chance.random() < 0.01:
        return {"at_home": False, "note": "敲门无人应答,电话联系中"}
    if chance.random() < 0.4:
        bought = chance.sample(_PURCHASES, chance.randint(1, 3))
        found["purchases"] = [{"item": item, "amount_yuan": yuan} for item, yuan in bought]
    if chance.random() < 0.15:
        found["needs"] = [chance.choice(_NEEDS)]
    if chance.random() < 0.03:
        found["symptoms"] = ["乏力"]
    return found


def disinfections(cases: Cases, sites: Iterable[Site], half: Half, until: datetime) -> list[dict[str, Any]]:
    """Return the disinfections of a unit's places."""
    made = []
    for site in sites:
        for time in range(site.times_per_day):
            chance = draws(cases.seed, "clean", site.id, half.day, time)
            skipped = chance.random() < (0.4 if cases.unit.lags else 0.06)
            slots = HalfDay.AM if time == 0 and chance.random() < 0.8 else HalfDay.PM
            at = between(chance, *window(half))
            if cases.unit.number % 6 == 0 and time == 0:
                slots, skipped = HalfDay.AM, False
                at = between(chance, clock(half.day, 0, 2), clock(half.day, 0, 30))  # the night watch does it
            if slots is half.slot and not skipped and half.holds(at, until):
                id_ = made_id(cases.seed, "clean", site.id, half.day, time)
                made.append(_log(chance, id_, site.id, at))
    return made


def home_disinfections(
    cases: Cases, orders: Iterable[Order], site_ids: Mapping[UUID, UUID], half: Half, until: datetime
) -> list[dict[str, Any]]:
    """Return the disinfections of homes in quarantine (重点人员家中); `site_ids` are the sites by household."""
    made = {}
    for order in orders:
        chance = draws(cases.seed, "clean-home", order.home.id, half.day)
        at = between(chance, clock(half.day, 9, 30), clock(half.day, 17))
        skipped = chance.random() < (0.4 if cases.unit.lags else 0.08)
        stands = order.opened_at < at < order.ends_at and order.home.id in site_ids
        if stands and not skipped and half.holds(at, until):
            id_ = made_id(cases.seed, "clean-home", order.home.id, half.day)
            made[id_] = _log(chance, id_, site_ids[order.home.id], at)
    return list(made.values())


def _log(chance: Random, id_: UUID, site_id: UUID, at: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "site_id": site_id,
        "occurred_at": at,
        "agent": chance.choice(_AGENTS),
        "litres": chance.randint(2, 30) / 2,
    }
