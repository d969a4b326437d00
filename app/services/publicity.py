"""Publicity (宣传): the township's materials, and the units' logs of them."""

from collections.abc import Sequence

from app.core.outcome import Outcome
from app.core.problems import NotFound
from app.core.scope import township_row
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.publicity import MaterialKind
from app.models.publicity import PublicityLog, PublicityMaterial
from app.schemas.publicity import MaterialBody, MaterialView, PublicityBody, PublicityView
from app.services import batch, records
from app.services.batch import Item
from app.services.records import Noun, insert, refuse_elsewhere

MATERIALS = Noun(PublicityMaterial, "publicity.material", MaterialView)
LOGS = Noun(PublicityLog, "publicity.log", PublicityView, RecordKind.PUBLICITY, PhotoKind.PUBLICITY)

COUNTED_AS = {
    MaterialKind.LEAFLET: Metric.LEAFLETS,
    MaterialKind.NOTICE: Metric.NOTICES,
    MaterialKind.SLOGAN: Metric.SLOGANS,
    MaterialKind.BROADCAST: Metric.BROADCASTS,
    MaterialKind.LOUDSPEAKER: Metric.BROADCASTS,
}

_KINDS = "SELECT id, kind FROM publicity_materials WHERE township_code = $1 AND id = ANY($2)"


async def create_materials(work: Work, bodies: Sequence[MaterialBody]) -> list[Outcome[MaterialView]]:
    """Add materials to the catalogue. An outcome's problem is IdReused."""
    items = await batch.begin(work, MATERIALS.name, MATERIALS.op, bodies)
    own = {"unit_code": township_row(work.township_code)}
    await insert(work, MATERIALS, items, {item.id: own for item in items})
    return await records.outcomes(work, MATERIALS, items)


async def store_logs(
    work: Work, bodies: Sequence[PublicityBody], moments: batch.Moments = None
) -> list[Item[PublicityBody]]:
    """Record what was handed out, put up or read out, and show nothing.

    An item's problem is NotFound for a unit or material that the caller does not see, Invalid for a time to come, or
    IdReused.
    """
    items = await batch.begin(work, LOGS.name, LOGS.op, bodies, moments)
    await refuse_elsewhere(work, items)
    named = {item.body.material_id for item in items if item.fresh}
    kinds = {row["id"]: row["kind"] for row in await work.sql.fetch(_KINDS, work.township_code, list(named))}
    for item in items:
        if item.fresh and item.body.material_id not in kinds:
            item.problem = NotFound()
    more = {item.id: {"kind": kinds[item.body.material_id]} for item in items if item.fresh}
    for item in await insert(work, LOGS, items, more):
        metric = COUNTED_AS[MaterialKind(more[item.id]["kind"])]
        day = local_day(item.moment.occurred_at, work.township.zone)
        work.count(int(item.body.unit_code), day, metric, item.body.count)
    return batch.settle_repeats(items)
