"""Patrols (巡逻): kept as they were made, with what they met."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.field_texts import declare
from app.core.problems import NotFound, Problem, at
from app.core.work import Work
from app.domain.days import local_day
from app.domain.duty import LONGEST_SHIFT
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.models.duty import Patrol
from app.schemas.duty import PatrolBody, PatrolView
from app.services import batch
from app.services.batch import Item
from app.services.moments import in_the_future
from app.services.records import Noun, insert, refuse_elsewhere

declare("not-after-start", "结束时间须晚于开始时间。", "The end is not after the start.")
declare("too-long", "时长超过24小时。", "Longer than 24 hours.")

PATROLS = Noun(Patrol, "patrol.record", PatrolView, RecordKind.PATROL, PhotoKind.PATROL)

_NAMED = """
SELECT 'shift' AS kind, id FROM shifts WHERE township_code = $1 AND id = ANY($2)
UNION ALL SELECT 'squad', id FROM squads WHERE township_code = $1 AND id = ANY($3)
"""


async def store_patrols(
    work: Work, bodies: Sequence[PatrolBody], moments: batch.Moments = None
) -> list[Item[PatrolBody]]:
    """Record patrols and show nothing.

    An item's problem is NotFound for a unit, shift or squad that the caller does not see, IdReused, or Invalid for
    times that cannot be.
    """
    items = await batch.begin(work, PATROLS.name, PATROLS.op, bodies, moments)
    await refuse_elsewhere(work, items)
    seen = await _seen(work, [item.body for item in items])
    for item in items:
        if item.fresh:
            item.problem = NotFound() if _names(item.body) - seen else _refusal(work, item)
    more = {item.id: _more(work, item) for item in items if item.fresh}
    for item in await insert(work, PATROLS, items, more):
        day = local_day(item.moment.occurred_at, work.township.zone)
        work.count(int(item.body.unit_code), day, Metric.PATROLS)
    return batch.settle_repeats(items)


async def _seen(work: Work, bodies: Iterable[PatrolBody]) -> set[tuple[str, UUID]]:
    """Return which of the shifts and squads that are named there are, for the caller."""
    named = {name for body in bodies for name in _names(body)}
    ids = ([id_ for kind, id_ in named if kind == wanted] for wanted in ("shift", "squad"))
    return {(row["kind"], row["id"]) for row in await work.sql.fetch(_NAMED, work.township_code, *ids)}


def _names(body: PatrolBody) -> set[tuple[str, UUID]]:
    names = (("shift", body.shift_id), ("squad", body.squad_id))
    return {(kind, id_) for kind, id_ in names if id_ is not None}


def span_refusal(starts_at: datetime, ends_at: datetime, pointer: str) -> Problem | None:
    """Return what is wrong with a span of time of at most 24 hours."""
    if ends_at <= starts_at:
        return at(pointer, "not-after-start")
    return at(pointer, "too-long") if ends_at - starts_at > LONGEST_SHIFT else None


def _refusal(work: Work, item: Item[PatrolBody]) -> Problem | None:
    wrong = span_refusal(item.body.started_at, item.body.ended_at, "/ended_at")
    if wrong is None and item.moment.quality is None and in_the_future(work, item.body.ended_at):
        return at("/ended_at", "in-the-future")
    return wrong


def _more(work: Work, item: Item[PatrolBody]) -> dict[str, Any]:
    """Return when it ended, by the same clock by which it is known when it began, and all of its photos."""
    body, began = item.body, item.moment.occurred_at
    ended = min(began + (body.ended_at - body.started_at), max(began, work.now))
    return {"ended_at": ended, "photo_ids": [id_ for found in body.findings for id_ in found.photo_ids]}
