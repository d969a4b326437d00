"""Supplies (物资保障): from where to where things move, and when a shift is short of them.

Every move takes from one account and gives as much to another, so the accounts of an item always sum to zero.

Source: 动员全镇上下多方征集防疫物资,给58个作战单元下发1支温度计、1桶消毒水、1瓶酒精,
保障参与疫情防控的全体党员干部每天有口罩、有热饭、有热水.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class MoveKind(StrEnum):
    """What a move is (入库、下发、签收、消耗、退回、盘点)."""

    RECEIVE = "receive"
    ISSUE = "issue"
    CONFIRM = "confirm"
    CONSUME = "consume"
    RETURN = "return"
    ADJUST = "adjust"


class Place(StrEnum):
    """Where things are: with the supplier, in stock, on the way to a unit, used, or found wrong by a stocktaking."""

    SUPPLIER = "supplier"
    STOCK = "stock"
    ON_THE_WAY = "on_the_way"
    USED = "used"
    CORRECTION = "correction"


class Account(NamedTuple):
    """Where so much of an item stands. The township's own row is its store."""

    unit_code: int
    item_id: UUID
    place: Place


OFFICE_ONLY = frozenset({MoveKind.RECEIVE, MoveKind.ISSUE, MoveKind.ADJUST})
"""What only the township's office does; the others are the units' own."""

OF_UNITS_ONLY = frozenset({MoveKind.ISSUE, MoveKind.CONFIRM, MoveKind.RETURN})
"""What takes place between the store and a unit; a receipt is the store's, the others are anybody's."""

NEVER_NEGATIVE = frozenset({Place.STOCK, Place.ON_THE_WAY})
"""Where nothing can be taken that is not there."""


def accounts(
    kind: MoveKind, unit_code: int, store: int, item_id: UUID, place: Place
) -> tuple[Account, Account]:
    """Return from which account a move takes and to which it gives; `place` is what a stocktaking corrects."""
    stock, way = Account(unit_code, item_id, Place.STOCK), Account(unit_code, item_id, Place.ON_THE_WAY)
    of_store = Account(store, item_id, Place.STOCK)
    return {
        MoveKind.RECEIVE: (Account(store, item_id, Place.SUPPLIER), of_store),
        MoveKind.ISSUE: (of_store, way),
        MoveKind.CONFIRM: (way, stock),
        MoveKind.CONSUME: (stock, Account(unit_code, item_id, Place.USED)),
        MoveKind.RETURN: (stock, of_store),
        MoveKind.ADJUST: (Account(unit_code, item_id, Place.CORRECTION), Account(unit_code, item_id, place)),
    }[kind]


class Norm(NamedTuple):
    """How much of an item one person needs a shift, and one disinfection."""

    item_id: UUID
    per_person: Decimal
    per_site: Decimal


class Turn(NamedTuple):
    """A shift to come, with how many people are posted on it."""

    starts_at: datetime
    shift_id: UUID
    unit_code: int
    day: date
    people: int


def short_turns(
    turns: Iterable[Turn],
    due: Mapping[tuple[int, date], int],
    norms: Iterable[Norm],
    stock: Mapping[tuple[int, UUID], Decimal],
) -> set[UUID]:
    """Return the shifts for which their unit's stock will not do, after those that begin before have taken theirs.

    `due` are the disinfections that a unit's day still needs: its first shift needs what they need. What is on its
    way is not there yet.
    """
    needed: defaultdict[tuple[int, UUID], Decimal] = defaultdict(Decimal)
    open_days, norms, short = dict(due), list(norms), set()
    for turn in sorted(turns):
        sites = open_days.pop((turn.unit_code, turn.day), 0)
        for norm in norms:
            key, more = (turn.unit_code, norm.item_id), turn.people * norm.per_person + sites * norm.per_site
            needed[key] += more
            if more and needed[key] > stock.get(key, 0):
                short.add(turn.shift_id)
    return short
