"""How issued passes are shown: one, a person's, a unit's."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound
from app.core.u64 import to_hex
from app.core.work import Work
from app.schemas.passes import PassView
from app.services.sealing import unseal

CODE = "passes.code"

_SHOWN = """
p.id, p.person_id, p.unit_code, p.class, p.checkpoint_id, p.purposes, p.valid_from, p.valid_to, p.number, p.code_sealed,
p.revoked_at, p.revoke_reason, p.author_id, p.recorded_at, k.dropped_at
FROM passes p LEFT JOIN gate_keys k ON k.id = p.key_id
"""
_BY_ID = f"SELECT {_SHOWN} WHERE p.township_code = $1 AND p.id = ANY($2)"
_PAGE = f"""
SELECT {_SHOWN}
WHERE p.township_code = $1 AND ($2::uuid IS NULL OR p.person_id = $2) AND ($3::bigint IS NULL OR p.unit_code = $3)
    AND ($4::uuid IS NULL OR p.id < $4)
ORDER BY p.id DESC LIMIT $5
"""


async def pass_views(work: Work, ids: Iterable[UUID]) -> dict[UUID, PassView]:
    """Return the passes with these ids that the caller may see."""
    rows = await work.sql.fetch(_BY_ID, work.township_code, list(ids))
    return {row["id"]: _view(work, row) for row in rows}


async def show_pass(work: Work, pass_id: UUID) -> PassView:
    """Return a pass.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
    """
    view = (await pass_views(work, [pass_id])).get(pass_id)
    if view is None:
        raise NotFound
    return view


async def list_passes(
    work: Work, paging: Paging, person_id: UUID | None, unit_code: int | None
) -> Page[PassView]:
    """Return a page of passes, the latest issued first."""
    (behind,) = paging.key(UUID) or (None,)
    rows = await work.sql.fetch(_PAGE, work.township_code, person_id, unit_code, behind, paging.limit + 1)
    shown = [_view(work, row) for row in rows[: paging.limit]]
    return Page(items=shown, next=mark(shown[-1].id) if len(rows) > paging.limit else None)


def _view(work: Work, row: asyncpg.Record) -> PassView:
    values: dict[str, Any] = dict(row)
    values["code"] = unseal(work, CODE, row["id"], row["code_sealed"])
    values["number"] = to_hex(row["number"])
    values["status"] = _status(work, row)
    return PassView.model_validate(values)


def _status(work: Work, row: asyncpg.Record) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["dropped_at"] is not None:
        return "key_dropped"
    if work.now < row["valid_from"]:
        return "not_yet_valid"
    return "expired" if work.now >= row["valid_to"] else "valid"
