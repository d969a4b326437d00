"""Coverage of the door-to-door checks: unit by unit, with the households that are left (全覆盖、零死角、无遗漏).

The rule is `app.domain.coverage`; here it is counted by the database, over registers of any size.
"""

from typing import Any

from app.core.problems import NotFound
from app.core.scope import code_range
from app.core.work import Work
from app.schemas.coverage import CoverageNumbers, CoverageView, UncheckedHousehold, UnitCoverage

WORK_LIST = 100
"""The most never-checked households that the answer lists for one unit."""

_UNITS = """
SELECT u.unit_code, u.name, coalesce(h.households, 0) AS households, coalesce(h.checked, 0) AS checked,
    coalesce(p.people, 0) AS people, coalesce(p.accounted_for, 0) AS accounted_for
FROM units u
LEFT JOIN (
    SELECT unit_code, count(*) AS households, count(checked_at) AS checked FROM households
    WHERE township_code = $1 GROUP BY unit_code
) AS h USING (unit_code)
LEFT JOIN (
    SELECT unit_code, count(*) AS people, count(whereabouts) AS accounted_for FROM people
    WHERE township_code = $1 GROUP BY unit_code
) AS p USING (unit_code)
WHERE u.township_code = $1 AND u.unit_code >= $2 AND u.unit_code < $3
ORDER BY u.unit_code
"""

_UNCHECKED = """
SELECT u.unit_code, h.id, h.address, h.register_no
FROM unnest($2::bigint[]) AS u(unit_code)
CROSS JOIN LATERAL (
    SELECT id, address, register_no FROM households
    WHERE township_code = $1 AND unit_code = u.unit_code AND checked_at IS NULL ORDER BY id LIMIT $3
) AS h
"""

_NUMBERS = ("households", "checked", "people", "accounted_for")


async def coverage(work: Work, code: str | None) -> CoverageView:
    """Return how far the checks have come in a scope, by default the caller's own.

    Raises:
        NotFound: the code is not within the caller's scope, or names no unit.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    prefixes = (code,) if code is not None else work.caller.scope.prefixes
    ranges = [code_range(prefix) for prefix in prefixes]
    hull = min(start for start, _ in ranges), max(end for _, end in ranges)
    rows = await work.sql.fetch(_UNITS, work.township_code, *hull)
    if not rows:
        raise NotFound
    left = [row["unit_code"] for row in rows if row["checked"] < row["households"]]
    lists: dict[int, list[UncheckedHousehold]] = {}
    for row in await work.sql.fetch(_UNCHECKED, work.township_code, left, WORK_LIST):
        lists.setdefault(row["unit_code"], []).append(UncheckedHousehold.model_validate(dict(row)))
    units = [
        UnitCoverage(
            **_numbers(dict(row)),
            unit_code=row["unit_code"],
            name=row["name"],
            unchecked_total=row["households"] - row["checked"],
            unchecked=lists.get(row["unit_code"], []),
        )
        for row in rows
    ]
    totals = {name: sum(getattr(unit, name) for unit in units) for name in _NUMBERS}
    return CoverageView(code=",".join(prefixes), totals=CoverageNumbers(**_numbers(totals)), units=units)


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: row[name] for name in _NUMBERS}
    done = row["checked"] == row["households"] and row["accounted_for"] == row["people"]
    return {**numbers, "complete": done}
