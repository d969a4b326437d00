"""Quarantine orders as they are shown: one by one, in lists, and with the calendar of their days."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound
from app.core.work import Work
from app.domain.enums import HalfDay, OrderStatus, VisitKind
from app.domain.quarantine import CalendarDay, OrderFacts, VisitFacts, calendar
from app.schemas.quarantine import DayView, HelperView, OrderDetail, OrderPerson, OrderView
from app.services.sealing import unseal

HELPERS = "quarantine_orders.helpers"

_ORDERS = """
SELECT o.id, o.person_id, o.household_id, o.unit_code, o.address, o.reason, o.starts_on, o.ends_on, o.status,
    o.monitor_id, o.helpers_sealed, o.service_per_day, o.temperature_per_day, o.check_id, o.opened_at, o.released_at,
    o.release_reason, o.rev, p.name, p.sex, p.birth_date, p.phone_sealed
FROM quarantine_orders o JOIN people p ON p.township_code = o.township_code AND p.id = o.person_id
WHERE o.township_code = $1 AND o.id = ANY($2)
"""

_PAGE = """
SELECT o.id, o.opened_at FROM quarantine_orders o
WHERE o.township_code = $1
    AND ($2::text IS NULL OR o.status = $2)
    AND ($3::bigint IS NULL OR o.unit_code = $3)
    AND ($4::uuid IS NULL OR o.monitor_id = $4)
    AND ($5::boolean IS NULL OR $5 = (o.status = 'active' AND EXISTS (
        SELECT 1 FROM quarantine_slots s
        WHERE s.township_code = $1 AND s.order_id = o.id AND s.visits = 0 AND s.starts_at <= $6 AND s.ends_at > $6)))
    AND ($7::timestamptz IS NULL OR (o.opened_at, o.id) < ($7, $8::uuid))
ORDER BY o.opened_at DESC, o.id DESC LIMIT $9
"""

_VISITS = """
SELECT id, kind, day, slot FROM visits
WHERE township_code = $1 AND order_id = $2 ORDER BY occurred_at, id
"""


async def order_views(work: Work, ids: Iterable[UUID]) -> dict[UUID, OrderView]:
    """Return the orders among these ids that the caller may see."""
    rows = await work.sql.fetch(_ORDERS, work.township_code, list(ids))
    return {row["id"]: OrderView.model_validate(_members(work, row)) for row in rows}


async def list_orders(
    work: Work,
    paging: Paging,
    status: OrderStatus | None,
    unit_code: str | None,
    monitor: Literal["me"] | None,
    due: bool | None,
) -> Page[OrderView]:
    """Return a page of orders, the latest opened first; `due` are those with a slot that runs now without a visit."""
    key = paging.key(datetime, UUID) or (None, None)
    rows = await work.sql.fetch(
        _PAGE,
        work.township_code,
        status,
        unit_code and int(unit_code),
        monitor and work.account_id,
        due,
        work.now,
        *key,
        paging.limit + 1,
    )
    shown = rows[: paging.limit]
    views = await order_views(work, [row["id"] for row in shown])
    after = mark(shown[-1]["opened_at"], shown[-1]["id"]) if len(rows) > paging.limit else None
    return Page(items=[views[row["id"]] for row in shown if row["id"] in views], next=after)


async def show_order(work: Work, order_id: UUID) -> OrderDetail:
    """Return an order with its calendar.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
    """
    row = await work.sql.fetchrow(_ORDERS, work.township_code, [order_id])
    if row is None:
        raise NotFound
    visits = [
        VisitFacts(v["id"], VisitKind(v["kind"]), v["day"], HalfDay(v["slot"]))
        for v in await work.sql.fetch(_VISITS, work.township_code, order_id)
    ]
    days = [_day(day) for day in calendar(_facts(row), visits, work.now, work.township.zone)]
    return OrderDetail.model_validate({**_members(work, row), "days": days})


def per_day(row: asyncpg.Record) -> dict[VisitKind, int]:
    """Return how many visits of each kind an order owes a day."""
    return {VisitKind.SERVICE: row["service_per_day"], VisitKind.TEMPERATURE: row["temperature_per_day"]}


def _facts(row: asyncpg.Record) -> OrderFacts:
    return OrderFacts(row["starts_on"], row["ends_on"], row["opened_at"], row["released_at"], per_day(row))


def _members(work: Work, row: asyncpg.Record) -> dict[str, Any]:
    helpers = unseal(work, HELPERS, row["id"], row["helpers_sealed"])
    person = OrderPerson(
        id=row["person_id"],
        name=row["name"],
        sex=row["sex"],
        birth_date=row["birth_date"],
        phone=unseal(work, "people.phone", row["person_id"], row["phone_sealed"]),
    )
    return {**row, "person": person, "helpers": [HelperView(**h) for h in json.loads(helpers or "[]")]}


def _day(day: CalendarDay) -> DayView:
    return DayView.model_validate(day)
