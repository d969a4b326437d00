"""Edits of a household: its address, its register number, its head, and, by the township, its unit."""

from typing import Any
from uuid import UUID

from app.core.field_texts import declare
from app.core.problems import Forbidden, NotFound, at
from app.core.work import Work
from app.domain.enums import Role
from app.domain.feed import RecordKind
from app.schemas.households import HouseholdPatch, HouseholdView
from app.services.edits import Edit, Edited, noted, weigh
from app.services.households import show_household, visible_units
from app.services.moves import move_household

declare("not-a-member", "该人员不属于本户。", "This person is not a member of the household.")

_LOCK = """
SELECT unit_code, address, register_no, head_id, rev, field_revs FROM households
WHERE township_code = $1 AND id = $2 FOR UPDATE
"""

_EDIT = """
UPDATE households SET address = $3, register_no = $4, head_id = $5, field_revs = $6, rev = rev + 1, edited_rev = rev + 1
WHERE township_code = $1 AND id = $2
"""

_MEMBER = "SELECT 1 FROM people WHERE township_code = $1 AND household_id = $2 AND id = $3"


async def edit_household(work: Work, household_id: UUID, body: HouseholdPatch) -> HouseholdView:
    """Change what was sent and differs, field by field; sending what is stored already changes nothing.

    Raises:
        StaleRevision: somebody changed one of these fields after `base_rev`.
        NotFound, Forbidden, Invalid: as `merge_household`.
    """
    edit = Edit(body.base_rev, work.now, work.caller.device_id)
    await merge_household(work, household_id, body, edit)
    return await show_household(work, household_id)


async def merge_household(work: Work, household_id: UUID, body: HouseholdPatch, edit: Edit) -> Edited:
    """Bring an edit together with what others changed meanwhile.

    Raises:
        NotFound: no such household or unit, or not for this caller.
        Forbidden: a move to another unit, by somebody else than the township.
        Invalid: the new head is not a member.
        StaleRevision, PredecessorMissing: see `edits.weigh`.
    """
    row = await work.sql.fetchrow(_LOCK, work.township_code, household_id)
    if row is None:
        raise NotFound
    stored = dict(row)
    sent = body.model_dump(exclude_unset=True, exclude={"base_rev"})
    if "unit_code" in sent:
        sent["unit_code"] = int(sent["unit_code"])
        await _check_move(work, stored, sent["unit_code"])
    if "head_id" in sent and sent["head_id"] != stored["head_id"]:
        await _check_head(work, household_id, sent["head_id"])
    result = weigh(edit, stored, sent)
    if result.changes:
        await _store(
            work, household_id, {**stored, **result.changes}, noted(stored, result.changes, edit, result.seen)
        )
    if "unit_code" in result.changes:
        await move_household(work, household_id, result.changes["unit_code"])
    return Edited(
        stored["unit_code"],
        result.met_others,
        result.conflicts,
        {name: stored[name] for name in result.changes},
    )


async def _check_move(work: Work, stored: dict[str, Any], to_unit: int) -> None:
    if to_unit == stored["unit_code"]:
        return
    if work.caller.role != Role.TOWNSHIP:
        raise Forbidden
    if to_unit not in await visible_units(work, [to_unit]):
        raise NotFound


async def _check_head(work: Work, household_id: UUID, person_id: UUID) -> None:
    if await work.sql.fetchval(_MEMBER, work.township_code, household_id, person_id) is None:
        raise at("/head_id", "not-a-member")


async def _store(work: Work, household_id: UUID, row: dict[str, Any], field_revs: str) -> None:
    work.touch(RecordKind.HOUSEHOLD, [household_id])
    values = (row["address"], row["register_no"], row["head_id"], field_revs)
    await work.sql.execute(_EDIT, work.township_code, household_id, *values)
