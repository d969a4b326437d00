"""Supplies: 物资保障."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.domain.supplies import MoveKind
from app.routers.answers import created
from app.schemas.fields import Day, Id, ScopeCode
from app.schemas.supplies import ItemBody, ItemView, MoveBody, MoveView, NeedView, StockView
from app.services import records, supply_forecast, supply_items, supply_moves, supply_stocks

router = APIRouter(prefix="/v1", tags=["supplies"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.SUPPLIES_READ)]


@router.get("/supply-items")
async def list_items(work: Reader, paging: Paged) -> Page[ItemView]:
    """List the kinds of things that the township knows, newest first."""
    return await records.page(work, supply_items.ITEMS, paging)


@router.post("/supply-items", status_code=201)
async def create_item(
    work: Annotated[Work, allow(Permission.SUPPLY_ITEMS_WRITE)], body: ItemBody, response: Response
) -> ItemView:
    """Enter a kind of thing, with what a shift and a disinfection need of it."""
    return created(response, (await supply_items.create_items(work, [body]))[0])


@router.get("/supply-items/{item_id}")
async def show_item(work: Reader, item_id: Id) -> ItemView:
    """Show one kind of thing."""
    return await records.show(work, supply_items.ITEMS, item_id)


@router.get("/supply-moves")
async def list_moves(
    work: Reader,
    paging: Paged,
    code: ScopeCode | None = None,
    item_id: Id | None = None,
    kind: MoveKind | None = None,
    day: Day | None = None,
) -> Page[MoveView]:
    """List moves, newest first."""
    wanted = {"item_id": item_id, "kind": kind, "day": day}
    return await records.page(work, supply_moves.MOVES, paging, code=code, **wanted)


@router.post("/supply-moves", status_code=201)
async def record_move(
    work: Annotated[Work, allow(Permission.SUPPLIES_WRITE)], body: MoveBody, response: Response
) -> MoveView:
    """Record a move; never more than is there (409).

    The township receives, issues and adjusts; a unit confirms what was issued to it, consumes, and returns. What is
    not confirmed stays on the way.
    """
    items = await supply_moves.store_moves(work, [body])
    return created(response, (await records.outcomes(work, supply_moves.MOVES, items))[0])


@router.get("/supply-moves/{move_id}")
async def show_move(work: Reader, move_id: Id) -> MoveView:
    """Show one move."""
    return await records.show(work, supply_moves.MOVES, move_id)


@router.get("/supplies")
async def list_stocks(
    work: Reader, paging: Paged, code: ScopeCode | None = None, item_id: Id | None = None
) -> Page[StockView]:
    """List what the store (the township's row) and each unit have of each item."""
    return await supply_stocks.list_stocks(work, paging, code, item_id)


@router.get("/supplies/forecast")
async def forecast(
    work: Reader,
    paging: Paged,
    day: Annotated[Day | None, Query(description="Left out: today.")] = None,
    code: ScopeCode | None = None,
    short: Annotated[bool | None, Query(description="Only shortages, or only others.")] = None,
) -> Page[NeedView]:
    """List what each unit needs on a day: of the people on its shifts, and of the disinfections still due."""
    return await supply_forecast.forecast(work, paging, day or work.today, code, short)
