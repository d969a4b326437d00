"""Supplies and funds of the demonstration: the source's kit, what people on duty get each day, and the units' money.

Source: 时间给58个作战单元分别下拨专项经费; 给58个作战单元下发1支温度计、1桶消毒水、1瓶酒精; 每天有口罩、有热饭、有热水.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.cli.demo.days import clock
from app.cli.demo.draws import draws, made_id
from app.cli.demo.places import Unit
from app.cli.demo.plays import ActAs, Step, stores
from app.core.work import Work
from app.domain.funds import FundKind
from app.domain.supplies import MoveKind
from app.schemas.funds import FundBody
from app.schemas.supplies import ItemBody, MoveBody
from app.services.funds import store_funds
from app.services.supply_items import create_items
from app.services.supply_moves import store_moves

Amounts = Mapping[str, int]

_ITEMS: dict[str, dict[str, Any]] = {
    "thermometer": {"name": "温度计", "unit_of_measure": "支"},
    "disinfectant": {"name": "消毒水", "unit_of_measure": "桶", "per_site": 0.01},
    "alcohol": {"name": "酒精", "unit_of_measure": "瓶"},
    "mask": {"name": "口罩", "unit_of_measure": "只", "per_person_per_shift": 1},
    "meal": {"name": "热饭", "unit_of_measure": "份", "per_person_per_shift": 1},
    "water": {"name": "热水", "unit_of_measure": "份", "per_person_per_shift": 1},
}
_KIT = {"thermometer": 1, "disinfectant": 1, "alcohol": 1}
_DAILY = {"mask": 18, "meal": 18, "water": 18}
"""What a unit gets each day, for half as many people by day and at night."""
_OF_OFFICE = {"mask": 40, "meal": 40, "water": 40}
"""What the store keeps of a day's delivery, for the township's own people."""
_SHORT, _LATE_MEALS = 0.06, 1
"""How likely a unit's delivery is short of meals, and how many have come then."""
_GRANT = "2000"
_PURPOSES = ("购买开水壶", "印制登记表", "卡点取暖用煤", "购买手电筒和电池")


async def load_registers(work: Work, seed: int, units: Sequence[Unit]) -> list[Any]:
    """Load what stands before the first day: what there is to move, each unit's kit, and the grants."""
    items = [ItemBody.model_validate({"id": _item(seed, key)} | told) for key, told in _ITEMS.items()]
    grants = [_money(seed, unit, FundKind.GRANT, _GRANT, "疫情防控专项经费", work.now) for unit in units]
    kits = [*_delivery(seed, "kit", units, _KIT, {}, work.now)]
    kits += [m for unit in units for m in _moves(seed, "kit", MoveKind.CONFIRM, unit, _KIT, work.now)]
    return [
        *await create_items(work, items),
        *await store_moves(work, kits),
        *await store_funds(work, grants),
    ]


def steps(seed: int, units: list[Unit], day: date, act_as: ActAs) -> list[Step]:
    """Return what a day's supplies do.

    In the morning the store is filled and sends out what a day needs; the units confirm what has come, and use it up
    by day and at night. Some are short of hot meals: the program warns of their nights.
    """
    at = clock(day, 7)
    sent = [*_delivery(seed, f"day {day}", units, _DAILY, _OF_OFFICE, at)]
    made: list[Step] = [(at, stores(None, store_moves, sent, act_as))]
    for unit in units:
        made += [(at, stores(unit, store_moves, moves, act_as)) for at, moves in _used(seed, unit, day)]
        made += [(at, stores(unit, store_funds, [bought], act_as)) for at, bought in _bought(seed, unit, day)]
    return made


def _used(seed: int, unit: Unit, day: date) -> Iterator[tuple[datetime, list[MoveBody]]]:
    """Say what a unit confirms in the morning, and uses by day and at night."""
    came = dict(_DAILY)
    if draws(seed, "short", unit.code, day).random() < _SHORT:
        came["meal"] = _LATE_MEALS
    by_day = {key: min(count, _DAILY[key] // 2) for key, count in came.items()}
    at_night = {key: count - by_day[key] for key, count in came.items()}
    for at, kind, amounts in (
        (clock(day, 7, 40), MoveKind.CONFIRM, came),
        (clock(day, 20, 30), MoveKind.CONSUME, by_day),
        (clock(day, 23, 40), MoveKind.CONSUME, at_night),
    ):
        yield at, [*_moves(seed, str(at), kind, unit, amounts, at)]


def _bought(seed: int, unit: Unit, day: date) -> Iterator[tuple[datetime, FundBody]]:
    """Say what a unit buys: now and then something small."""
    chance = draws(seed, "bought", unit.code, day)
    if chance.random() < 0.3:
        at, yuan = clock(day, 14, chance.randrange(60)), f"{chance.randint(8, 120)}.{chance.randint(0, 9)}0"
        yield at, _money(seed, unit, FundKind.SPEND, yuan, chance.choice(_PURPOSES), at)


def _delivery(
    seed: int, name: str, units: Sequence[Unit], each: Amounts, kept: Amounts, at: datetime
) -> Iterator[MoveBody]:
    """Fill the store with what every unit gets and what it keeps itself, and send out the former."""
    whole = {key: len(units) * count + kept.get(key, 0) for key, count in each.items()}
    yield from _moves(seed, name, MoveKind.RECEIVE, None, whole, at)
    for unit in units:
        yield from _moves(seed, name, MoveKind.ISSUE, unit, each, at)


def _moves(
    seed: int, name: str, kind: MoveKind, unit: Unit | None, amounts: Amounts, at: datetime
) -> Iterator[MoveBody]:
    code = str(unit.code) if unit else None
    for key, quantity in amounts.items():
        if quantity:
            id_ = made_id(seed, "supply-move", name, kind, code, key)
            body = {"id": id_, "item_id": _item(seed, key), "kind": kind, "quantity": quantity}
            yield MoveBody.model_validate(body | {"unit_code": code, "at": at})


def _money(seed: int, unit: Unit, kind: FundKind, yuan: str, purpose: str, at: datetime) -> FundBody:
    id_ = made_id(seed, "fund", unit.code, kind, at)
    body = {"id": id_, "unit_code": str(unit.code), "amount_yuan": yuan, "purpose": purpose}
    return FundBody.model_validate(body | {"kind": kind, "at": at})


def _item(seed: int, key: str) -> UUID:
    return made_id(seed, "supply-item", key)
