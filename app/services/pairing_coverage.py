"""How far the pairing has come: the households that nobody looks after (落实党员干部对邻近群众一带一、一带多)."""

from typing import Any
from uuid import UUID

import asyncpg

from app.core.paging import Paging, mark
from app.core.problems import NotFound
from app.core.scope import code_range
from app.core.work import Work
from app.schemas.pairings import LonelyHousehold, PairedNumbers, PairingCoverage, UnitPairing

# Who has left, or serves in the unit no more, looks after nobody.
_PAIRED = """
SELECT DISTINCT home.id FROM pairings p
JOIN staff s ON s.township_code = $1 AND s.id = p.staff_id AND s.active AND p.unit_code = ANY(s.codes)
CROSS JOIN unnest(p.household_ids) AS home(id)
WHERE p.township_code = $1 AND NOT p.ended AND p.unit_code >= $2 AND p.unit_code < $3
"""
_UNITS = f"""
SELECT u.unit_code, u.name, count(h.id) AS households, count(paired.id) AS paired
FROM units u LEFT JOIN households h ON h.township_code = $1 AND h.unit_code = u.unit_code
LEFT JOIN ({_PAIRED}) AS paired ON paired.id = h.id
WHERE u.township_code = $1 AND u.unit_code >= $2 AND u.unit_code < $3
GROUP BY u.unit_code, u.name ORDER BY u.unit_code
"""
_LONELY = f"""
SELECT h.id, h.unit_code, h.address, h.register_no FROM households h LEFT JOIN ({_PAIRED}) AS paired ON paired.id = h.id
WHERE h.township_code = $1 AND h.unit_code >= $2 AND h.unit_code < $3 AND paired.id IS NULL
    AND ($4::bigint IS NULL OR (h.unit_code, h.id) > ($4, $5::uuid))
ORDER BY h.unit_code, h.id LIMIT $6
"""


async def pairing_coverage(work: Work, paging: Paging, code: str | None) -> PairingCoverage:
    """Return how many households of a code (by default: the caller's) have somebody, and a page of those with nobody.

    Raises:
        NotFound: the code is not within the caller's scope, or names no unit.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    span = code_range(code or str(work.township_code))
    rows = await work.sql.fetch(_UNITS, work.township_code, *span)
    if not rows:
        raise NotFound
    units = [UnitPairing(unit_code=r["unit_code"], name=r["name"], **_numbers([r])) for r in rows]
    behind: tuple[Any, ...] = paging.key(int, UUID) or (None, None)
    lonely = await work.sql.fetch(_LONELY, work.township_code, *span, *behind, paging.limit + 1)
    shown = lonely[: paging.limit]
    return PairingCoverage(
        code=code or ",".join(work.caller.scope.prefixes),
        totals=PairedNumbers(**_numbers(rows)),
        units=units,
        items=[LonelyHousehold.model_validate(dict(row)) for row in shown],
        next=mark(shown[-1]["unit_code"], shown[-1]["id"]) if len(lonely) > len(shown) else None,
    )


def _numbers(rows: list[asyncpg.Record]) -> dict[str, int]:
    households, paired = (sum(row[name] for row in rows) for name in ("households", "paired"))
    return {"households": households, "paired": paired, "unpaired": households - paired}
