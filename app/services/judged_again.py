"""Rulings that a gate gave without signal, judged again when they arrive: by the rules in force then, and by what the
server knows. Both are kept; what the gate ruled is what happened there, and is what counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard
from uuid import UUID

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.work import Work
from app.domain.checkpoints import Decision, Rules, disagreement
from app.domain.enums import DenyReason
from app.domain.op_time import Moment, TimeQuality
from app.schemas.decisions import DecisionBody, DisagreementView, OfflineDecisionBody
from app.services.checkpoint_places import gate_number
from app.services.checkpoint_rules import read_rules
from app.services.gate_rulings import Gate, reasons_said

_RULES = """
SELECT version, rules, created_at FROM checkpoint_rules WHERE township_code = $1 AND checkpoint_id = $2
ORDER BY version
"""
_KEEP = """
INSERT INTO decision_judgements (township_code, unit_code, checkpoint_id, decision_id, occurred_at, bundle_no, verdict,
    reasons, rules_version, agrees, why)
SELECT $1, $2, $3, n.decision_id, n.occurred_at, n.bundle_no, n.verdict, string_to_array(n.reasons, ','),
    n.rules_version, n.why IS NULL, n.why
FROM unnest($4::uuid[], $5::timestamptz[], $6::int[], $7::text[], $8::text[], $9::int[], $10::text[])
    AS n(decision_id, occurred_at, bundle_no, verdict, reasons, rules_version, why)
"""
_PAGE = """
SELECT d.id, d.occurred_at, d.recorded_at, d.direction, d.verdict, d.reasons, d.rules_version, d.name_masked,
    j.bundle_no, j.verdict AS judged_verdict, j.reasons AS judged_reasons, j.rules_version AS judged_rules, j.why
FROM decision_judgements j JOIN decisions d ON d.township_code = j.township_code AND d.id = j.decision_id
WHERE j.township_code = $1 AND j.checkpoint_id = $2 AND NOT j.agrees
    AND ($3::timestamptz IS NULL OR (j.occurred_at, j.decision_id) < ($3, $4::uuid))
ORDER BY j.occurred_at DESC, j.decision_id DESC LIMIT $5
"""


class RulesOf:
    """Every version of a checkpoint's rules, to find the one that was in force."""

    def __init__(self, rows: Sequence[asyncpg.Record], now: Rules) -> None:
        self._versions = [(row["created_at"], read_rules(row["version"], row["rules"])) for row in rows]
        self.now = now
        """Those in force now, for whoever asks the server."""

    def at(self, moment: datetime) -> Rules:
        """Return the rules in force at a moment; before there were any, the first."""
        passed = [rules for created_at, rules in self._versions if created_at <= moment]
        return passed[-1] if passed else self._versions[0][1] if self._versions else self.now


async def rules_of(work: Work, checkpoint_id: UUID, now: Rules, bodies: Sequence[DecisionBody]) -> RulesOf:
    """Return the rules by their time, where a gate ruled by itself; else those of now are enough."""
    asked = any(map(ruled_alone, bodies))
    return RulesOf(await work.sql.fetch(_RULES, work.township_code, checkpoint_id) if asked else [], now)


def ruled_alone(body: DecisionBody) -> TypeGuard[OfflineDecisionBody]:
    """Tell whether the gate gave a ruling of its own, instead of asking the server."""
    return isinstance(body, OfflineDecisionBody) and body.verdict is not None


@dataclass(frozen=True, slots=True)
class Second:
    """The server's judgement of a ruling that a gate gave by itself."""

    decision_id: UUID
    moment: Moment
    bundle_no: int | None
    given: Decision
    judged: Decision

    @property
    def why(self) -> str | None:
        """Why the two differ; None where they agree."""
        known = self.moment.quality in (None, TimeQuality.EXACT)
        return disagreement(self.given, self.judged, known)


def second_of(decision_id: UUID, moment: Moment, body: DecisionBody, judged: Decision) -> Second | None:
    """Return a ruling that the gate gave by itself beside ours; as whom it took the person it does not say."""
    if not ruled_alone(body):
        return None
    assert body.verdict is not None
    assert body.rules_version is not None
    reasons = tuple(reason for reason in DenyReason if reason in body.reasons)
    given = Decision(body.verdict, reasons, judged.subject_kind, body.rules_version)
    return Second(decision_id, moment, body.bundle_no, given, judged)


async def keep_judgements(work: Work, gate: Gate, seconds: Sequence[Second]) -> None:
    """Store what the server makes of rulings that are stored."""
    if not seconds:
        return
    rows = [
        (s.decision_id, s.moment.occurred_at, s.bundle_no, s.judged.verdict, ",".join(s.judged.reasons),
         s.judged.rules_version, s.why)
        for s in seconds
    ]  # fmt: skip
    columns = map(list, zip(*rows, strict=True))
    await work.sql.execute(_KEEP, work.township_code, gate.unit_code, gate.checkpoint_id, *columns)


async def list_disagreements(
    work: Work, checkpoint_id: UUID, paging: Paging, language: str
) -> Page[DisagreementView]:
    """Return a page of rulings with which the server does not agree, the newest first.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    await gate_number(work, checkpoint_id)
    behind = paging.key(datetime, UUID) or (None, None)
    rows = await work.sql.fetch(_PAGE, work.township_code, checkpoint_id, *behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["occurred_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(row, language) for row in shown], next=more)


def _view(row: asyncpg.Record, language: str) -> DisagreementView:
    values: Mapping[str, Any] = {
        **dict(row),
        "given": _ruling(row["verdict"], row["reasons"], row["rules_version"], language),
        "judged": _ruling(row["judged_verdict"], row["judged_reasons"], row["judged_rules"], language),
    }
    return DisagreementView.model_validate(values)


def _ruling(verdict: str, reasons: Sequence[str], version: int, language: str) -> dict[str, Any]:
    said = reasons_said(map(DenyReason, reasons), language)
    return {"verdict": verdict, "reasons": said, "rules_version": version}
