"""What the records of gates and of doors say against each other (交叉核对): alerts, by which the units look into it.

Somebody passed outward and was found at home later without having come back; somebody crosses more often in a day than
the township allows (the systems of 2020 flagged exactly this); one pass in the hands of two. The clock looks at what
was recorded since its last look, and at whatever that speaks against, whichever of the two arrived first.
"""

from datetime import datetime, timedelta

import asyncpg

from app.core.work import Work
from app.domain.enums import AlertKind
from app.services.alerts import NewAlert, raise_alerts, resolve_by_program
from app.services.township_settings import settings_of

OVERLAP = timedelta(minutes=15)
"""How far a look reaches behind the last: a transaction may have been open for that long."""
LEEWAY = timedelta(minutes=10)
"""Within it two records do not contradict each other: clocks differ, and digits are keyed in wrongly."""

# Whoever is on duty goes to and fro, and who leaves another village is on the way home.
_COUNTS = """
d.verdict = 'pass' AND d.subject_kind <> 'staff' AND (d.unit_code = d.subject_unit_code OR EXISTS (
    SELECT 1 FROM checkpoints g WHERE g.township_code = $1 AND g.id = d.checkpoint_id AND g.kind = 'town_entrance'))
"""
# People and days of which something was heard; whether their last crossing before a check at home was outward.
_AT_HOME = f"""
WITH heard AS (
    SELECT l.person_id, l.day FROM household_checks c
    JOIN check_lines l ON l.township_code = $1 AND l.check_id = c.id
    WHERE c.township_code = $1 AND c.recorded_at BETWEEN $2 AND $4
    UNION
    SELECT d.subject_person_id, d.day FROM decisions d
    WHERE d.township_code = $1 AND d.recorded_at BETWEEN $2 AND $4 AND d.subject_person_id IS NOT NULL
)
SELECT h.person_id, h.day, p.unit_code, a.id IS NOT NULL AS known,
    a.status = 'open' AND a.opened_at <= $4 AS open, went.*
FROM heard h JOIN people p ON p.township_code = $1 AND p.id = h.person_id
LEFT JOIN alerts a ON a.township_code = $1 AND a.cause = 'out-at-home:' || h.person_id || ':' || h.day
LEFT JOIN LATERAL (
    SELECT last.decision_id, last.checkpoint_id, l.occurred_at AS at FROM check_lines l CROSS JOIN LATERAL (
        SELECT d.id AS decision_id, d.checkpoint_id, d.direction, d.occurred_at FROM decisions d
        WHERE d.township_code = $1 AND d.subject_person_id = h.person_id AND d.day = h.day AND {_COUNTS}
            AND d.occurred_at < l.occurred_at
        ORDER BY d.occurred_at DESC, d.id DESC LIMIT 1) last
    WHERE l.township_code = $1 AND l.person_id = h.person_id AND l.day = h.day AND l.whereabouts = 'home'
        AND l.occurred_at <= $4 AND last.direction = 'out' AND last.occurred_at + $3 < l.occurred_at
    ORDER BY l.occurred_at LIMIT 1) went ON true
"""
_OFTEN = """
WITH crossed AS (
    SELECT DISTINCT d.subject_person_id AS person_id, d.day FROM decisions d
    WHERE d.township_code = $1 AND d.recorded_at BETWEEN $2 AND $4 AND d.verdict = 'pass'
        AND d.subject_kind <> 'staff' AND d.subject_person_id IS NOT NULL
)
SELECT 'crossings:' || p.id || ':' || c.day AS cause, p.unit_code, over.occurred_at AS at, p.id AS person_id,
    over.checkpoint_id, over.id AS decision_id
FROM crossed c JOIN people p ON p.township_code = $1 AND p.id = c.person_id
CROSS JOIN LATERAL (
    SELECT d.id, d.occurred_at, d.checkpoint_id FROM decisions d
    WHERE d.township_code = $1 AND d.subject_person_id = p.id AND d.day = c.day AND d.verdict = 'pass'
        AND d.subject_kind <> 'staff' AND d.occurred_at <= $4
    ORDER BY d.occurred_at, d.id OFFSET $3 LIMIT 1
) over
WHERE NOT EXISTS (
    SELECT 1 FROM alerts a WHERE a.township_code = $1 AND a.cause = 'crossings:' || p.id || ':' || c.day)
"""
_SHARED = """
WITH shown AS (
    SELECT DISTINCT s.number FROM decisions d
    JOIN pass_showings s ON s.township_code = $1 AND s.decision_id = d.id AND s.holder IS NOT NULL
    WHERE d.township_code = $1 AND d.recorded_at BETWEEN $2 AND $4
)
SELECT DISTINCT ON (p.id) 'pass-shared:' || p.id AS cause, q.unit_code, s.at, q.id AS person_id, s.checkpoint_id,
    s.decision_id
FROM shown JOIN pass_showings s ON s.township_code = $1 AND s.number = shown.number
JOIN pass_showings o ON o.township_code = $1 AND o.number = s.number AND o.holder <> s.holder
    AND (o.at, o.decision_id) < (s.at, s.decision_id) AND (o.checkpoint_id <> s.checkpoint_id OR o.at + $3 < s.at)
JOIN passes p ON p.township_code = $1 AND p.number = s.number
JOIN people q ON q.township_code = $1 AND q.id = p.person_id
WHERE NOT EXISTS (SELECT 1 FROM alerts a WHERE a.township_code = $1 AND a.cause = 'pass-shared:' || p.id)
ORDER BY p.id, s.at
"""


async def cross_check(work: Work, last_look: datetime) -> None:
    """Raise alerts for what was recorded since the last look and does not fit together; settle what fits again."""
    since = min(last_look, work.now) - OVERLAP
    town, most = work.township_code, settings_of(work).max_crossings_per_day
    at_home = await work.sql.fetch(_AT_HOME, town, since, LEEWAY, work.now)
    fits_again = [_out_at_home(row) for row in at_home if row["open"] and row["decision_id"] is None]
    await resolve_by_program(work, fits_again)
    found = [_contradicted(row) for row in at_home if not row["known"] and row["decision_id"] is not None]
    for kind, statement, limit in (
        (AlertKind.MANY_CROSSINGS, _OFTEN, most),
        (AlertKind.PASS_SHARED, _SHARED, LEEWAY),
    ):
        rows = await work.sql.fetch(statement, town, since, limit, work.now)
        found += [NewAlert(kind, **dict(row)) for row in rows]
    await raise_alerts(work, found)


def _out_at_home(row: asyncpg.Record) -> str:
    return f"out-at-home:{row['person_id']}:{row['day']}"


def _contradicted(row: asyncpg.Record) -> NewAlert:
    return NewAlert(
        AlertKind.OUT_AT_HOME,
        _out_at_home(row),
        row["unit_code"],
        row["at"],
        person_id=row["person_id"],
        checkpoint_id=row["checkpoint_id"],
        decision_id=row["decision_id"],
    )
