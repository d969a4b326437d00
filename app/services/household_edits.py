"""Edits of a household: its address, its register number, its head, and, by the township, its unit."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.field_texts import declare
from app.core.problems import Forbidden, NotFound, StaleRevision, at
from app.core.work import Work
from app.domain.enums import Role
from app.domain.feed import RecordKind
from app.schemas.households import HouseholdPatch, HouseholdView
from app.services.households import show_household, visible_units
from app.services.moves import move_household

declare("not-a-member", "该人员不属于本户。", "This person is not a member of the household.")

_LOCK = """
SELECT unit_code, address, register_no, head_id, rev, edited_rev FROM households
WHERE township_code = $1 AND id = $2 FOR UPDATE
"""

_EDIT = """
UPDATE households SET address = $3, register_no = $4, head_id = $5, rev = rev + 1, edited_rev = rev + 1
WHERE township_code = $1 AND id = $2
"""

_MEMBER = "SELECT 1 FROM people WHERE township_code = $1 AND household_id = $2 AND id = $3"


async def edit_household(work: Work, household_id: UUID, body: HouseholdPatch) -> HouseholdView:
    """Change what was sent and differs; sending what is stored already changes nothing.

    Raises:
        NotFound: no such household or unit, or not for this caller.
        Forbidden: a move to another unit, by somebody else than the township.
        StaleRevision: somebody edited the household after `base_rev`.
        Invalid: the new head is not a member.
    """
    row = await work.sql.fetchrow(_LOCK, work.township_code, household_id)
    if row is None:
        raise NotFound
    stored = dict(row)
    changes = changed(stored, body.model_dump(exclude_unset=True, exclude={"base_rev"}))
    if "unit_code" in changes:
        await _check_move(work, changes["unit_code"])
    if changes:
        check_revision(stored, body.base_rev)
        if "head_id" in changes:
            await _check_head(work, household_id, changes["head_id"])
        await _edit(work, household_id, {**stored, **changes})
    if "unit_code" in changes:
        await move_household(work, household_id, changes["unit_code"])
    return await show_household(work, household_id)


def changed(stored: Mapping[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return the members that were sent with another value than the stored one."""
    if "unit_code" in sent:
        sent["unit_code"] = int(sent["unit_code"])
    return {name: value for name, value in sent.items() if value != stored[name]}


def check_revision(stored: Mapping[str, Any], base_rev: int) -> None:
    """Refuse an edit that was made without sight of the last one. What checks and orders change does not matter.

    Raises:
        StaleRevision: the row was edited after `base_rev`, or never had that revision.
    """
    if not stored["edited_rev"] <= base_rev <= stored["rev"]:
        raise StaleRevision


async def _check_move(work: Work, to_unit: int) -> None:
    if work.caller.role != Role.TOWNSHIP:
        raise Forbidden
    if to_unit not in await visible_units(work, [to_unit]):
        raise NotFound


async def _check_head(work: Work, household_id: UUID, person_id: UUID) -> None:
    if await work.sql.fetchval(_MEMBER, work.township_code, household_id, person_id) is None:
        raise at("/head_id", "not-a-member")


async def _edit(work: Work, household_id: UUID, row: dict[str, Any]) -> None:
    work.touch(RecordKind.HOUSEHOLD, [household_id])
    await work.sql.execute(
        _EDIT, work.township_code, household_id, row["address"], row["register_no"], row["head_id"]
    )
