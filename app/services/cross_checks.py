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

# The crossing before a moment of a day, of somebody.
_CROSSED = """
SELECT d.id, d.direction, d.occurred_at, d.checkpoint_id FROM decisions d
WHERE d.township_code = $1 AND d.subject_person_id = {person} AND d.day = {day} AND d.verdict = 'pass'
    AND d.occurred_at < {before}
ORDER BY d.occurred_at DESC, d.id DESC LIMIT 1
"""
_OUT_AT_HOME = f"""
WITH seen AS (
    SELECT l.person_id, l.unit_code, l.day, l.occurred_at FROM household_checks c
    JOIN check_lines l ON l.township_code = $1 AND l.check_id = c.id
    WHERE c.township_code = $1 AND c.recorded_at BETWEEN $2 AND $4 AND l.whereabouts = 'home'
    UNION
    SELECT l.person_id, l.unit_code, l.day, l.occurred_at FROM decisions d
    JOIN check_lines l ON l.township_code = $1 AND l.person_id = d.subject_person_id AND l.day = d.day
    WHERE d.township_code = $1 AND d.recorded_at BETWEEN $2 AND $4 AND d.verdict = 'pass' AND l.whereabouts = 'home'
)
SELECT DISTINCT ON (went.id) 'out-at-home:' || went.id AS cause, seen.unit_code, seen.occurred_at AS at, seen.person_id,
    went.checkpoint_id, went.id AS decision_id
FROM seen CROSS JOIN LATERAL (
    {_CROSSED.format(person="seen.person_id", day="seen.day", before="seen.occurred_at")}) went
WHERE went.direction = 'out' AND went.occurred_at + $3 < seen.occurred_at AND seen.occurred_at <= $4
    AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.township_code = $1 AND a.cause = 'out-at-home:' || went.id)
ORDER BY went.id, seen.occurred_at
"""
# A way back that was told later, before anybody was seen at home, settles it.
_CAME_BACK = f"""
SELECT 'out-at-home:' || went.id AS cause FROM decisions back
CROSS JOIN LATERAL (
    {_CROSSED.format(person="back.subject_person_id", day="back.day", before="back.occurred_at")}) went
WHERE back.township_code = $1 AND back.recorded_at BETWEEN $2 AND $4 AND back.verdict = 'pass' AND back.direction = 'in'
    AND went.direction = 'out' AND NOT EXISTS (
        SELECT 1 FROM check_lines l WHERE l.township_code = $1 AND l.person_id = back.subject_person_id
            AND l.day = back.day AND l.whereabouts = 'home'
            AND l.occurred_at > went.occurred_at + $3 AND l.occurred_at < back.occurred_at)
    AND EXISTS (SELECT 1 FROM alerts a
        WHERE a.township_code = $1 AND a.cause = 'out-at-home:' || went.id AND a.status = 'open')
"""
# Staff on duty go to and fro.
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
    back = await work.sql.fetch(_CAME_BACK, town, since, LEEWAY, work.now)
    await resolve_by_program(work, (row["cause"] for row in back))
    found = [
        (AlertKind.OUT_AT_HOME, await work.sql.fetch(_OUT_AT_HOME, town, since, LEEWAY, work.now)),
        (AlertKind.MANY_CROSSINGS, await work.sql.fetch(_OFTEN, town, since, most, work.now)),
        (AlertKind.PASS_SHARED, await work.sql.fetch(_SHARED, town, since, LEEWAY, work.now)),
    ]
    await raise_alerts(work, [_alert(kind, row) for kind, rows in found for row in rows])


def _alert(kind: AlertKind, row: asyncpg.Record) -> NewAlert:
    return NewAlert(kind, **dict(row))
