"""What checks add to the day's numbers: households and people are counted once a day, people by their latest line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.core.work import Work
from app.domain.enums import Exposure, Whereabouts
from app.domain.metrics import Metric
from app.services.check_lines import Check

FOUND = {
    Whereabouts.HOME: Metric.PEOPLE_AT_HOME,
    Whereabouts.AWAY: Metric.PEOPLE_AWAY,
    Whereabouts.RETURNED: Metric.PEOPLE_RETURNED,
}

_CHECKED = """
SELECT DISTINCT c.household_id, c.day, c.fact_unit_code
FROM household_checks c JOIN unnest($2::uuid[], $3::date[], $4::bigint[]) AS n(household_id, day, fact_unit_code)
    USING (household_id, day, fact_unit_code)
WHERE c.township_code = $1
"""

_LATEST = """
SELECT DISTINCT ON (l.person_id, l.day, l.fact_unit_code) l.person_id, l.day, l.fact_unit_code, l.occurred_at,
    l.check_id, l.whereabouts,
    bool_or(l.exposure <> 'none') OVER (PARTITION BY l.person_id, l.day, l.fact_unit_code) AS exposed
FROM check_lines l JOIN unnest($2::uuid[], $3::date[], $4::bigint[]) AS n(person_id, day, fact_unit_code)
    USING (person_id, day, fact_unit_code)
WHERE l.township_code = $1
ORDER BY l.person_id, l.day, l.fact_unit_code, l.occurred_at DESC, l.check_id DESC
"""

Key = tuple[UUID, date, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """A person's latest line of a day in a unit, and whether any line of that day found an exposure."""

    at: datetime
    check_id: UUID
    whereabouts: Whereabouts
    exposed: bool


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier checks have counted already."""

    households: frozenset[Key]
    people: dict[Key, Finding]


async def counted_before(work: Work, checks: Sequence[Check]) -> Before:
    """Return what the days of these checks, at least one, have counted already.

    Their households are locked, and they are not yet stored.
    """
    doors = [(check.body.household_id, check.day, check.unit_code) for check in checks]
    people = [(line.person_id, check.day, check.unit_code) for check in checks for line in check.lines]
    households = await work.sql.fetch(_CHECKED, work.township_code, *_columns(doors))
    lines = await work.sql.fetch(_LATEST, work.township_code, *_columns(people)) if people else []
    return Before(
        frozenset((row["household_id"], row["day"], row["fact_unit_code"]) for row in households),
        {
            (row["person_id"], row["day"], row["fact_unit_code"]): Finding(
                row["occurred_at"], row["check_id"], Whereabouts(row["whereabouts"]), row["exposed"]
            )
            for row in lines
        },
    )


def count(work: Work, check: Check, before: Before) -> None:
    """Count a check that was stored: what is counted already moves, and is not added again."""
    unit, day = check.unit_code, check.day
    if (check.body.household_id, day, unit) not in before.households:
        work.count(unit, day, Metric.HOUSEHOLDS_CHECKED)
    for line in check.lines:
        earlier = before.people.get((line.person_id, day, unit))
        exposed = line.body.exposure is not Exposure.NONE
        if exposed and not (earlier and earlier.exposed):
            work.count(unit, day, Metric.EXPOSED_FOUND)
        if earlier is None:
            work.count(unit, day, FOUND[line.body.whereabouts])
        elif (check.moment.occurred_at, check.id) > (earlier.at, earlier.check_id):
            work.count(unit, day, FOUND[earlier.whereabouts], -1)
            work.count(unit, day, FOUND[line.body.whereabouts])


def _columns(keys: Sequence[Key]) -> list[list[object]]:
    return [list(column) for column in zip(*keys, strict=True)]
