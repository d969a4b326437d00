"""What becomes of an open order: another monitor, other helpers, a later end, or release before its time."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.language import Text
from app.core.problems import Conflict, Forbidden, NotFound, at
from app.core.work import Work
from app.domain.enums import OrderStatus, Role
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.quarantine import released_at, required_slots
from app.schemas.quarantine import OrderPatch, OrderView
from app.services import household_sites
from app.services.quarantine_orders import seal_helpers, visible_staff
from app.services.quarantine_slots import OwedSlot, add_slots, drop_open_slots
from app.services.quarantine_views import order_views, per_day

LONGEST = timedelta(days=120)

declare(
    "end-not-later", "新的结束日期须晚于现定日期;提前结束请办理解除。", "Extend to a later day, or release."
)


class NotActive(Conflict):
    """The order has been released."""

    code = "not-active"
    title = Text("隔离已解除", "No longer active")
    detail_text = Text("该隔离令已解除,不能再更改。", "This order has been released and changes no more.")


_PERSON_OF = "SELECT person_id FROM quarantine_orders WHERE township_code = $1 AND id = $2"

_LOCK_PERSON = "SELECT id FROM people WHERE township_code = $1 AND id = $2 FOR NO KEY UPDATE"

_LOCK_ORDER = """
SELECT id, person_id, household_id, unit_code, starts_on, ends_on, status, opened_at, release_reason, service_per_day,
    temperature_per_day
FROM quarantine_orders WHERE township_code = $1 AND id = $2 FOR NO KEY UPDATE
"""

_CHANGE = """
UPDATE quarantine_orders SET monitor_id = coalesce($3, monitor_id), ends_on = coalesce($4, ends_on),
    helpers_sealed = CASE WHEN $5 THEN $6::bytea ELSE helpers_sealed END, rev = rev + 1
WHERE township_code = $1 AND id = $2
"""

_RELEASE = """
UPDATE quarantine_orders SET status = 'released', released_at = $3, released_by = $4, release_reason = $5, rev = rev + 1
WHERE township_code = $1 AND id = $2
"""

_FREE_PERSON = """
UPDATE people SET quarantine_order_id = NULL, rev = rev + 1
WHERE township_code = $1 AND id = $2 AND quarantine_order_id = $3
"""


async def change_order(work: Work, order_id: UUID, body: OrderPatch) -> OrderView:
    """Name another monitor or other helpers; the township may also extend the order by a later `ends_on`.

    Raises:
        NotFound: the order or the monitor does not exist, or the caller may not see it.
        Forbidden: a village sends `ends_on`.
        Invalid: `ends_on` is not later than it was.
        NotActive: the order has been released.
    """
    sent = body.model_fields_set
    if "ends_on" in sent and work.caller.role != Role.TOWNSHIP:
        raise Forbidden
    order = await _lock_order(work, order_id)
    if sent:
        if not _runs(work, order):
            raise NotActive
        if "monitor_id" in sent and body.monitor_id not in await visible_staff(work, [body.monitor_id]):
            raise NotFound
        if "ends_on" in sent:
            await _extend(work, order, body.ends_on)
        await _store(work, order_id, body)
        work.touch(RecordKind.QUARANTINE_ORDER, [order_id])
    return (await order_views(work, [order_id]))[order_id]


async def release_order(work: Work, order_id: UUID, reason: str) -> OrderView:
    """Release a person before their time: what is still to come is owed no longer.

    The same release again answers what is stored.

    Raises:
        NotFound: the order does not exist, or the caller may not see it.
        NotActive: it was released before, for another reason.
    """
    order = await _lock_order(work, order_id)
    if order["status"] == OrderStatus.ACTIVE:
        await _release(work, order, reason)
    elif order["release_reason"] != reason:
        raise NotActive
    return (await order_views(work, [order_id]))[order_id]


async def _lock_order(work: Work, order_id: UUID) -> asyncpg.Record:
    """Lock the person, then the order: the sequence in which orders are opened."""
    person_id = await work.sql.fetchval(_PERSON_OF, work.township_code, order_id)
    if person_id is None:
        raise NotFound
    await work.sql.execute(_LOCK_PERSON, work.township_code, person_id)
    order = await work.sql.fetchrow(_LOCK_ORDER, work.township_code, order_id)
    if order is None:
        raise NotFound
    return order


def _runs(work: Work, order: asyncpg.Record) -> bool:
    """Tell whether an order is active, and not merely waiting for the clock to release it."""
    return bool(order["status"] == OrderStatus.ACTIVE and work.today < order["ends_on"])


async def _extend(work: Work, order: asyncpg.Record, end: date) -> None:
    if end < order["ends_on"]:
        raise at("/ends_on", "end-not-later")
    if end > order["starts_on"] + LONGEST:
        raise at("/ends_on", "out-of-range")
    slots = required_slots(order["ends_on"], end, per_day(order), order["opened_at"], work.township.zone)
    await add_slots(work, [OwedSlot(order["id"], order["unit_code"], slot) for slot in slots])


async def _store(work: Work, order_id: UUID, body: OrderPatch) -> None:
    sent: set[str] = body.model_fields_set
    helpers: Any = seal_helpers(work, order_id, body.helpers) if "helpers" in sent else None
    await work.sql.execute(
        _CHANGE,
        work.township_code,
        order_id,
        body.monitor_id if "monitor_id" in sent else None,
        body.ends_on if "ends_on" in sent else None,
        "helpers" in sent,
        helpers,
    )


async def _release(work: Work, order: asyncpg.Record, reason: str) -> None:
    """Release an order now; one that is past its end and waits for the clock was over at its end."""
    moment = min(work.now, released_at(order["ends_on"], work.township.zone))
    await work.sql.execute(_RELEASE, work.township_code, order["id"], moment, work.account_id, reason)
    await work.sql.execute(_FREE_PERSON, work.township_code, order["person_id"], order["id"])
    work.touch(RecordKind.QUARANTINE_ORDER, [order["id"]])
    work.touch(RecordKind.PERSON, [order["person_id"]])
    await drop_open_slots(work, order["id"])
    work.count(order["unit_code"], min(work.today, order["ends_on"]), Metric.ORDERS_ACTIVE, -1)
    await household_sites.orders_changed(work, [order["household_id"]])
