"""Conflicts between what several people said of one record."""

from typing import Annotated, Literal

from fastapi import APIRouter

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.schemas.fields import Id, UnitCode
from app.schemas.sync import ConflictResolution, ConflictView
from app.services import conflicts

router = APIRouter(prefix="/v1/conflicts", tags=["sync"], route_class=StrictRoute)


@router.get("")
async def list_conflicts(
    work: Annotated[Work, allow(Permission.HOUSEHOLDS_READ)],
    paging: Paged,
    status: Literal["open", "closed"] | None = None,
    unit_code: UnitCode | None = None,
    record_id: Id | None = None,
) -> Page[ConflictView]:
    """List conflicts in the caller's units, with both values."""
    return await conflicts.list_conflicts(work, paging, status, unit_code, record_id)


@router.post("/{conflict_id}/resolve")
async def resolve_conflict(
    work: Annotated[Work, allow(Permission.HOUSEHOLDS_WRITE)], conflict_id: Id, body: ConflictResolution
) -> ConflictView:
    """Close a conflict by saying which of the two is right; the same again answers what is stored."""
    return await conflicts.resolve_conflict(work, conflict_id, body.keep)
