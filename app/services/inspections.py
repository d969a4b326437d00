"""Inspections (巡查): whether a venue is shut, as somebody found it."""

from collections.abc import Sequence

from app.core.problems import NotFound
from app.core.work import Work
from app.domain.closures import Found, breach
from app.domain.days import local_day
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.models.closures import Inspection
from app.schemas.closures import InspectionBody, InspectionView
from app.services import batch
from app.services.batch import Item
from app.services.records import Noun, insert, refuse_future

INSPECTIONS = Noun(
    Inspection, "inspection.record", InspectionView, RecordKind.INSPECTION, PhotoKind.INSPECTION
)

_VENUES = "SELECT id, unit_code, essential FROM venues WHERE township_code = $1 AND id = ANY($2)"


async def store_inspections(
    work: Work, bodies: Sequence[InspectionBody], moments: batch.Moments = None
) -> list[Item[InspectionBody]]:
    """Record inspections and show nothing.

    An item's problem is NotFound for a venue that the caller does not see, Invalid for a time to come, or IdReused.
    """
    items = await batch.begin(work, INSPECTIONS.name, INSPECTIONS.op, bodies, moments)
    named = {item.body.venue_id for item in items if item.fresh}
    rows = await work.sql.fetch(_VENUES, work.township_code, list(named))
    venues = {row["id"]: row for row in rows}
    more = {}
    for item in items:
        venue = venues.get(item.body.venue_id)
        if item.fresh and venue is None:
            item.problem = NotFound()
        elif item.fresh and venue is not None:
            refuse_future(work, item)
            judged = breach(Found(item.body.found), venue["essential"])
            more[item.id] = {"unit_code": venue["unit_code"], "breach": judged}
    for item in await insert(work, INSPECTIONS, items, more):
        unit, day = more[item.id]["unit_code"], local_day(item.moment.occurred_at, work.township.zone)
        work.count(unit, day, Metric.INSPECTIONS)
        work.count(unit, day, Metric.VENUES_FOUND_OPEN, int(more[item.id]["breach"]))
    return batch.settle_repeats(items)
