"""Orders as they are shown: to the township with all units, to a unit with its own part."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound
from app.core.work import Work
from app.domain.command_orders import OrderStatus, UnitState, minutes, state
from app.domain.enums import Role
from app.schemas.command_orders import CommandOrderView, OrderHead
from app.services import photos

_SHOWN = """
o.id, o.title, o.body, o.codes, o.requires, o.issue_at, o.issued_at, o.withdrawn_at, o.due_at, o.photo_ids, o.author_id,
o.recorded_at, o.rev
"""
_ONE = f"""
SELECT {_SHOWN} FROM command_orders o WHERE o.township_code = $1 AND o.id = $2 AND ($3 OR o.issued_at IS NOT NULL)
"""
_PAGE = f"""
SELECT {_SHOWN} FROM command_orders o WHERE o.township_code = $1
    AND ($2::text IS NULL OR $2 = CASE WHEN o.withdrawn_at IS NOT NULL THEN 'withdrawn'
        WHEN o.issued_at IS NULL THEN 'draft' ELSE 'issued' END)
    AND ($3::uuid IS NULL OR o.id < $3) AND ($5 OR o.issued_at IS NOT NULL)
ORDER BY o.id DESC LIMIT $4
"""
_UNITS = """
SELECT n.id, n.order_id, n.unit_code, u.name, n.issued_at, n.reminded_at, n.acknowledged_at, n.feedback_at,
    n.completed_at, n.fulfilled_at
FROM order_units n JOIN units u ON u.township_code = n.township_code AND u.unit_code = n.unit_code
WHERE n.township_code = $1 AND n.order_id = ANY($2) ORDER BY n.order_id, n.unit_code
"""
_ANSWERS = f"""
SELECT id, unit_code, kind, text, photo_ids, author_id, recorded_at AS at, {photos.pending("order_answers")}
FROM order_answers WHERE township_code = $1 AND order_id = $2 ORDER BY recorded_at, id
"""


async def status_of_orders(work: Work, order_ids: Sequence[UUID]) -> Sequence[asyncpg.Record]:
    """Return how far the caller's units have come with orders."""
    return await work.sql.fetch(_UNITS, work.township_code, order_ids)


def order_alerts(order_unit_id: UUID) -> tuple[str, str]:
    """Return the causes of the alerts that a unit's silence raises: not acknowledged, and not done when due."""
    return f"order-silent:{order_unit_id}", f"order-due:{order_unit_id}"


async def show_order(work: Work, order_id: UUID) -> CommandOrderView:
    """Return an order with the caller's units.

    Raises:
        NotFound: no such order, or not for this caller.
    """
    order = await work.sql.fetchrow(_ONE, work.township_code, order_id, _sees_drafts(work))
    if order is None:
        raise NotFound
    units = await status_of_orders(work, [order_id])
    answers: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in await work.sql.fetch(_ANSWERS, work.township_code, order_id):
        answers[row["unit_code"]].append(dict(row))
    shown = [{**_unit(work, order, row), "answers": answers[row["unit_code"]]} for row in units]
    return CommandOrderView.model_validate({**_head(order, units), "units": shown})


async def list_orders(work: Work, status: OrderStatus | None, paging: Paging) -> Page[OrderHead]:
    """Return a page of the orders that the caller may see, the latest written first."""
    (behind,) = paging.key(UUID) or (None,)
    limits = (behind, paging.limit + 1, _sees_drafts(work))
    rows = await work.sql.fetch(_PAGE, work.township_code, status, *limits)
    shown = rows[: paging.limit]
    units: defaultdict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in await status_of_orders(work, [order["id"] for order in shown]):
        units[row["order_id"]].append(row)
    heads = [OrderHead.model_validate(_head(order, units[order["id"]])) for order in shown]
    return Page(items=heads, next=mark(shown[-1]["id"]) if len(rows) > len(shown) else None)


def _sees_drafts(work: Work) -> bool:
    """The office alone: the clinic's scope is as wide, and a draft is nobody else's business."""
    return work.caller.role == Role.TOWNSHIP


def _head(order: asyncpg.Record, units: Sequence[asyncpg.Record]) -> dict[str, Any]:
    return {**dict(order), "status": _status(order), "progress": progress_of(units)}


def _status(order: asyncpg.Record) -> OrderStatus:
    if order["withdrawn_at"] is not None:
        return OrderStatus.WITHDRAWN
    return OrderStatus.DRAFT if order["issued_at"] is None else OrderStatus.ISSUED


def progress_of(units: Iterable[asyncpg.Record]) -> dict[str, int]:
    """Return how many units stand where."""
    listed = list(units)
    counts = Counter(_state(row) for row in listed)
    fulfilled = sum(row["fulfilled_at"] is not None for row in listed)
    return {one.value: counts[one] for one in UnitState} | {"fulfilled": fulfilled}


def _state(row: asyncpg.Record) -> UnitState:
    return state(row["acknowledged_at"], row["feedback_at"], row["completed_at"])


def _unit(work: Work, order: asyncpg.Record, row: asyncpg.Record) -> dict[str, Any]:
    done = row["fulfilled_at"]
    on_time = done < order["due_at"] if done else (False if order["due_at"] <= work.now else None)
    return {
        **dict(row),
        "state": _state(row),
        "fulfilled": done is not None,
        "on_time": on_time,
        "minutes": minutes(row["issued_at"], row["acknowledged_at"]),
        "minutes_to_fulfil": minutes(row["issued_at"], done),
    }
