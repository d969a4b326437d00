"""What checks leave behind: their lines, and the latest finding on each person and household.

The latest check wins by the time at which it took place, whenever it arrived; at the same instant, the higher id. What
somebody said of exposure and symptoms after a check took place (an edit of the person) is only ever made more cautious
by it; and who edits them without having seen the check meets a conflict.
"""

import json
from collections.abc import Sequence

from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.merge import CAUTION
from app.services.check_lines import Check

_LINES = """
INSERT INTO check_lines (township_code, unit_code, fact_unit_code, check_id, person_id, line_no, occurred_at, day,
    id_seen, whereabouts, away_to, returned_from, returned_on, exposure, temperature_c, symptoms, order_id)
SELECT $1, n.unit, n.unit, n.check_id, n.person_id, n.line_no, n.occurred_at, n.day, n.id_seen, n.whereabouts,
    n.away_to, n.returned_from, n.returned_on, n.exposure, n.temperature_c,
    ARRAY(SELECT jsonb_array_elements_text(n.symptoms::jsonb)), n.order_id
FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::int[], $6::timestamptz[], $7::date[], $8::bool[], $9::text[],
    $10::text[], $11::text[], $12::date[], $13::text[], $14::numeric[], $15::text[], $16::uuid[])
    AS n(unit, check_id, person_id, line_no, occurred_at, day, id_seen, whereabouts, away_to, returned_from,
        returned_on, exposure, temperature_c, symptoms, order_id)
"""


def _edited_later(field: str) -> str:
    """Whether an edit said something of a field after the check took place, as SQL."""
    return f"(p.field_revs #>> '{{{field},at}}')::timestamptz > n.occurred_at"


def _noted(field: str) -> str:
    """The check as the last word on a field, as SQL; its own phone is never in contradiction to it."""
    said = "'rev', p.rev + 1, 'base', -1, 'seen', p.rev, 'by', $4::text, 'at', n.occurred_at"
    return (
        f"CASE WHEN {_edited_later(field)} THEN '{{}}'::jsonb "
        f"ELSE jsonb_build_object('{field}', jsonb_build_object({said})) END"
    )


_PEOPLE = f"""
UPDATE people p SET whereabouts = n.whereabouts, away_to = n.away_to, returned_from = n.returned_from,
    returned_on = n.returned_on, checked_at = n.occurred_at, rev = p.rev + 1,
    exposure = CASE WHEN {_edited_later("exposure")}
        AND coalesce(array_position($3, p.exposure::text), 0) > coalesce(array_position($3, n.exposure::text), 0)
        THEN p.exposure ELSE n.exposure END,
    symptoms = CASE WHEN {_edited_later("symptoms")}
        THEN p.symptoms || ARRAY(SELECT unnest(n.symptoms) EXCEPT SELECT unnest(p.symptoms)) ELSE n.symptoms END,
    field_revs = p.field_revs || {_noted("exposure")} || {_noted("symptoms")}
FROM check_lines n
WHERE p.township_code = $1 AND n.township_code = $1 AND n.check_id = ANY($2) AND p.id = n.person_id
    AND (p.checked_at IS NULL OR p.checked_at < n.occurred_at OR (p.checked_at = n.occurred_at AND NOT EXISTS (
        SELECT 1 FROM check_lines o
        WHERE o.township_code = $1 AND o.person_id = p.id AND o.day = n.day AND o.occurred_at = n.occurred_at
            AND o.check_id > n.check_id)))
RETURNING p.id
"""

_HOUSEHOLDS = """
UPDATE households h SET checked_at = n.occurred_at, rev = h.rev + 1
FROM unnest($2::uuid[], $3::timestamptz[]) AS n(id, occurred_at)
WHERE h.township_code = $1 AND h.id = ANY ($2) AND h.id = n.id
    AND (h.checked_at IS NULL OR h.checked_at < n.occurred_at)
RETURNING h.id
"""


async def store_results(work: Work, checks: Sequence[Check]) -> None:
    """Store the lines of checks of distinct, locked households, and bring people and households up to date."""
    rows = [row for check in checks for row in _rows(check)]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await work.sql.execute(_LINES, work.township_code, *columns)
        found = await work.sql.fetch(
            _PEOPLE, work.township_code, [check.id for check in checks], list(CAUTION), work.caller.device_id
        )
        work.touch(RecordKind.PERSON, (row["id"] for row in found))
    homes = await work.sql.fetch(
        _HOUSEHOLDS,
        work.township_code,
        [check.body.household_id for check in checks],
        [check.moment.occurred_at for check in checks],
    )
    work.touch(RecordKind.HOUSEHOLD, (row["id"] for row in homes))
    work.touch(RecordKind.CHECK, (check.id for check in checks))


def _rows(check: Check) -> list[tuple[object, ...]]:
    return [
        (
            check.unit_code,
            check.id,
            line.person_id,
            number,
            check.moment.occurred_at,
            check.day,
            line.body.id_seen,
            line.body.whereabouts,
            line.body.away_to,
            line.body.returned_from,
            line.body.returned_on,
            line.body.exposure,
            line.body.temperature_c,
            json.dumps(line.body.symptoms, ensure_ascii=False),
            check.order_ids.get(line.person_id),
        )
        for number, line in enumerate(check.lines)
    ]
