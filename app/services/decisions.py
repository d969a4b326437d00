"""Decisions at checkpoints: the hot path. Two statements for a batch of any size, and a third where somebody repeats.

A denial is a success: it is stored, counted and answered like any other ruling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.core.ids import uuid7
from app.core.outcome import Outcome
from app.core.problems import IdReused, NotFound, Problem, at
from app.core.rows import Rows
from app.core.work import Work
from app.domain.checkpoints import GateFacts
from app.domain.checkpoints import decide as judge
from app.domain.days import local_day
from app.domain.enums import DenyReason, Verdict
from app.domain.feed import RecordKind
from app.domain.metrics import DENIED_BY, Metric
from app.domain.op_time import Moment
from app.schemas.decisions import DecisionBody
from app.services.batch import Moments, as_typed
from app.services.checkpoint_places import at_own_place, find_gate
from app.services.checkpoint_rules import read_rules
from app.services.claims import first_of_each
from app.services.gate_passes import (
    Judged,
    Showed,
    Shown,
    give_back,
    judge_passes,
    keep_showings,
)
from app.services.gate_rulings import DecisionRow, Gate, Ruling, insert_decisions, stored_decisions
from app.services.gate_subjects import Claim, claim_of, name_shown, sealed_claim
from app.services.judged_again import (
    RulesOf,
    Second,
    keep_judgements,
    ruled_alone,
    rules_of,
    second_of,
)
from app.services.moments import in_the_future

_FACTS = Rows(
    """
SELECT asked.id, c.unit_code AS gate_unit, c.rules_version, c.rules, d.id IS NOT NULL AS stored,
    f.person_id, f.unit_code, f.name, f.quarantine_order_id, f.on_staff
FROM {rows} AS asked(id, id_hash, person_id, name, phone_hash)
JOIN checkpoints c ON c.township_code = $1 AND c.id = $2
LEFT JOIN decisions d ON d.township_code = $1 AND d.id = asked.id
LEFT JOIN LATERAL identify($1, asked.id_hash, asked.person_id, asked.name, asked.phone_hash) f ON true
""",
    3,
    ("uuid", "bytea", "uuid", "text", "bytea"),
)

_BREACHES = """
SELECT raise_breach($1, b.decision_id, b.alert_id, $4) FROM unnest($2::uuid[], $3::uuid[]) AS b(decision_id, alert_id)
"""


# What is known of somebody whose pass failed.
_NOBODY = {"person_id": None, "unit_code": None, "name": None, "quarantine_order_id": None, "on_staff": False}


@dataclass(slots=True)
class _Case:
    """One body on its way to its ruling."""

    id: UUID
    body: DecisionBody
    moment: Moment
    hash: bytes
    repeats: bool
    """Whether its id stood in the batch before, or is stored already."""
    problem: Problem | None = None
    row: DecisionRow | None = None
    ruling: Ruling | None = None
    made: bool = False
    second: Second | None = None
    """What the server makes of a ruling that the gate gave by itself."""
    shown: Judged | None = None
    """What the pass proved that was shown, if one was."""

    @property
    def uses(self) -> str | None:
        """What the crossing uses up of the pass; nobody who is denied uses anything."""
        crossed = self.row is not None and self.row.ruling.verdict == Verdict.PASS
        return self.shown.use if self.shown and crossed else None


async def decide(
    work: Work, checkpoint_id: UUID, bodies: Sequence[DecisionBody], moments: Moments = None
) -> list[Outcome[Ruling]]:
    """Judge everybody who came to a checkpoint, store it and count it, and alert for those who broke quarantine.

    An outcome's problem is NotFound for a checkpoint that is not the caller's, IdReused, or Invalid for a time in the
    future.
    """
    cases = _cases(work, checkpoint_id, bodies, moments or [as_typed(work, body) for body in bodies])
    await _read_passes(work, checkpoint_id, cases)
    gate = await _judge(work, checkpoint_id, cases)
    if gate is None:
        return [Outcome(case.id, problem=NotFound()) for case in cases]
    await _store(work, gate, cases)
    await _look_up(work, [case for case in cases if not case.made and case.problem is None])
    return [
        Outcome(case.id, case.ruling, case.problem is None and not case.made, case.problem) for case in cases
    ]


def _cases(
    work: Work, checkpoint_id: UUID, bodies: Sequence[DecisionBody], moments: Sequence[Moment]
) -> list[_Case]:
    ids = [body.id or uuid7() for body in bodies]
    firsts = first_of_each(ids)
    return [
        _Case(id_, body, moment, _content_hash(work, checkpoint_id, body), i not in firsts)
        for i, (id_, body, moment) in enumerate(zip(ids, bodies, moments, strict=True))
    ]


def _content_hash(work: Work, checkpoint_id: UUID, body: DecisionBody) -> bytes:
    """Return what `claims.content_hash` returns for other nouns, by the schema's own writer, which is faster."""
    content = body.model_dump_json(exclude={"id"})
    return work.vault.fingerprint("decision", f"{checkpoint_id} {content}")


