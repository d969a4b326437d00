"""Tips (举报): taken down or sent by the public, given to a squad, closed by an incident or with a note."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.language import Text
from app.core.problems import Conflict, NotFound, at
from app.core.scope import township_row
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.outcomes import TipSource, TipStatus
from app.models.outcomes import Tip
from app.schemas.outcomes import TipBody, TipView
from app.services import batch
from app.services.batch import Item
from app.services.records import Noun, change, insert, lock, refuse_elsewhere, refuse_future, show

TIPS = Noun(Tip, "tip.record", TipView, RecordKind.TIP, PhotoKind.TIP, sealed=("phone",))

_SQUAD = "SELECT 1 FROM squads WHERE township_code = $1 AND id = $2 AND active"


class TipClosed(Conflict):
    """Nothing more is asked of a tip that is closed."""

    code = "tip-closed"
    title = Text("该举报已办结", "The tip is closed")
    detail_text = Text(
        "该举报已办结,不能再派单或更改。", "This tip was closed before; nothing more is asked of it."
    )


async def store_tips(
    work: Work,
    bodies: Sequence[TipBody],
    moments: batch.Moments = None,
    source: TipSource = TipSource.HOTLINE,
) -> list[Item[TipBody]]:
    """Record tips and show nothing.

    An item's problem is NotFound for a unit that the caller does not see, Invalid for a time to come or where a unit's
    cadre names no unit, or IdReused.
    """
    items = await batch.begin(work, TIPS.name, TIPS.op, bodies, moments)
    own_row = township_row(work.township_code)
    await refuse_elsewhere(work, [item for item in items if item.body.unit_code])
    for item in items:
        if item.fresh and item.body.unit_code is None:
            if work.sees_unit(own_row):
                refuse_future(work, item)
            else:
                item.problem = at("/unit_code", "required")
    units = {item.id: int(item.body.unit_code or own_row) for item in items}
    own = {"source": source, "status": TipStatus.NEW}
    more = {id_: own | {"unit_code": unit} for id_, unit in units.items()}
    for item in await insert(work, TIPS, items, more):
        day = local_day(item.moment.occurred_at, work.township.zone)
        work.count(units[item.id], day, Metric.TIPS)
    return batch.settle_repeats(items)


async def dispatch_tip(work: Work, tip_id: UUID, squad_id: UUID) -> TipView:
    """Give a tip to a squad; to another one, if it had one. Again changes nothing.

    Raises:
        NotFound: no such tip or squad, or not for this caller.
        TipClosed: it is closed.
    """
    tip = await lock(work, TIPS, tip_id)
    if await work.sql.fetchval(_SQUAD, work.township_code, squad_id) is None:
        raise NotFound
    if tip["status"] == TipStatus.CLOSED:
        raise TipClosed
    if tip["squad_id"] != squad_id:
        sent = {"status": TipStatus.DISPATCHED, "squad_id": squad_id, "dispatched_at": work.now}
        await change(work, TIPS, tip_id, sent)
    return await show(work, TIPS, tip_id)


async def close_tip(work: Work, tip_id: UUID, note: str) -> TipView:
    """Close a tip with a note. The same again answers what is stored.

    Raises:
        NotFound: no such tip, or not for this caller.
        TipClosed: it is closed, with another note or by an incident.
    """
    tip = await lock(work, TIPS, tip_id)
    if tip["status"] != TipStatus.CLOSED:
        await _close(work, tip_id, {"closing_note": note})
    elif tip["closing_note"] != note:
        raise TipClosed
    return await show(work, TIPS, tip_id)


async def settle_tip(work: Work, tip_id: UUID, incident_id: UUID) -> None:
    """Close a locked tip that is not closed yet by an incident."""
    await _close(work, tip_id, {"incident_id": incident_id})


async def _close(work: Work, tip_id: UUID, why: dict[str, Any]) -> None:
    closed = {"status": TipStatus.CLOSED, "closed_at": work.now, "closed_by": work.account_id}
    await change(work, TIPS, tip_id, closed | why)
