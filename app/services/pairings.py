"""Pairings (一带一、一带多): who looks after which households, made, changed and ended."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.language import Text
from app.core.problems import Conflict, NotFound, Problem, at
from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.pairing import Misfit, common_unit
from app.models.pairings import Pairing
from app.schemas.pairings import PairingBody, PairingPatch, PairingView
from app.services import batch
from app.services.batch import Item
from app.services.records import Noun, change, insert, lock, show

declare("several-units", "这些住户不在同一村(社区)。", "These households are not of one unit.")

PAIRINGS = Noun(Pairing, "pairing.create", PairingView, RecordKind.PAIRING)

# Held until the end of the transaction, so that none of them moves to another unit meanwhile; before the pairing, as
# a move locks them.
_HOMES = """
SELECT id, unit_code FROM households WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR SHARE
"""
_STAFF = "SELECT id, codes, active FROM staff WHERE township_code = $1 AND id = ANY($2)"


class CarerLeft(Conflict):
    """Somebody who is no longer on the staff."""

    code = "staff-inactive"
    title = Text("人员已停用", "No longer on the staff")
    detail_text = Text(
        "该人员已停用或已调离,不能结对。", "This person has left and can look after nobody here."
    )


async def store_pairings(
    work: Work, bodies: Sequence[PairingBody], moments: batch.Moments = None
) -> list[Item[PairingBody]]:
    """Give households to people and show nothing.

    An item's problem is NotFound for a household that the caller does not see, or somebody who does not serve in its
    unit; Invalid for households of several units; CarerLeft; or IdReused.
    """
    items = await batch.begin(work, PAIRINGS.name, PAIRINGS.op, bodies, moments)
    fresh = [item for item in items if item.fresh]
    unit_of = await _units_of(work, {id_ for item in fresh for id_ in item.body.household_ids})
    staff = await _staff(work, {item.body.staff_id for item in fresh})
    await batch.settle_again(work, PAIRINGS.name, items)
    more: dict[UUID, dict[str, Any]] = {}
    for item in (item for item in items if item.fresh):
        unit = common_unit(item.body.household_ids, unit_of)
        item.problem = _refusal(unit, staff.get(item.body.staff_id))
        homes = list(dict.fromkeys(item.body.household_ids))
        more[item.id] = {"unit_code": unit, "household_ids": homes, "ended": False}
    for item in await insert(work, PAIRINGS, items, more):
        work.count(more[item.id]["unit_code"], work.today, Metric.PAIRINGS)
    return batch.settle_repeats(items)


async def _units_of(work: Work, household_ids: Iterable[UUID]) -> dict[UUID, int]:
    ids = sorted(set(household_ids))
    rows = await work.sql.fetch(_HOMES, work.township_code, ids) if ids else []
    return {row["id"]: row["unit_code"] for row in rows}


async def _staff(work: Work, staff_ids: Iterable[UUID]) -> dict[UUID, asyncpg.Record]:
    rows = await work.sql.fetch(_STAFF, work.township_code, list(staff_ids))
    return {row["id"]: row for row in rows}


def _refusal(unit: int | Misfit, carer: asyncpg.Record | None) -> Problem | None:
    """Return why somebody cannot look after households of a unit."""
    if unit is Misfit.SEVERAL_UNITS:
        return at("/household_ids", "several-units")
    if unit is Misfit.UNKNOWN or carer is None or unit not in carer["codes"]:
        return NotFound()
    return None if carer["active"] else CarerLeft()


async def change_pairing(work: Work, pairing_id: UUID, body: PairingPatch) -> PairingView:
    """Give a pairing other households of its unit or somebody else, or end it.

    Raises:
        NotFound: no such pairing, or a household or somebody that `store_pairings` would not take.
        Invalid: a household of another unit than the pairing's.
        CarerLeft: the new person has left.
    """
    sent = body.model_dump(exclude_unset=True)
    homes = list(dict.fromkeys(sent.get("household_ids", ())))
    unit_of = await _units_of(work, homes)
    stored = await lock(work, PAIRINGS, pairing_id)
    if "household_ids" in sent:
        sent["household_ids"] = homes
    revived = stored["ended"] and sent.get("ended") is False
    refusal = await _misfit(work, stored, sent, unit_of, revived)
    if refusal:
        raise refusal
    changed = {name: value for name, value in sent.items() if stored[name] != value}
    if changed:
        await change(work, PAIRINGS, pairing_id, changed)
    if "ended" in changed:
        work.count(stored["unit_code"], work.today, Metric.PAIRINGS, -1 if body.ended else 1)
    return await show(work, PAIRINGS, pairing_id)


async def _misfit(
    work: Work, stored: asyncpg.Record, sent: dict[str, Any], unit_of: dict[UUID, int], revived: bool
) -> Problem | None:
    """Return why a pairing cannot be changed to what was sent; one that is revived needs its person as well."""
    unit_code = stored["unit_code"]
    if "household_ids" in sent:
        unit = common_unit(sent["household_ids"], unit_of)
        if unit is Misfit.UNKNOWN:
            return NotFound()
        if unit != unit_code:
            return at("/household_ids", "several-units")
    if "staff_id" in sent or revived:
        carer = sent.get("staff_id", stored["staff_id"])
        refusal = _refusal(unit_code, (await _staff(work, [carer])).get(carer))
        return CarerLeft() if "staff_id" not in sent and isinstance(refusal, NotFound) else refusal
    return None