async def _read_passes(work: Work, checkpoint_id: UUID, cases: Sequence[_Case]) -> None:
    """Judge the passes that were shown, at the time that the monotonic clock tells, else at the server's: neither a
    clock that was set back nor a typed time revives a pass."""
    showing = [case for case in cases if case.body.subject.pass_ is not None and not case.repeats]
    number = await find_gate(work, checkpoint_id) if showing else None
    if number is None:
        return
    shown = [
        Shown(
            case.body.subject.pass_ or "",
            case.moment.recorded_at or work.now,
            case.body.direction,
            case.body.subject.holder_last6,
        )
        for case in showing
    ]
    for case, judged in zip(showing, await judge_passes(work, number, shown), strict=True):
        case.shown = judged


async def _judge(work: Work, checkpoint_id: UUID, cases: Sequence[_Case]) -> Gate | None:
    """Give each case that is new its row or its problem; None where the checkpoint is not the caller's."""
    found = await _facts(work, checkpoint_id, cases) if at_own_place(work, checkpoint_id) else {}
    if not found:
        return None
    gate_facts = next(iter(found.values()))
    gate = Gate(checkpoint_id, gate_facts["gate_unit"])
    rules = read_rules(gate_facts["rules_version"], gate_facts["rules"])
    known = await rules_of(work, checkpoint_id, rules, [case.body for case in cases])
    for case in cases:
        case.repeats = case.repeats or found[case.id]["stored"]
        if not case.repeats:
            case.problem = _fault(work, case)
        if not case.repeats and case.problem is None:
            case.row = _row(work, gate, known, case, found[case.id])
    await _use_passes(work, gate, known, [case for case in cases if case.row and case.shown])
    return gate


async def _use_passes(work: Work, gate: Gate, rules: RulesOf, cases: Sequence[_Case]) -> None:
    """Keep what was shown. Whoever crosses uses a pass up; of two at the same moment the later is judged anew."""
    if not cases:
        return
    kept = await keep_showings(work, gate, [_showed(case) for case in cases])
    late = [case for case in cases if case.id not in kept and case.uses]
    for case in late:
        assert case.shown is not None
        case.shown = case.shown.replayed()
        case.row = _row(work, gate, rules, case, _NOBODY)
    await keep_showings(work, gate, [_showed(case) for case in late])


def _showed(case: _Case) -> Showed:
    assert case.shown is not None
    return Showed(case.id, case.shown, case.moment.occurred_at, case.body.subject.holder_last6, case.uses)


async def _facts(work: Work, checkpoint_id: UUID, cases: Sequence[_Case]) -> dict[UUID, asyncpg.Record]:
    """Return, by the case's id, the checkpoint with its rules and whom the register knows by what was claimed."""
    asked = [(case.id, *_claim(work, case)) for case in cases if not case.repeats]
    if not asked:
        return {}
    statement, values = _FACTS.of(asked)
    rows = await work.sql.fetch(statement, work.township_code, checkpoint_id, *values)
    return {row["id"]: row for row in rows}


def _claim(work: Work, case: _Case) -> Claim:
    """Return by what a case is known: its pass, which identifies nobody where it fails, or what was said."""
    if case.shown is not None:
        return Claim(None, case.shown.person_id, None, None)
    return claim_of(work, case.body.subject)


