"""Orders of the command post (指令): issued at once or by the clock, to every unit at the same moment."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from app.core.field_texts import declare
from app.core.ids import uuid7
from app.core.language import Text
from app.core.outcome import Outcome
from app.core.problems import Conflict, IdReused, NotFound, at
from app.core.scope import code_range
from app.core.work import Work
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.schemas.command_orders import CommandOrderBody, CommandOrderPatch, CommandOrderView
from app.services.alerts import resolve_by_program
from app.services.claims import content_hash, settle
from app.services.order_views import order_alerts, show_order
from app.services.photos import Named, name_photos

declare("due-before-issue", "完成时限须晚于下达时间。", "The order is due before it is issued.")


class AlreadyIssued(Conflict):
    """What the units have received stays as it is."""

    code = "already-issued"
    title = Text("指令已下达", "Already issued")
    detail_text = Text(
        "该指令已下达或已撤回,不能再更改;可以撤回后另发。",
        "The order is issued or withdrawn; withdraw it and write anew.",
    )


_UNITS = """
SELECT u.unit_code FROM units u WHERE u.township_code = $1 AND EXISTS (
    SELECT 1 FROM unnest($2::bigint[], $3::bigint[]) AS r(first, behind)
    WHERE u.unit_code >= r.first AND u.unit_code < r.behind)
ORDER BY u.unit_code
"""
_INSERT = """
INSERT INTO command_orders (township_code, unit_code, id, content_hash, author_id, recorded_at, title, body, codes,
    requires, issue_at, due_at, photo_ids, rev)
VALUES ($1, $1::bigint * 1000, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) ON CONFLICT DO NOTHING RETURNING id
"""
_LOCK = "SELECT * FROM command_orders WHERE township_code = $1 AND id = $2 FOR NO KEY UPDATE"
_CHANGE = """
UPDATE command_orders SET title = $3, body = $4, codes = $5, requires = $6, issue_at = $7, due_at = $8, photo_ids = $9,
    rev = rev + 1 WHERE township_code = $1 AND id = $2
"""
# What goes out late, after downtime, leaves the units the time that was meant.
_ISSUED = """
UPDATE command_orders SET issued_at = $3, rev = rev + 1,
    due_at = CASE WHEN due_at <= $3 THEN $3::timestamptz + (due_at - issue_at) ELSE due_at END
