"""Moves of supplies (物资出入库): kept as they were made; the stocks follow, and never fall below zero."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core.field_texts import declare
from app.core.problems import Forbidden, NotFound, Problem, at
from app.core.scope import township_row
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import Role
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.supplies import OF_UNITS_ONLY, OFFICE_ONLY, Account, MoveKind, Place, accounts
from app.models.supplies import SupplyMove
from app.schemas.supplies import MoveBody, MoveView
from app.services import batch
from app.services.batch import Item
from app.services.ledgers import Entry, open_books
from app.services.records import Noun, insert, refuse_future
from app.services.supply_stocks import STOCKS, InsufficientStock
from app.services.units import known_units

declare("store-only", "此操作针对镇库存,不填单元。", "This is the store's; leave the unit out.")
declare("adjust-only", "仅盘点调整可指定位置。", "Only an adjustment names a place.")

MOVES = Noun(SupplyMove, "supply.move", MoveView, RecordKind.SUPPLY_MOVE)

_ITEMS = "SELECT id FROM supply_items WHERE township_code = $1 AND id = ANY($2)"


async def store_moves(
    work: Work, bodies: Sequence[MoveBody], moments: batch.Moments = None
) -> list[Item[MoveBody]]:
    """Record moves, each after the one before it, and show nothing.

    An item's problem is Forbidden for what only the office does, NotFound for a unit or item that the caller does not
    see, Invalid, InsufficientStock where there is less than it takes, or IdReused.
    """
    items = await batch.begin(work, MOVES.name, MOVES.op, bodies, moments)
    entries = await _entries(work, items)
    books = await open_books(work, STOCKS, (key for e in entries.values() for key in (e.taken, e.given)))
    await batch.settle_again(work, MOVES.name, items)
    for item in items:
        if item.fresh and not books.carry(entries[item.id]):
            item.problem = InsufficientStock()
    stored = await insert(work, MOVES, items, {id_: _more(entries[id_]) for id_ in entries})
    await books.post(work, (entries[item.id] for item in stored))
    for item in stored:
        unit, day = _own(entries[item.id]), local_day(item.moment.occurred_at, work.township.zone)
        work.count(unit, day, Metric.SUPPLY_MOVES)
        work.count(unit, day, Metric.SUPPLIES_CONFIRMED, int(item.body.kind is MoveKind.CONFIRM))
    return batch.settle_repeats(items)


async def _entries(work: Work, items: Sequence[Item[MoveBody]]) -> dict[UUID, Entry]:
    """Return what each fresh item takes and gives; give a problem to those that cannot be."""
    fresh = [item for item in items if item.fresh]
    places = {item.id: _unit_of(work, item.body) for item in fresh}
    known = await _seen(work, {place for place in places.values() if isinstance(place, int)})
    wanted = [item.body.item_id for item in fresh]
    there = {row["id"] for row in await work.sql.fetch(_ITEMS, work.township_code, wanted)}
    entries = {}
    for item in fresh:
        place = places[item.id]
        if isinstance(place, Problem):
            item.problem = place
        elif place not in known or item.body.item_id not in there:
            item.problem = NotFound()
        else:
            item.problem = _refusal(work, item.body, place)
            if item.problem is None:
                refuse_future(work, item)
            entries[item.id] = _entry(work, item.body, place)
    return {item.id: entries[item.id] for item in fresh if item.problem is None}


async def _seen(work: Work, codes: set[int]) -> frozenset[int]:
    """Return where the caller may move things: units, and for the township's office its store."""
    store = {township_row(work.township_code)} if work.caller.role == Role.TOWNSHIP else set()
    return await known_units(work, codes) | (store & codes)


def _unit_of(work: Work, body: MoveBody) -> int | Problem:
    """Return whose move it is: the unit named, the caller's only one, or the store."""
    if body.kind in OFFICE_ONLY and work.caller.role != Role.TOWNSHIP:
        return Forbidden()
    if body.unit_code is not None:
        return int(body.unit_code)
    own = work.caller.scope.only_unit
    if own is not None:
        return own
    if work.caller.role == Role.TOWNSHIP and body.kind not in OF_UNITS_ONLY:
        return township_row(work.township_code)
    return at("/unit_code", "required")


def _refusal(work: Work, body: MoveBody, unit_code: int) -> Problem | None:
    in_store = unit_code == township_row(work.township_code)
    if body.kind is MoveKind.RECEIVE and not in_store:
        return at("/unit_code", "store-only")
    if body.kind in OF_UNITS_ONLY and in_store:
        return at("/unit_code", "not-allowed")
    if body.quantity == 0 or (body.quantity < 0 and body.kind is not MoveKind.ADJUST):
        return at("/quantity", "out-of-range")
    if body.place is not None and body.kind is not MoveKind.ADJUST:
        return at("/place", "adjust-only")
    # Nothing is on its way to the store.
    if body.place not in (None, Place.STOCK) and (in_store or body.place is not Place.ON_THE_WAY):
        return at("/place", "not-allowed")
    return None


def _entry(work: Work, body: MoveBody, unit_code: int) -> Entry:
    store, place = township_row(work.township_code), body.place or Place.STOCK
    taken, given = accounts(body.kind, unit_code, store, body.item_id, place)
    return Entry(taken, given, body.quantity)


def _more(entry: Entry) -> Mapping[str, Any]:
    """Return what a move's row says beyond its body."""
    taken, given = Account(*entry.taken), Account(*entry.given)
    sides = {"taken_code": taken.unit_code, "taken_from": taken.place}
    return sides | {"given_code": given.unit_code, "given_to": given.place, "unit_code": _own(entry)}


def _own(entry: Entry) -> int:
    """Return whose move it is: the unit's on either side, else the store's."""
    return max(Account(*entry.taken).unit_code, Account(*entry.given).unit_code)
