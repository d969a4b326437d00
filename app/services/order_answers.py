"""What units say to orders: 签收、反馈、落实. Each answer is kept; the first of its kind sets the minute."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from app.core.language import Text
from app.core.outcome import Outcome
from app.core.problems import Conflict, Invalid, NotFound, Problem, at
from app.core.work import Work
from app.domain.command_orders import REACHES, Answer, Requires, fulfilled
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.schemas.command_orders import AcknowledgeBody, CommandOrderView
from app.services import batch
from app.services.alerts import resolve_by_program
from app.services.order_views import order_alerts, show_order
from app.services.photos import Named, name_photos


class OrderWithdrawn(Conflict):
    """The order asks for nothing any more."""

    code = "order-withdrawn"
    title = Text("指令已撤回", "Withdrawn")
    detail_text = Text("该指令已撤回,无须再答复。", "This order was withdrawn and needs no answer.")


_MINE = """
SELECT n.id, n.unit_code, n.acknowledged_at, n.fulfilled_at, o.requires, o.withdrawn_at IS NOT NULL AS withdrawn
FROM order_units n JOIN command_orders o ON o.township_code = n.township_code AND o.id = n.order_id
WHERE n.township_code = $1 AND n.order_id = $2 AND n.unit_code = $3 FOR NO KEY UPDATE OF n
"""
_INSERT = """
INSERT INTO order_answers (township_code, unit_code, id, content_hash, author_id, recorded_at, order_id, kind, text,
    photo_ids)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id
"""
_STEP = """
UPDATE order_units SET acknowledged_at = coalesce(acknowledged_at, $3),
    feedback_at = CASE WHEN $4 = 'feedback' THEN coalesce(feedback_at, $3) ELSE feedback_at END,
    completed_at = CASE WHEN $4 = 'complete' THEN coalesce(completed_at, $3) ELSE completed_at END,
    fulfilled_at = CASE WHEN $5 THEN coalesce(fulfilled_at, $3) ELSE fulfilled_at END, rev = rev + 1
WHERE township_code = $1 AND id = $2
"""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to an order."""

    order_id: UUID
    kind: Answer
    body: AcknowledgeBody


async def answer_order(
    work: Work, order_id: UUID, kind: Answer, body: AcknowledgeBody
) -> Outcome[CommandOrderView]:
    """Answer an order for a unit, and show it.

    The outcome's problem is NotFound for an order that the unit has not got, Invalid where a caller of several units
    names none, OrderWithdrawn, or IdReused.
    """
    (item,) = await store_answers(work, order_id, kind, [body])
    view = None if item.problem else await show_order(work, order_id)
    return Outcome(item.id, view, item.replayed, item.problem)


async def store_answers(
    work: Work, order_id: UUID, kind: Answer, bodies: Sequence[AcknowledgeBody]
) -> list[batch.Item[AcknowledgeBody]]:
    """Answer an order for units and show nothing."""
    items = await batch.begin(work, "order_answers", f"order.{kind} {order_id}", bodies)
    for item in items:
        if item.fresh:
            item.problem = await _answer(work, Said(order_id, kind, item.body), item)
    return batch.settle_repeats(items)


async def _answer(work: Work, said: Said, item: batch.Item[AcknowledgeBody]) -> Problem | None:
    unit = _unit_of(work, said.body)
    if isinstance(unit, Invalid):
        return unit
    mine = await work.sql.fetchrow(_MINE, work.township_code, said.order_id, unit)
    if mine is None:
        return NotFound()
    if mine["withdrawn"]:
        return OrderWithdrawn()
    text, photo_ids = getattr(said.body, "text", None), getattr(said.body, "photo_ids", [])
    written = (
        item.id,
        item.content_hash,
        work.account_id,
        work.now,
        said.order_id,
        said.kind,
        text,
        photo_ids,
    )
    if await work.sql.fetchval(_INSERT, work.township_code, unit, *written) is None:
        await batch.follow_winners(work, "order_answers", [item])
        return item.problem
    await _step(work, said.kind, mine)
    await name_photos(work, PhotoKind.ANSWER, [Named(item.id, mine["unit_code"], photo_ids)])
    return None


def _unit_of(work: Work, body: AcknowledgeBody) -> int | Invalid:
    """Return the unit that answers: the one named, or the caller's only one."""
    if body.unit_code is not None:
        return int(body.unit_code)
    unit = work.caller.scope.only_unit
    return at("/unit_code", "required") if unit is None else unit


async def _step(work: Work, kind: Answer, mine: asyncpg.Record) -> None:
    """Take the unit a step further; alerts of its silence are settled as far as it is silent no more."""
    done = fulfilled(REACHES[kind], Requires(mine["requires"]))
    await work.sql.execute(_STEP, work.township_code, mine["id"], work.now, kind, done)
    work.touch(RecordKind.ORDER, [mine["id"]])
    silent, overdue = order_alerts(mine["id"])
    await resolve_by_program(work, [silent, *([overdue] if done else [])])


_COPY = """
SELECT n.id FROM order_answers a
JOIN order_units n ON n.township_code = a.township_code AND n.order_id = a.order_id AND n.unit_code = a.unit_code
WHERE a.township_code = $1 AND a.id = $2
"""


async def copy_of(work: Work, answer_id: UUID) -> UUID:
    """Return the id of the copy of an order that a stored answer is about: what the feed tells of."""
    id_: UUID = await work.sql.fetchval(_COPY, work.township_code, answer_id)
    return id_
