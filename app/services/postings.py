"""Who may be posted on a shift: fit, active, of the unit, free, and rested."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from operator import attrgetter
from uuid import UUID

from app.core.language import Text
from app.core.problems import Conflict, NotFound, Problem
from app.core.work import Work
from app.domain.duty import LONGEST_SHIFT, Span, clash
from app.domain.enums import Health
from app.services.township_settings import settings_of


class StaffUnfit(Conflict):
    """Somebody who is not fit for duty, or has left."""

    code = "staff-unfit"
    title = Text("人员不能值守", "Not fit for duty")
    detail_text = Text(
        "该人员健康异常、已停用或已调离,不能安排值守。",
        "This person is unfit, inactive, or serves elsewhere by now.",
    )


class ShiftOverlap(Conflict):
    """Somebody is on duty at that time already."""

    code = "shift-overlap"
    title = Text("值守时间重叠", "On duty already")
    detail_text = Text("该人员在此时间已有其他值守。", "This person has another shift at that time.")


class RestTooShort(Conflict):
    """Somebody would have less rest than the township's setting."""

    code = "rest-too-short"
    title = Text("休息时间不足", "Too little rest")
    detail_text = Text(
        "与其他值守之间的休息时间少于规定。", "The rest between this shift and another is below the setting."
    )


# Locked in the order of ids, so that two plans for one person cannot pass each other.
_STAFF = """
SELECT id, codes, active AND health = $3 AS fit FROM staff WHERE township_code = $1 AND id = ANY($2)
ORDER BY id FOR NO KEY UPDATE
"""
_OF_UNITS = """
SELECT DISTINCT s.id FROM staff s WHERE s.township_code = $1 AND s.codes && $2::bigint[] AND s.active
    AND (NOT s.codes @> ARRAY[$1::bigint * 1000]
        OR EXISTS (SELECT 1 FROM accounts a WHERE a.id = s.id AND a.role = 'township'))
"""
# Only what may lie too near to the wanted shifts, whatever people served in the years before: a shift that begins the
# longest shift and a rest before them is over in time.
_SPANS = """
SELECT staff_id, shift_id, starts_at, ends_at FROM shift_posts
WHERE township_code = $1 AND staff_id = ANY($2) AND NOT off
    AND starts_at > $3::timestamptz - $5::interval - $6::interval AND starts_at < $4::timestamptz + $5::interval
ORDER BY starts_at
"""


@dataclass(slots=True)
class Bench:
    """The people who may be posted, locked until the end of the transaction, with their shifts by the start."""

    rest: timedelta
    township_row: int
    units: dict[UUID, list[int]]
    fit: frozenset[UUID]
    spans: defaultdict[UUID, list[Span]] = field(default_factory=lambda: defaultdict(list))

    def of_unit(self, unit_code: int) -> list[UUID]:
        """Return who is fit and serves in a unit, in the order of their ids."""
        return sorted(id_ for id_, codes in self.units.items() if unit_code in codes and id_ in self.fit)

    def refusal(self, staff_id: UUID, unit_code: int, wanted: Span) -> Problem | None:
        """Return why somebody cannot be posted."""
        codes = self.units.get(staff_id, [])
        if unit_code not in codes and self.township_row not in codes:
            return NotFound()
        if staff_id not in self.fit:
            return StaffUnfit()
        near = clash(wanted, self.spans[staff_id], self.rest)
        if near is None:
            return None
        together = near.starts_at < wanted.ends_at and wanted.starts_at < near.ends_at
        return ShiftOverlap() if together else RestTooShort()

    def post(self, staff_ids: Iterable[UUID], span: Span) -> None:
        """Note that people have a shift from now on."""
        for id_ in staff_ids:
            insort(self.spans[id_], span, key=attrgetter("starts_at"))


async def bench_of(work: Work, staff_ids: Iterable[UUID], wanted: Iterable[Span]) -> Bench:
    """Lock people and return what decides whether they may be posted on the wanted shifts, and on no others.

    Of whom the caller does not see, nothing.
    """
    ids = sorted(set(staff_ids))
    rows = await work.sql.fetch(_STAFF, work.township_code, ids, Health.FIT) if ids else []
    bench = Bench(
        timedelta(hours=settings_of(work).min_rest_hours),
        work.township_code * 1000,
        {row["id"]: row["codes"] for row in rows},
        frozenset(row["id"] for row in rows if row["fit"]),
    )
    times = [(span.starts_at, span.ends_at) for span in wanted]
    if not ids or not times:
        return bench
    window = min(starts for starts, _ in times), max(ends for _, ends in times)
    for row in await work.sql.fetch(_SPANS, work.township_code, ids, *window, bench.rest, LONGEST_SHIFT):
        bench.spans[row["staff_id"]].append(Span(row["shift_id"], row["starts_at"], row["ends_at"]))
    return bench


async def staff_of_units(work: Work, units: Iterable[int]) -> list[UUID]:
    """Return the active staff of units, as far as the caller sees them; of the township's own row its office's.

    The health centre's people are the whole township's too, and have nights of their own.
    """
    rows = await work.sql.fetch(_OF_UNITS, work.township_code, list(units))
    return [row["id"] for row in rows]