WHERE township_code = $1 AND id = $2
"""
_TO_UNITS = """
INSERT INTO order_units (township_code, unit_code, id, order_id, issued_at, over, rev)
SELECT $1, n.unit_code, n.id, $2, $3, false, 1 FROM unnest($4::bigint[], $5::uuid[]) AS n(unit_code, id)
"""
_WITHDRAW = "UPDATE command_orders SET withdrawn_at = $3, rev = rev + 1 WHERE township_code = $1 AND id = $2"
_OVER = """
UPDATE order_units SET over = true, rev = rev + 1 WHERE township_code = $1 AND order_id = $2 RETURNING id
"""
_FIELDS = ("title", "body", "codes", "requires", "issue_at", "due_at", "photo_ids")


async def create_order(work: Work, body: CommandOrderBody) -> Outcome[CommandOrderView]:
    """Write an order, and issue it unless it waits for its hour.

    The outcome's problem is NotFound for a code without a unit of the township, Invalid, or IdReused.
    """
    id_ = body.id or uuid7()
    hash_ = content_hash(work, "command-order", body)
    known = await settle(work, "command_orders", {id_: hash_})
    if known.reused:
        return Outcome(id_, problem=IdReused())
    if not known.replayed:
        fields = {name: getattr(body, name) for name in _FIELDS} | {"issue_at": body.issue_at or work.now}
        await _check(work, fields)
        row = _values(fields)
        made = await work.sql.fetchval(
            _INSERT, work.township_code, id_, hash_, work.account_id, work.now, *row
        )
        if made is None:
            return Outcome(id_, problem=IdReused())
        if fields["issue_at"] <= work.now:
            await issue(work, await _locked(work, id_))
    return Outcome(id_, await show_order(work, id_), replayed=bool(known.replayed))


def _values(fields: dict[str, Any]) -> tuple[Any, ...]:
    return tuple([int(code) for code in fields["codes"]] if n == "codes" else fields[n] for n in _FIELDS)


async def _check(work: Work, fields: dict[str, Any]) -> None:
    """Refuse an order that nobody would get, or that is over when it goes out."""
    if fields["due_at"] <= max(fields["issue_at"], work.now):
        raise at("/due_at", "due-before-issue")
    for code in fields["codes"]:
        if not await _units(work, [int(code)]):
            raise NotFound


async def _units(work: Work, codes: Sequence[int]) -> list[int]:
    """Return the units of the township that lie in scopes of it."""
    own = str(work.township_code)
    ranges = [code_range(str(code)) for code in codes if str(code).startswith(own)]
    columns = ([first for first, _ in ranges], [behind for _, behind in ranges])
    return [row["unit_code"] for row in await work.sql.fetch(_UNITS, work.township_code, *columns)]


async def issue(work: Work, order: asyncpg.Record) -> None:
    """Give a locked order to each of its units, at one moment."""
    units = await _units(work, order["codes"])
    ids = [uuid5(order["id"], str(unit)) for unit in units]
    await work.sql.execute(_ISSUED, work.township_code, order["id"], work.now)
    await work.sql.execute(_TO_UNITS, work.township_code, order["id"], work.now, units, ids)
    named = [Named(id_, unit, order["photo_ids"]) for id_, unit in zip(ids, units, strict=True)]
    await name_photos(work, PhotoKind.ORDER, named, order["author_id"])
    work.touch(RecordKind.ORDER, ids)


async def change_order(work: Work, order_id: UUID, body: CommandOrderPatch) -> CommandOrderView:
    """Change an order that has not gone out.

    Raises:
        NotFound: no such order, or a code without a unit.
        AlreadyIssued: it has.
        Invalid: it would be due before it is issued.
    """
    order = await _locked(work, order_id)
    if order["issued_at"] is not None or order["withdrawn_at"] is not None:
        raise AlreadyIssued
    fields = {name: order[name] for name in _FIELDS} | {n: getattr(body, n) for n in body.model_fields_set}
    if fields != {name: order[name] for name in _FIELDS}:
        await _check(work, fields)
        await work.sql.execute(_CHANGE, work.township_code, order_id, *_values(fields))
        if fields["issue_at"] <= work.now:
            await issue(work, await _locked(work, order_id))
    return await show_order(work, order_id)


async def withdraw_order(work: Work, order_id: UUID) -> CommandOrderView:
    """Take an order back: it asks for nothing any more. What was answered stays. Again changes nothing.

    Raises:
        NotFound: no such order.
    """
    order = await _locked(work, order_id)
    if order["withdrawn_at"] is None:
        await work.sql.execute(_WITHDRAW, work.township_code, order_id, work.now)
        ids = [row["id"] for row in await work.sql.fetch(_OVER, work.township_code, order_id)]
        work.touch(RecordKind.ORDER, ids)
        await resolve_by_program(work, (cause for id_ in ids for cause in order_alerts(id_)))
    return await show_order(work, order_id)


async def _locked(work: Work, order_id: UUID) -> asyncpg.Record:
    order = await work.sql.fetchrow(_LOCK, work.township_code, order_id)
    if order is None:
        raise NotFound
    return order


_DUE = """
SELECT * FROM command_orders WHERE township_code = $1 AND issued_at IS NULL AND withdrawn_at IS NULL AND issue_at <= $2
ORDER BY issue_at, id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED
"""


async def issue_due(work: Work) -> None:
    """Issue the orders whose hour has come: for the clock."""
    for order in await work.sql.fetch(_DUE, work.township_code, work.now):
        await issue(work, order)
