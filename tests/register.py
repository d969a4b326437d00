"""What the tests of the register stand on: valid ID numbers, bodies, and the counters recomputed from the records."""

import itertools
from typing import Any

import httpx

from app.domain.identity import check_digit
from tests.town import Town

_orders = itertools.count(1)

_CHECK_COUNTS = ("households_checked", "people_at_home", "people_away", "people_returned", "exposed_found")

_RECOMPUTED = """
SELECT unit_code, day, sum(households)::int AS households_checked, sum(home)::int AS people_at_home,
    sum(away)::int AS people_away, sum(returned)::int AS people_returned, sum(exposed)::int AS exposed_found
FROM (
    SELECT fact_unit_code AS unit_code, day, count(DISTINCT household_id) AS households, 0 AS home, 0 AS away,
        0 AS returned, 0 AS exposed
    FROM household_checks WHERE township_code = $1 GROUP BY 1, 2
    UNION ALL
    SELECT unit_code, day, 0, (last = 'home')::int, (last = 'away')::int, (last = 'returned')::int, exposed::int
    FROM (
        SELECT fact_unit_code AS unit_code, day, person_id, bool_or(exposure <> 'none') AS exposed,
            (array_agg(whereabouts ORDER BY occurred_at DESC, check_id DESC))[1] AS last
        FROM check_lines WHERE township_code = $1 GROUP BY 1, 2, 3
    ) AS people
) AS facts GROUP BY unit_code, day
"""


def id_number(birth: str = "19850412", region: str = "511303", *, female: bool = False) -> str:
    """Return a valid ID number that no other test has."""
    first17 = f"{region}{birth}{next(_orders) % 499 * 2 + (0 if female else 1):03d}"
    return first17 + check_digit(first17)


def household(town: Town, unit: int = 0, **more: Any) -> dict[str, Any]:
    """Return the body of a household of one."""
    return {
        "unit_code": town.units[unit],
        "address": "黄溪村三组12号",
        "head": {"name": "李春花"},
        **more,
    }


async def register(client: httpx.AsyncClient, town: Town, unit: int = 0, **more: Any) -> dict[str, Any]:
    """Register a household and return it."""
    answer = await client.post("/v1/households", json=household(town, unit, **more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def line(person_id: str | None = None, whereabouts: str = "home", **more: Any) -> dict[str, Any]:
    """Return a line of a check that found nothing."""
    named = {"person_id": person_id} if person_id else {}
    return {**named, "id_seen": True, "whereabouts": whereabouts, "exposure": "none", **more}


def check_body(household_id: str, at: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the body of a check."""
    return {
        "household_id": household_id,
        "occurred_at": at,
        "register_seen": True,
        "members": list(lines),
        **more,
    }


async def check(
    client: httpx.AsyncClient, household_id: str, at: str, *lines: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Record a check and return it."""
    answer = await client.post("/v1/household-checks", json=check_body(household_id, at, *lines, **more))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def counted(town: Town, unit: int = 0, day: str | None = None) -> dict[str, int]:
    """Return the counters of a unit, of one day or over all, that are not zero."""
    rows = await town.owner.fetch(
        "SELECT * FROM daily_counters WHERE township_code = $1 AND unit_code = $2 AND coalesce(day::text = $3, true)",
        town.code,
        int(town.units[unit]),
        day,
    )
    sums: dict[str, int] = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, int) and not name.endswith("_code"):
                sums[name] = sums.get(name, 0) + value
    return {name: n for name, n in sums.items() if n}


async def assert_counters_true(town: Town) -> None:
    """The day's numbers must equal what the checks say, and the stocks what is registered, unit by unit."""
    stored = await town.owner.fetch("SELECT * FROM daily_counters WHERE township_code = $1", town.code)
    true = await town.owner.fetch(_RECOMPUTED, town.code)
    assert _facts(stored) == _facts(true)
    for metric, table in (("households", "households"), ("people", "people")):
        rows = await town.owner.fetch(
            f"SELECT unit_code, count(*) AS n FROM {table} WHERE township_code = $1 GROUP BY 1", town.code
        )
        sums: dict[int, int] = {}
        for row in stored:
            sums[row["unit_code"]] = sums.get(row["unit_code"], 0) + row[metric]
        assert {unit: n for unit, n in sums.items() if n} == {row["unit_code"]: row["n"] for row in rows}


def _facts(rows: Any) -> dict[tuple[int, Any], dict[str, int]]:
    kept = {(r["unit_code"], r["day"]): {m: r[m] for m in _CHECK_COUNTS if r[m]} for r in rows}
    return {key: amounts for key, amounts in kept.items() if amounts}
