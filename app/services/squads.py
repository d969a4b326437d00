"""Squads (突击小分队): the township's, known to all units."""

from collections.abc import Sequence
from uuid import UUID

from app.core.outcome import Outcome
from app.core.paging import Page, Paging
from app.core.problems import NotFound
from app.core.scope import township_row
from app.core.work import Work
from app.models.duty import Squad
from app.schemas.duty import SquadBody, SquadView
from app.services import batch, records
from app.services.records import Noun, insert

SQUADS = Noun(Squad, "squad.create", SquadView)

_STAFF = "SELECT id FROM staff WHERE township_code = $1 AND id = ANY($2)"


async def create_squads(work: Work, bodies: Sequence[SquadBody]) -> list[Outcome[SquadView]]:
    """Make squads. An outcome's problem is NotFound for somebody who is not of the township, or IdReused."""
    items = await batch.begin(work, SQUADS.name, SQUADS.op, bodies)
    wanted = {id_ for item in items for id_ in _people(item.body)}
    known = {row["id"] for row in await work.sql.fetch(_STAFF, work.township_code, list(wanted))}
    for item in items:
        if item.fresh and set(_people(item.body)) - known:
            item.problem = NotFound()
    own = {"unit_code": township_row(work.township_code), "active": True}
    more = {item.id: own | {"staff_ids": list(dict.fromkeys(item.body.staff_ids))} for item in items}
    await insert(work, SQUADS, items, more)
    return await records.outcomes(work, SQUADS, items)


def _people(body: SquadBody) -> list[UUID]:
    return [*body.staff_ids, *([body.leader_id] if body.leader_id else [])]


async def list_squads(work: Work, paging: Paging) -> Page[SquadView]:
    """Return a page of the township's squads, newest first."""
    return await records.page(work, SQUADS, paging)
