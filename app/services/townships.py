"""Townships and their settings."""

from collections.abc import Iterable
from typing import NamedTuple

from app.core.scope import township_of
from app.core.work import Work


class UnitRow(NamedTuple):
    """A unit as the statistical division codes list it."""

    unit_code: int
    name: str
    kind: str


_CREATE = """
INSERT INTO townships (code, name, timezone, settings, rev, created_at, clock_at)
VALUES ($1, $2, $3, '{}', 1, $4, $4) ON CONFLICT (code) DO NOTHING
"""

_UNITS = """
INSERT INTO units (township_code, unit_code, name, kind)
SELECT $1, u.* FROM unnest($2::bigint[], $3::text[], $4::text[]) AS u
ON CONFLICT (township_code, unit_code) DO UPDATE SET name = excluded.name, kind = excluded.kind
"""


async def create_township(work: Work, code: int, name: str, timezone: str) -> bool:
    """Create a township (an operator's act); answer False where it exists already."""
    return await work.sql.execute(_CREATE, code, name, timezone, work.now) == "INSERT 0 1"


async def put_units(work: Work, units: Iterable[UnitRow]) -> None:
    """Create or rename units of the work's township."""
    rows = [u for u in units if township_of(u.unit_code) == work.township_code]
    await work.sql.execute(
        _UNITS,
        work.township_code,
        [u.unit_code for u in rows],
        [u.name for u in rows],
        [u.kind for u in rows],
    )