def _fault(work: Work, case: _Case) -> Problem | None:
    """Return what speaks against a body that its schema allows."""
    if in_the_future(work, case.moment.occurred_at):
        return at("/occurred_at", "in-the-future")
    return None


def _row(
    work: Work, gate: Gate, rules: RulesOf, case: _Case, found: asyncpg.Record | Mapping[str, Any]
) -> DecisionRow:
    body = case.body
    known = found["person_id"] is not None
    in_force = rules.at(case.moment.occurred_at) if ruled_alone(body) else rules.now
    judged = judge(
        in_force,
        GateFacts(
            subject_known=known,
            subject_unit=found["unit_code"],
            subject_township=work.township_code if known else None,
            on_staff=bool(found["on_staff"]),
            quarantined=found["quarantine_order_id"] is not None,
            temperature_c=body.temperature_c,
            mask=body.mask,
            purpose=body.purpose,
            gate_unit=gate.unit_code,
            gate_township=work.township_code,
            pass_failures=case.shown.reasons if case.shown else frozenset(),
            pass_purposes=case.shown.purposes if case.shown else None,
        ),
    )
    case.second = second_of(case.id, case.moment, body, judged)
    decision = case.second.given if case.second else judged
    ruling = Ruling(
        id=case.id,
        verdict=decision.verdict,
        reasons=decision.reasons,
        rules_version=decision.rules_version,
        subject_kind=decision.subject_kind,
        name_masked=name_shown(found["name"], body.subject),
        unit_code=found["unit_code"],
        day=local_day(case.moment.occurred_at, work.township.zone),
    )
    return DecisionRow(
        ruling, body, case.moment, case.hash, found["person_id"], sealed_claim(work, case.id, body.subject)
    )


async def _store(work: Work, gate: Gate, cases: Sequence[_Case]) -> None:
    """Store the new rows; what a parallel request stored first is left for the look-up."""
    rows = [case.row for case in cases if case.row]
    stored = await insert_decisions(work, gate, rows) if rows else frozenset()
    breaches = []
    for case in cases:
        if case.row is not None and case.id in stored:
            case.made, case.ruling = True, case.row.ruling
            _count(work, gate, case.ruling)
            judged = case.second.judged.reasons if case.second else ()
            if DenyReason.IN_QUARANTINE in (*case.ruling.reasons, *judged):
                breaches.append(case.id)
    await keep_judgements(work, gate, [case.second for case in cases if case.made and case.second])
    await give_back(work, [case.id for case in cases if case.uses and case.id not in stored])
    work.touch(RecordKind.DECISION, stored)
    await _raise_breaches(work, breaches)


def _count(work: Work, gate: Gate, ruling: Ruling) -> None:
    passed = ruling.verdict == Verdict.PASS
    work.count(gate.unit_code, ruling.day, Metric.PASSES if passed else Metric.DENIALS)
    for reason in ruling.reasons:
        work.count(gate.unit_code, ruling.day, DENIED_BY[reason])


async def _raise_breaches(work: Work, decision_ids: Sequence[UUID]) -> None:
    """Alert the monitor and the township; the alert stands and counts in the person's own unit."""
    if not decision_ids:
        return
    alerts = [uuid7() for _ in decision_ids]
    work.touch(RecordKind.ALERT, alerts)
    rows = await work.sql.fetch(_BREACHES, work.township_code, decision_ids, alerts, work.now)
    for row in rows:
        if row["raise_breach"] is not None:
            work.count(row["raise_breach"], work.today, Metric.ALERTS_OPEN)


async def _look_up(work: Work, cases: Sequence[_Case]) -> None:
    """Answer repeats from what is stored; an id that holds other content, or is hidden, was used before."""
    if not cases:
        return
    stored = await stored_decisions(work, [case.id for case in cases])
    for case in cases:
        hash_, ruling = stored.get(case.id, (b"", None))
        case.ruling = ruling if hash_ == case.hash else None
        case.problem = None if case.ruling else IdReused()
