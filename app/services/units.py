"""The units of the grid, each with how many households and people are registered there.

The numbers come from the counters, not from the registers: staff of a checkpoint may read them, and no register.
"""

from collections.abc import Iterable

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound
from app.core.work import Work
from app.schemas.units import UnitView

_UNITS = """
SELECT u.unit_code, u.name, u.kind, coalesce(c.households, 0) AS households, coalesce(c.people, 0) AS people
FROM units u
LEFT JOIN (
    SELECT unit_code, sum(households)::int AS households, sum(people)::int AS people
    FROM daily_counters
    WHERE township_code = $1 AND unit_code = coalesce($2, unit_code)
    GROUP BY unit_code
) AS c USING (unit_code)
WHERE u.township_code = $1 AND u.unit_code = coalesce($2, u.unit_code) AND u.unit_code > $3
ORDER BY u.unit_code LIMIT $4
"""

_KNOWN = "SELECT unit_code FROM units WHERE township_code = $1 AND unit_code = ANY($2)"


async def known_units(work: Work, codes: Iterable[int]) -> frozenset[int]:
    """Return which of the codes are units that the caller sees."""
    wanted = list(codes)
    rows = await work.sql.fetch(_KNOWN, work.township_code, wanted) if wanted else []
    return frozenset(row["unit_code"] for row in rows)


async def list_units(work: Work, paging: Paging) -> Page[UnitView]:
    """Return a page of the units that the caller may see, by code."""
    (behind,) = paging.key(int) or (0,)
    rows = await work.sql.fetch(_UNITS, work.township_code, None, behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["unit_code"]) if len(rows) > len(shown) else None
    return Page(items=[_view(row) for row in shown], next=more)


async def show_unit(work: Work, unit_code: int) -> UnitView:
    """Return one unit.

    Raises:
        NotFound: no such unit, or not in the caller's scope.
    """
    row = await work.sql.fetchrow(_UNITS, work.township_code, unit_code, 0, 1)
    if row is None:
        raise NotFound
    return _view(row)


def _view(row: asyncpg.Record) -> UnitView:
    return UnitView.model_validate(dict(row))
