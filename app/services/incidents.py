"""Incidents (现场处置): recorded with what was done, counted as the source counts, and published to all units."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from app.core.problems import NotFound
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.outcomes import TipStatus, banquets_stopped, machines_destroyed
from app.models.outcomes import Incident
from app.schemas.outcomes import IncidentBody, IncidentView
from app.services import batch
from app.services.batch import Item
from app.services.bulletins import publish
from app.services.records import Noun, insert, refuse_elsewhere
from app.services.tips import settle_tip

INCIDENTS = Noun(Incident, "incident.record", IncidentView, RecordKind.INCIDENT, PhotoKind.INCIDENT)

_TIPS = """
SELECT id, status FROM tips WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE
"""


async def store_incidents(
    work: Work, bodies: Sequence[IncidentBody], moments: batch.Moments = None
) -> list[Item[IncidentBody]]:
    """Record incidents, close the tips that they settle, publish what is to be published, and show nothing.

    An item's problem is NotFound for a unit or tip that the caller does not see, Invalid for a time to come, or
    IdReused. An incident of a tip that is closed already is kept all the same: it took place.
    """
    items = await batch.begin(work, INCIDENTS.name, INCIDENTS.op, bodies, moments)
    await refuse_elsewhere(work, items)
    tips = await _locked_tips(work, (item.body.tip_id for item in items if item.fresh))
    waiting = {id_ for id_, status in tips.items() if status != TipStatus.CLOSED}
    for item in items:
        if item.fresh and item.body.tip_id is not None and item.body.tip_id not in tips:
            item.problem = NotFound()
    stored = await insert(work, INCIDENTS, items)
    for item in stored:
        _count(work, item)
        if item.body.tip_id in waiting:
            waiting.remove(item.body.tip_id)
            await settle_tip(work, item.body.tip_id, item.id)
    await publish(work, [item for item in stored if item.body.publish])
    return batch.settle_repeats(items)


async def _locked_tips(work: Work, ids: Iterable[UUID | None]) -> Mapping[UUID, str]:
    wanted = [id_ for id_ in ids if id_ is not None]
    rows = await work.sql.fetch(_TIPS, work.township_code, wanted) if wanted else []
    return {row["id"]: row["status"] for row in rows}


def _count(work: Work, item: Item[IncidentBody]) -> None:
    body, day = item.body, local_day(item.moment.occurred_at, work.township.zone)
    amounts = {
        Metric.INCIDENTS: 1,
        Metric.MACHINES_DESTROYED: machines_destroyed(body.kind, body.action, body.count),
        Metric.BANQUETS_STOPPED: banquets_stopped(body.kind, body.action),
    }
    for metric, amount in amounts.items():
        work.count(int(body.unit_code), day, metric, amount)
