"""Staff as they are read: a page, one, or those of a batch. An account and its staff row have the same id."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound
from app.core.work import Work
from app.domain.enums import Role
from app.schemas.staff import StaffView
from app.services.sealing import unseal

_STAFF = """
SELECT s.id, s.unit_code, s.name, s.phone_sealed, s.team, s.position, s.health, s.person_id, s.rev,
       a.username, a.role, a.codes, a.checkpoint_ids, a.active
FROM staff s JOIN accounts a ON a.township_code = s.township_code AND a.id = s.id
WHERE s.township_code = $1
"""

_BY_IDS = _STAFF + "AND s.id = ANY($2)"

_PAGE = (
    _STAFF
    + """
AND ($2::uuid IS NULL OR s.id > $2)
AND ($3::bigint IS NULL OR s.codes @> ARRAY[$3::bigint])
AND ($4::text IS NULL OR a.role = $4)
AND ($5::text IS NULL OR strpos(lower(s.name), lower($5)) > 0 OR strpos(lower(a.username), lower($5)) > 0)
ORDER BY s.id LIMIT $6
"""
)


class StaffFilter(NamedTuple):
    """What a list of staff is limited to."""

    unit_code: int | None
    role: Role | None
    q: str | None


async def list_staff(work: Work, wanted: StaffFilter, paging: Paging) -> Page[StaffView]:
    """Return a page of the staff in the caller's scope, by id; a unit outside the scope has none."""
    (behind,) = paging.key(UUID) or (None,)
    rows = await work.sql.fetch(
        _PAGE, work.township_code, behind, wanted.unit_code, wanted.role, wanted.q, paging.limit + 1
    )
    shown = rows[: paging.limit]
    more = mark(shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(work, row) for row in shown], next=more)


async def staff_views(work: Work, ids: Collection[UUID]) -> dict[UUID, StaffView]:
    """Return those of the named staff that the caller may see."""
    if not ids:
        return {}
    rows = await work.sql.fetch(_BY_IDS, work.township_code, list(ids))
    return {row["id"]: _view(work, row) for row in rows}


async def show_staff(work: Work, staff_id: UUID) -> StaffView:
    """Return one staff member.

    Raises:
        NotFound: no such one, or none in the caller's scope.
    """
    views = await staff_views(work, [staff_id])
    if staff_id not in views:
        raise NotFound
    return views[staff_id]


def _view(work: Work, row: asyncpg.Record) -> StaffView:
    phone = unseal(work, "staff.phone", row["id"], row["phone_sealed"])
    return StaffView.model_validate({**row, "phone": phone})
