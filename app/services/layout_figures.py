"""Figures of a township that no counter keeps: its units, staff, groups and squads."""

from datetime import date
from typing import Any

from app.core.scope import UNIT_DIGITS, code_range
from app.core.work import Work
from app.domain.daily_reports import Timing
from app.domain.duty import Group, SquadKind
from app.services.daily_reports import list_reports
from app.services.reports import DailyReport

_STAFF = """
SELECT count(*)::int FROM staff s WHERE township_code = $1 AND active
    AND ($2 OR EXISTS (SELECT 1 FROM unnest(s.codes) AS code WHERE code >= $3 AND code < $4))
"""
_STAFF_OF_UNITS = """
SELECT code AS unit_code, count(*)::int AS staff FROM staff s CROSS JOIN unnest(s.codes) AS code
WHERE s.township_code = $1 AND s.active GROUP BY 1
"""
# A shift that was cancelled has nobody posted; who was posted on one of both groups counts in the first.
_GROUPS = """
SELECT t.turn, count(DISTINCT p.staff_id)::int AS people FROM shifts t
JOIN shift_posts p ON p.township_code = t.township_code AND p.shift_id = t.id AND NOT p.off
WHERE t.township_code = $1 AND t.day <= $2 AND ($3 OR (t.unit_code >= $4 AND t.unit_code < $5)) GROUP BY 1
"""
_SQUADS = """
SELECT kind, cardinality(staff_ids) AS members FROM squads WHERE township_code = $1 AND active
ORDER BY members, id
"""


async def unit_figures(work: Work) -> dict[int, int]:
    """Return how many active staff each unit has, of those whom the caller sees."""
    rows = await work.sql.fetch(_STAFF_OF_UNITS, work.township_code)
    return {row["unit_code"]: row["staff"] for row in rows}


async def township_figures(work: Work, day: date, report: DailyReport, code: str | None) -> dict[str, Any]:
    """Return a township's figures as of a day, or those of a code in it; patrol squads by their sizes, "8+25"."""
    # In its own range the township has units only; its office has none of them.
    span = code is None or len(code) < UNIT_DIGITS, *code_range(code or str(work.township_code))
    found = await work.sql.fetch(_GROUPS, work.township_code, day, *span)
    groups = {row["turn"]: row["people"] for row in found}
    squads = await work.sql.fetch(_SQUADS, work.township_code)
    shown = {unit["unit_code"] for unit in report.units}
    timings = [head.status for head in (await list_reports(work, day)).items if int(head.unit_code) in shown]
    return {
        "units": len(report.units),
        "staff": await work.sql.fetchval(_STAFF, work.township_code, *span),
        "group_a": groups.get(Group.A, 0),
        "group_b": groups.get(Group.B, 0),
        "strike_squads": sum(squad["kind"] == SquadKind.STRIKE for squad in squads),
        "patrol_squads": "+".join(str(s["members"]) for s in squads if s["kind"] == SquadKind.PATROL),
        "reports_on_time": timings.count(Timing.ON_TIME),
    }
