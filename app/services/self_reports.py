"""Self-reports (主动报告): a unit's work list, each held against the household check of the person it names.

What it is held against is looked up under the reader's own fence when it is read: a unit's cadre learns nothing of who
is registered in another one, and the public's request has nothing to do with it.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.core.language import Text
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, Invalid, NotFound, at
from app.core.scope import code_range
from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.identity import mask_id_number
from app.domain.metrics import Metric
from app.domain.self_reports import CHECKED_WITHIN, FROM_HUBEI, Mismatch, SelfReportStatus
from app.models.outcomes import SelfReport
from app.schemas.public import MismatchView, SelfReportBody, SelfReportView
from app.services import batch
from app.services.batch import Item
from app.services.person_registration import read_identity
from app.services.records import Noun, change, insert, lock
from app.services.sealing import id_fingerprint, phone_fingerprint, unseal

SELF_REPORTS = Noun(
    SelfReport, "self_report.send", SelfReportView, RecordKind.SELF_REPORT, sealed=("id_number", "phone")
)

# Whoever gave an ID number is who has it; a phone and a name tell only where no two numbers speak against it. Only a
# check since the arrival says anything of it, and the latest says it.
_SEEN = """
SELECT r.*, p.id AS person_id, p.household_id, c.check_id, array_remove(ARRAY[
        CASE WHEN p.id IS NULL THEN 'person_unknown' END,
        CASE WHEN c.check_id IS NULL AND r.recorded_at <= $4 THEN 'not_checked' END,
        CASE WHEN c.whereabouts <> 'returned' THEN 'not_returned' END,
        CASE WHEN c.exposure = 'none' AND r.origin ~ $5 THEN 'exposure_not_noted' END], NULL) AS faults
FROM self_reports r
LEFT JOIN LATERAL (
    SELECT p.id, p.household_id FROM people p
    WHERE p.township_code = $1 AND (p.id_fingerprint = r.id_fingerprint OR (
        p.phone_fingerprint = r.phone_fingerprint AND p.name = r.name
        AND (p.id_fingerprint IS NULL OR r.id_fingerprint IS NULL)))
    ORDER BY p.id_fingerprint = r.id_fingerprint DESC NULLS LAST, p.id LIMIT 1) p ON true
LEFT JOIN LATERAL (
    SELECT l.check_id, l.whereabouts, l.exposure FROM check_lines l
    WHERE l.township_code = $1 AND l.person_id = p.id AND l.day >= r.arrived_on
    ORDER BY l.occurred_at DESC, l.check_id DESC LIMIT 1) c ON true
WHERE r.township_code = $1 AND r.unit_code >= $2 AND r.unit_code < $3 AND ($6::date IS NULL OR r.day = $6)
"""
_STATUS = """
CASE WHEN s.closed_at IS NOT NULL THEN 'closed'
    WHEN s.check_id IS NOT NULL AND s.faults = '{}' THEN 'settled' ELSE 'open' END
"""
_PAGE = f"""
SELECT s.*, {_STATUS} AS status FROM ({_SEEN}) s
WHERE ($7::text IS NULL OR {_STATUS} = $7) AND ($8::uuid IS NULL OR s.id = $8)
    AND ($9::timestamptz IS NULL OR (s.recorded_at, s.id) < ($9, $10::uuid))
ORDER BY s.recorded_at DESC, s.id DESC LIMIT $11
"""

_TEXTS = {
    Mismatch.PERSON_UNKNOWN: Text("未登记此人", "Nobody registered fits"),
    Mismatch.NOT_CHECKED: Text("超过24小时未上门排查", "No household check within 24 hours"),
    Mismatch.NOT_RETURNED: Text("排查未记为返乡", "The check did not find them returned"),
    Mismatch.EXPOSURE_NOT_NOTED: Text("排查未记湖北接触史", "The check noted no exposure to Hubei"),
}


class SelfReportClosed(Conflict):
    """Somebody was quicker, and noted something else."""

    code = "self-report-closed"
    title = Text("该报告已关闭", "The report is closed")
    detail_text = Text("该主动报告已由他人关闭。", "This self-report was closed before, with another note.")


async def store_self_report(work: Work, unit_code: int, body: SelfReportBody) -> Item[SelfReportBody]:
    """Store what somebody says of themselves. The item's problem is IdReused.

    Raises:
        Invalid: an ID number that is none, or an arrival to come.
    """
    number, faults = read_identity(body.id_number, None, None, "", work.today)
    if faults:
        raise Invalid(faults)
    if body.arrived_on > work.today:
        raise at("/arrived_on", "in-the-future")
    # A poster that was renewed meanwhile makes a repeat no other report.
    whole = body.model_copy(update={"id_number": number and number.value, "poster": str(unit_code)})
    (item,) = await batch.begin(work, SELF_REPORTS.name, SELF_REPORTS.op, [whole])
    found = {
        "unit_code": unit_code,
        "day": work.today,
        "origin": body.from_,
        "id_fingerprint": id_fingerprint(work, whole.id_number),
        "phone_fingerprint": phone_fingerprint(work, whole.phone),
    }
    for _ in await insert(work, SELF_REPORTS, [item], {item.id: found}):
        work.count(unit_code, work.today, Metric.SELF_REPORTS)
    return item


async def list_self_reports(
    work: Work, paging: Paging, status: SelfReportStatus | None, code: str | None, day: date | None
) -> Page[SelfReportView]:
    """Return a page of self-reports, newest first; by `day`, those that came in on it.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    behind = paging.key(datetime, UUID) or (None, None)
    rows = await _read(work, code, day, status, None, *behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["recorded_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(work, row) for row in shown], next=more)


async def show_self_report(work: Work, report_id: UUID) -> SelfReportView:
    """Return one self-report.

    Raises:
        NotFound: no such report, or not for this caller.
    """
    rows = await _read(work, None, None, None, report_id, None, None, 1)
    if not rows:
        raise NotFound
    return _view(work, rows[0])


async def close_self_report(work: Work, report_id: UUID, note: str) -> SelfReportView:
    """Close a report with a note. The same again answers what is stored.

    Raises:
        NotFound: no such report, or not for this caller.
        SelfReportClosed: it is closed, with another note.
    """
    row = await lock(work, SELF_REPORTS, report_id)
    if row["closed_at"] is None:
        closed = {"closed_at": work.now, "closed_by": work.account_id, "closing_note": note}
        await change(work, SELF_REPORTS, report_id, closed)
    elif row["closing_note"] != note:
        raise SelfReportClosed
    return await show_self_report(work, report_id)


async def _read(work: Work, code: str | None, day: date | None, *rest: Any) -> list[asyncpg.Record]:
    first, behind = code_range(code or str(work.township_code))
    overdue = work.now - CHECKED_WITHIN
    return await work.sql.fetch(_PAGE, work.township_code, first, behind, overdue, FROM_HUBEI, day, *rest)


def _view(work: Work, row: asyncpg.Record) -> SelfReportView:
    number = unseal(work, "self_reports.id_number", row["id"], row["id_number_sealed"])
    mismatches = [
        MismatchView(code=one, text=_TEXTS[one].say(work.language)) for one in map(Mismatch, row["faults"])
    ]
    more = {
        "id_number": number and mask_id_number(number),
        "phone": unseal(work, "self_reports.phone", row["id"], row["phone_sealed"]),
        "due_at": row["recorded_at"] + CHECKED_WITHIN,
        "mismatches": mismatches,
    }
    return SelfReportView.model_validate(dict(row) | more)
