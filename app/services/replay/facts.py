"""Facts: what never changes once it is recorded (checks, fevers, decisions, disinfections), and vendors' rounds."""

from datetime import date

import asyncpg

from app.core.work import Work
from app.domain.enums import DenyReason
from app.domain.metrics import DENIED_BY, Metric
from app.services.counted_records import COUNTED_RECORDS, Counted
from app.services.replay.positions import FEED, Positions, told

_CHECKS = f"""
WITH counted AS (
    SELECT c.id, c.household_id, c.day, c.fact_unit_code FROM household_checks c
    WHERE c.township_code = $1 AND c.day BETWEEN $5 AND $6 AND {told("check", "c.id")}
), people AS (
    SELECT l.fact_unit_code, l.day, l.person_id, bool_or(l.exposure <> 'none') AS exposed,
        (array_agg(l.whereabouts ORDER BY l.occurred_at DESC, l.check_id DESC))[1] AS last
    FROM counted c JOIN check_lines l ON l.township_code = $1 AND l.check_id = c.id
    GROUP BY l.fact_unit_code, l.day, l.person_id
)
SELECT unit_code, day, sum(households)::int AS households_checked, sum(home)::int AS people_at_home,
    sum(away)::int AS people_away, sum(returned)::int AS people_returned, sum(exposed)::int AS exposed_found
FROM (
    SELECT fact_unit_code AS unit_code, day, count(DISTINCT household_id) AS households, 0 AS home, 0 AS away,
        0 AS returned, 0 AS exposed
    FROM counted GROUP BY 1, 2
    UNION ALL
    SELECT fact_unit_code, day, 0, (last = 'home')::int, (last = 'away')::int, (last = 'returned')::int, exposed::int
    FROM people
) AS facts GROUP BY unit_code, day
"""
_FEVERS = f"""
SELECT v.fact_unit_code AS unit_code, v.day, count(*)::int AS fevers FROM visits v
WHERE v.township_code = $1 AND v.day BETWEEN $5 AND $6 AND v.kind = 'temperature' AND 'fever' = ANY (v.alerts)
    AND {told("visit", "v.id")}
GROUP BY 1, 2
"""
_REASONS = ", ".join(
    f"(count(*) FILTER (WHERE '{reason}' = ANY (d.reasons)))::int AS {DENIED_BY[reason]}"
    for reason in DenyReason
)
_DECISIONS = f"""
SELECT d.unit_code, d.day, (count(*) FILTER (WHERE d.verdict = 'pass'))::int AS passes,
    (count(*) FILTER (WHERE d.verdict = 'deny'))::int AS denials, {_REASONS}
FROM decisions d WHERE d.township_code = $1 AND d.day BETWEEN $5 AND $6 AND {told("decision", "d.id")}
GROUP BY 1, 2
"""
# A log may be counted later than it was recorded: in a transaction that told the unit's feed of something.
COUNTED = """
l.counted AND ($2::bigint[] IS NULL OR EXISTS (
    SELECT 1 FROM unnest($2::bigint[], $3::bigint[]) AS p(unit_code, seq)
    JOIN feed f ON f.township_code = $1 AND f.unit_code = p.unit_code AND f.audience = 'unit' AND f.seq <= p.seq
        AND ($4::timestamptz IS NULL OR f.at < $4) AND f.at = coalesce(l.counted_at, l.recorded_at)
        AND f.kind IN ('log', 'site')
    WHERE p.unit_code = l.unit_code))
"""
_DISINFECTED = f"""
SELECT l.unit_code, l.day, count(*)::int AS sites_disinfected FROM disinfection_logs l
WHERE l.township_code = $1 AND l.day BETWEEN $5 AND $6 AND {told("log", "l.id")} AND {COUNTED}
GROUP BY 1, 2
"""
# A round may be called off, and take place after all: of a stop its own unit's feed is asked how it stood. Its day and
# its stops never change.
_STOPS = f"""
SELECT s.unit_code, m.day, count(*)::int AS market_stops FROM market_rounds m
CROSS JOIN LATERAL (
    SELECT (stop ->> 'unit_code')::bigint AS unit_code FROM jsonb_array_elements(m.stops) AS stop) AS s
WHERE m.township_code = $1 AND m.day BETWEEN $5 AND $6
    AND NOT CASE WHEN $2::bigint[] IS NULL THEN m.cancelled ELSE coalesce((
        SELECT (f.data::json ->> 'cancelled')::bool FROM {FEED}
        WHERE f.township_code = $1 AND f.unit_code = s.unit_code AND f.kind = 'market_round' AND f.id = m.id
            AND f.change = 'put'
        ORDER BY f.seq DESC LIMIT 1), true) END
GROUP BY 1, 2
"""


def _sums(counted: Counted) -> str:
    sums = ", ".join(f"sum({amount})::bigint AS {metric}" for metric, amount in counted.amounts.items())
    return f"""
SELECT r.unit_code, r.day, {sums} FROM {counted.table} r
WHERE r.township_code = $1 AND r.day BETWEEN $5 AND $6 AND {told(counted.kind, "r.id")} GROUP BY 1, 2
"""


async def facts(
    work: Work, positions: Positions | None, first: date, last: date
) -> list[tuple[int, date, Metric, int]]:
    """Return units, days, metrics and amounts of the facts of some days."""
    found = []
    for statement in (_CHECKS, _FEVERS, _DECISIONS, _DISINFECTED, _STOPS, *map(_sums, COUNTED_RECORDS)):
        where = positions.arguments() if positions else (None, None, None)
        for row in await work.sql.fetch(statement, work.township_code, *where, first, last):
            found += _amounts(row)
    return found


def _amounts(row: asyncpg.Record) -> list[tuple[int, date, Metric, int]]:
    named = [name for name in row.keys() if name not in ("unit_code", "day")]  # noqa: SIM118
    return [(row["unit_code"], row["day"], Metric(name), row[name]) for name in named]
