"""Passes that are shown at a gate: judged by the same function as offline, against the tables instead of a bundle."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from app.core.u64 import to_signed
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import DenyReason, Direction, Purpose, Verdict
from app.domain.passes import (
    Fault,
    Finding,
    Gatebook,
    Judgement,
    PassKey,
    Showing,
    Step,
    unpack,
    use_of,
    verify,
)
from app.schemas.passes import StepView, VerifyBody, VerifyView
from app.services.checkpoint_places import gate_number
from app.services.gate_keys import known_keys
from app.services.gate_rulings import Gate
from app.services.pass_codes import read_code

_STANDING = "SELECT number, payload, person_id, purposes, revoked_at, used FROM pass_standing($1, $2)"

_KEEP = """
INSERT INTO pass_showings (township_code, unit_code, checkpoint_id, decision_id, number, at, faults, holder,
    used)
SELECT $1, $2, $3, n.decision_id, n.number, n.at, string_to_array(n.faults, ','), n.holder, n.used
FROM unnest($4::uuid[], $5::bigint[], $6::timestamptz[], $7::text[], $8::bytea[], $9::text[])
    AS n(decision_id, number, at, faults, holder, used)
ORDER BY n.number, n.used, n.at, n.decision_id
ON CONFLICT DO NOTHING RETURNING decision_id
"""

_GIVE_BACK = """
UPDATE pass_showings SET used = NULL WHERE township_code = $1 AND decision_id = ANY($2)
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A pass as it was shown for one decision."""

    code: str
    at: datetime
    direction: Direction
    last_six: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a shown pass proved: whose it is, for which purposes, and what a crossing would use up of it."""

    judgement: Judgement
    person_id: UUID | None = None
    purposes: frozenset[Purpose] | None = None
    use: str | None = None

    @property
    def reasons(self) -> frozenset[DenyReason]:
        """Why it does not count; empty where it does."""
        return self.judgement.reasons

    @property
    def number(self) -> int | None:
        """The number of a pass whose signature is good, as it is stored."""
        said = self.judgement.pass_
        return None if said is None else to_signed(said.number)

    def replayed(self) -> "Judged":
        """Return what it proves when a parallel crossing was quicker."""
        used = tuple(
            Finding(Step.REPLAY, Fault.USED) if f.step is Step.REPLAY else f for f in self.judgement.findings
        )
        return Judged(replace(self.judgement, findings=used))


async def judge_passes(work: Work, gate: int, shown: Sequence[Shown]) -> list[Judged]:
    """Judge passes at the gate of a number."""
    codes = [read_code(one.code) for one in shown]
    said = [unpack(code[0]) for code in codes if code]
    numbers = {to_signed(one.number) for one in said}
    keys = await known_keys(work, {one.key_id for one in said}) if said else {}
    rows = await work.sql.fetch(_STANDING, work.township_code, list(numbers)) if numbers else []
    standing = {row["number"]: row for row in rows}
    return [_judge(work, gate, one, code, keys, standing) for one, code in zip(shown, codes, strict=True)]


def _judge(
    work: Work,
    gate: int,
    shown: Shown,
    code: tuple[bytes, bytes] | None,
    keys: Mapping[int, PassKey],
    standing: Mapping[int, asyncpg.Record],
) -> Judged:
    day = local_day(shown.at, work.township.zone)
    number = unpack(code[0]).number if code else 0
    row = standing.get(to_signed(number))
    judgement = verify(
        Showing(code, shown.at, day, gate, shown.direction, shown.last_six), _book(keys, number, row)
    )
    said = judgement.pass_
    if said is None:
        return Judged(judgement)
    if row is None or row["payload"] != said.pack():
        # Signed with our key, and never issued by us.
        revoked = Finding(Step.REVOKED, Fault.REVOKED)
        return Judged(replace(judgement, findings=(*judgement.findings[:3], revoked)))
    if judgement.reasons:
        return Judged(judgement)
    purposes = frozenset(map(Purpose, row["purposes"])) or None
    return Judged(judgement, row["person_id"], purposes, use_of(said.class_, day, shown.direction))


def _book(keys: Mapping[int, PassKey], number: int, row: asyncpg.Record | None) -> Gatebook:
    if row is None:
        return Gatebook(keys, (), ())
    revoked = () if row["revoked_at"] is None else (number,)
    return Gatebook(keys, revoked, [(number, used) for used in row["used"]])


@dataclass(frozen=True, slots=True)
class Showed:
    """A shown pass on its way into the tables, with what its crossing uses up of it."""

    decision_id: UUID
    judged: Judged
    at: datetime
    last_six: str | None
    use: str | None


async def keep_showings(work: Work, gate: Gate, showed: Iterable[Showed]) -> frozenset[UUID]:
    """Store what was shown; return the decisions whose pass was still good for it. A pass is used up by one alone."""
    rows = [
        (s.decision_id, s.judged.number, s.at, ",".join(sorted(_faults(s.judged))), _holder(work, s), s.use)
        for s in showed
        if s.judged.number is not None
    ]
    if not rows:
        return frozenset()
    columns = map(list, zip(*rows, strict=True))
    made = await work.sql.fetch(_KEEP, work.township_code, gate.unit_code, gate.checkpoint_id, *columns)
    return frozenset(row["decision_id"] for row in made)


async def give_back(work: Work, decision_ids: Sequence[UUID]) -> None:
    """Let decisions that were not stored after all have used nothing up."""
    if decision_ids:
        await work.sql.execute(_GIVE_BACK, work.township_code, decision_ids)


def _holder(work: Work, showed: Showed) -> bytes | None:
    """Return by what two holders of one pass are told apart: it says nothing of other passes of theirs."""
    if showed.last_six is None:
        return None
    return work.vault.fingerprint("pass-holder", f"{showed.judged.number} {showed.last_six.upper()}")[:8]


def _faults(judged: Judged) -> set[str]:
    return {finding.fault for finding in judged.judgement.findings if finding.fault}


async def verify_pass(work: Work, body: VerifyBody) -> VerifyView:
    """Judge a code at a checkpoint, step by step; nothing is stored and nothing used up.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    gate = await gate_number(work, body.checkpoint_id)
    shown = Shown(body.code, body.at or work.now, Direction(body.direction), body.holder_last6)
    (judged,) = await judge_passes(work, gate, [shown])
    steps = [
        StepView(step=f.step, ok=True) if f.fault is None else StepView(step=f.step, ok=False, code=f.fault)
        for f in judged.judgement.findings
    ]
    return VerifyView(verdict=Verdict.DENY if judged.reasons else Verdict.PASS, steps=steps)
