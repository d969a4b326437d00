"""The decisions of a checkpoint, newest first."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.work import Work
from app.domain.days import day_bounds
from app.domain.enums import Verdict
from app.schemas.decisions import DecisionItem
from app.services.checkpoint_places import gate_number
from app.services.gate_rulings import read_ruling

_SEEN = (
    "checkpoint_id",
    "occurred_at",
    "claimed_at",
    "time_quality",
    "recorded_at",
    "direction",
    "temperature_c",
    "mask",
    "purpose",
    "plate",
    "note",
)

_LIST = f"""
SELECT id, verdict, reasons, rules_version, subject_kind, name_masked, subject_unit_code, day, {", ".join(_SEEN)},
    j.agrees, j.why
FROM decisions LEFT JOIN LATERAL (
    SELECT n.agrees, n.why FROM decision_judgements n
    WHERE n.township_code = $1 AND n.decision_id = decisions.id) j ON true
WHERE township_code = $1 AND checkpoint_id = $2 AND verdict = coalesce($3, verdict)
    AND occurred_at >= coalesce($4, '-infinity'::timestamptz) AND occurred_at < coalesce($5, 'infinity'::timestamptz)
    AND (occurred_at, id) < (coalesce($6, 'infinity'::timestamptz), coalesce($7, id))
ORDER BY occurred_at DESC, id DESC LIMIT $8
"""


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions of a checkpoint are asked for; None is no limit."""

    day: date | None = None
    verdict: Verdict | None = None


async def list_decisions(
    work: Work, checkpoint_id: UUID, wanted: DecisionFilter, paging: Paging, language: str
) -> Page[DecisionItem]:
    """Return a page of a checkpoint's decisions, newest first.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    await gate_number(work, checkpoint_id)
    behind = paging.key(datetime, UUID) or (None, None)
    bounds = day_bounds(wanted.day, work.township.zone) if wanted.day else (None, None)
    rows = await work.sql.fetch(
        _LIST, work.township_code, checkpoint_id, wanted.verdict, *bounds, *behind, paging.limit + 1
    )
    shown = rows[: paging.limit]
    more = mark(shown[-1]["occurred_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_item(row, language) for row in shown], next=more)


def _item(row: asyncpg.Record, language: str) -> DecisionItem:
    ruling = read_ruling(row)
    return DecisionItem.model_validate(
        {**ruling.answer(language), **{name: row[name] for name in (*_SEEN, "agrees", "why")}}
    )
