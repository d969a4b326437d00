"""Units' daily reports (日报): prefilled from the counters, declared by the cadre, on time or late."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import asyncpg

from app.core.outcome import Outcome
from app.core.problems import NotFound, Problem, at
from app.core.work import Work
from app.domain.daily_reports import Timing, due_at, timing
from app.domain.feed import RecordKind
from app.domain.metrics import REPORTED
from app.schemas.daily_reports import DailyReportsView, DailyReportView, SubmitBody, SubmitOp
from app.services import batch
from app.services.reports import daily
from app.services.township_settings import settings_of
from app.services.units import known_units

_INSERT = """
INSERT INTO report_submissions (township_code, unit_code, id, content_hash, author_id, recorded_at, day, timing,
    declared, note)
SELECT $1, n.unit_code, n.id, n.content_hash, $2, $3, n.day, n.timing, n.declared::jsonb, n.note
FROM unnest($4::bigint[], $5::uuid[], $6::bytea[], $7::date[], $8::text[], $9::text[], $10::text[])
    AS n(unit_code, id, content_hash, day, timing, declared, note)
ON CONFLICT DO NOTHING RETURNING id
"""
# The first says whether it was on time, the latest what is declared.
_OF_DAY = """
SELECT unit_code, (array_agg(timing ORDER BY recorded_at, id))[1] AS timing, min(recorded_at) AS submitted_at,
    CASE WHEN count(*) > 1 THEN max(recorded_at) END AS corrected_at,
    (array_agg(declared ORDER BY recorded_at DESC, id DESC))[1] AS declared,
    (array_agg(note ORDER BY recorded_at DESC, id DESC))[1] AS note,
    (array_agg(author_id ORDER BY recorded_at DESC, id DESC))[1] AS author_id
FROM report_submissions WHERE township_code = $1 AND day = $2 AND ($3::bigint IS NULL OR unit_code = $3)
GROUP BY unit_code
"""


@dataclass(frozen=True, slots=True)
class _Received:
    """A report on its way into the table."""

    item: batch.Item[SubmitOp]
    timing: Timing


async def submit_report(work: Work, unit_code: str, day: date, body: SubmitBody) -> Outcome[DailyReportView]:
    """Take a unit's report of a day, received now; a further one corrects it.

    The outcome's problem is NotFound for a unit that is not the caller's, Invalid for a day to come, or IdReused.
    """
    whole = SubmitOp.model_validate({**body.model_dump(), "unit_code": unit_code, "day": day})
    (item,) = await store_reports(work, [whole])
    view = None if item.problem else await show_report(work, unit_code, day)
    return Outcome(item.id, view, item.replayed, item.problem)


async def store_reports(
    work: Work, bodies: Sequence[SubmitOp], moments: batch.Moments = None
) -> list[batch.Item[SubmitOp]]:
    """Take reports and show nothing. On time is what the server received in time, whenever it was written."""
    items = await batch.begin(work, "report_submissions", "daily_report.submit", bodies, moments)
    known = await known_units(work, {int(item.body.unit_code) for item in items if item.fresh})
    for item in items:
        if item.fresh:
            item.problem = _refusal(work, item.body, known)
    fresh = [_Received(item, _timing(work, item.body.day)) for item in items if item.fresh]
    stored = await _insert(work, fresh)
    losers = [received.item for received in fresh if received.item.id not in stored]
    await batch.follow_winners(work, "report_submissions", losers)
    work.touch(RecordKind.REPORT, stored)
    return batch.settle_repeats(items)


def _refusal(work: Work, body: SubmitOp, known: frozenset[int]) -> Problem | None:
    if int(body.unit_code) not in known:
        return NotFound()
    return at("/day", "in-the-future") if body.day > work.today else None


def _due(work: Work, day: date) -> datetime:
    return due_at(day, time.fromisoformat(settings_of(work).report_due), work.township.zone)


def _timing(work: Work, day: date) -> Timing:
    return timing(work.now, _due(work, day))


async def _insert(work: Work, received: Sequence[_Received]) -> frozenset[UUID]:
    if not received:
        return frozenset()
    rows = [
        (int(r.item.body.unit_code), r.item.id, r.item.content_hash, r.item.body.day, r.timing,
         json.dumps(r.item.body.declared), r.item.body.note)
        for r in received
    ]  # fmt: skip
    columns = map(list, zip(*rows, strict=True))
    made = await work.sql.fetch(_INSERT, work.township_code, work.account_id, work.now, *columns)
    return frozenset(row["id"] for row in made)


async def show_report(work: Work, unit_code: str, day: date) -> DailyReportView:
    """Return a unit's report of a day, filled in from its records.

    Raises:
        NotFound: no such unit, or not for this caller.
    """
    report = await daily(work, day, unit_code)
    row = await work.sql.fetchrow(_OF_DAY, work.township_code, day, int(unit_code))
    (unit,) = report.units
    counted = {metric.value: unit[metric] for metric in REPORTED}
    author = row["author_id"] if row else None
    known = {**_head(unit, row), "day": day, "due_at": _due(work, day), "counted": counted}
    return DailyReportView.model_validate({**known, "author_id": author})


async def list_reports(work: Work, day: date | None) -> DailyReportsView:
    """Return how the reports of all units that the caller sees stand."""
    day = day or work.today
    report = await daily(work, day, None)
    rows = {row["unit_code"]: row for row in await work.sql.fetch(_OF_DAY, work.township_code, day, None)}
    heads = [_head(unit, rows.get(unit["unit_code"])) for unit in report.units]
    return DailyReportsView.model_validate(
        {
            "day": day,
            "due_at": _due(work, day),
            **counted_timings(head["status"] for head in heads),
            "items": heads,
        }
    )


def counted_timings(timings: Iterable[str]) -> dict[str, int]:
    """Return how many reports are on time, late and missing."""
    counts = Counter(timings)
    return {one.value: counts[one] for one in Timing}


def _head(unit: Mapping[str, Any], row: asyncpg.Record | None) -> dict[str, Any]:
    head = {"unit_code": unit["unit_code"], "name": unit["name"]}
    if row is None:
        return {**head, "status": Timing.MISSING, "declared": {}, "difference": {}}
    difference = {metric: n - unit[metric] for metric, n in row["declared"].items()}
    told = {name: row[name] for name in ("submitted_at", "corrected_at", "declared", "note")}
    return {**head, "status": row["timing"], **told, "difference": difference}
