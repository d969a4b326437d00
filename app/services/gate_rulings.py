"""A ruling: one stored decision as it is answered, the same for the first time and for every repeat; and its row."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from app.core.work import Work
from app.domain.enums import DenyReason
from app.schemas.decisions import DecisionBody
from app.services.messages import REASONS


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a checkpoint answers; its reasons get their words only when the language is known."""

    id: UUID
    verdict: str
    reasons: tuple[DenyReason, ...]
    rules_version: int
    subject_kind: str
    name_masked: str | None
    unit_code: int | None
    day: date

    def answer(self, language: str) -> dict[str, Any]:
        """Return the ruling as plain JSON values, in the order of `DecisionView`."""
        return {
            "id": str(self.id),
            "verdict": self.verdict,
            "reasons": [{"code": code, "text": REASONS[code].say(language)} for code in self.reasons],
            "rules_version": self.rules_version,
            "subject": {
                "kind": self.subject_kind,
                "name_masked": self.name_masked,
                "unit_code": None if self.unit_code is None else str(self.unit_code),
            },
            "day": self.day.isoformat(),
        }

    def to_json(self, language: str) -> bytes:
        """Return the answer's bytes, as `DecisionView` would write them."""
        return json.dumps(self.answer(language), ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Gate:
    """A checkpoint, and the unit in which it stands and counts."""

    checkpoint_id: UUID
    unit_code: int


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A new decision: the ruling, what the gate saw, and what it knows of the person."""

    ruling: Ruling
    body: DecisionBody
    content_hash: bytes
    person_id: UUID | None
    claimed_sealed: bytes | None

    def values(self) -> tuple[Any, ...]:
        """Return the row's own columns, in the order of the INSERT."""
        ruling, body = self.ruling, self.body
        return (
            ruling.id,
            self.content_hash,
            body.occurred_at,
            ruling.day,
            body.direction,
            ruling.verdict,
            ",".join(ruling.reasons),
            ruling.rules_version,
            ruling.subject_kind,
            self.person_id,
            ruling.unit_code,
            ruling.name_masked,
            self.claimed_sealed,
            body.subject.plate,
            body.temperature_c,
            body.mask,
            body.purpose,
            body.note,
        )


_INSERT = """
INSERT INTO decisions (township_code, checkpoint_id, unit_code, author_id, recorded_at,
    id, content_hash, occurred_at, day, direction, verdict, reasons, rules_version, subject_kind,
    subject_person_id, subject_unit_code, name_masked, claimed_sealed, plate, temperature_c, mask, purpose, note)
SELECT $1, $2, $3, $4, $5,
    n.id, n.content_hash, n.occurred_at, n.day, n.direction, n.verdict, string_to_array(n.reasons, ','), n.version,
    n.kind, n.person_id, n.person_unit, n.name_masked, n.claimed, n.plate, n.temperature_c, n.mask, n.purpose, n.note
FROM unnest($6::uuid[], $7::bytea[], $8::timestamptz[], $9::date[], $10::text[], $11::text[], $12::text[],
    $13::int[], $14::text[], $15::uuid[], $16::bigint[], $17::text[], $18::bytea[], $19::text[], $20::numeric[],
    $21::bool[], $22::text[], $23::text[])
    AS n(id, content_hash, occurred_at, day, direction, verdict, reasons, version, kind, person_id, person_unit,
        name_masked, claimed, plate, temperature_c, mask, purpose, note)
ON CONFLICT DO NOTHING RETURNING id
"""

_STORED = """
SELECT id, content_hash, verdict, reasons, rules_version, subject_kind, name_masked, subject_unit_code, day
FROM decisions WHERE township_code = $1 AND id = ANY($2)
"""


async def insert_decisions(work: Work, gate: Gate, rows: Sequence[DecisionRow]) -> frozenset[UUID]:
    """Store new decisions and return the ids of those that no parallel request stored first."""
    columns = zip(*(row.values() for row in rows), strict=True)
    made = await work.sql.fetch(
        _INSERT, work.township_code, gate.checkpoint_id, gate.unit_code, work.account_id, work.now, *columns
    )
    return frozenset(row["id"] for row in made)


async def stored_decisions(work: Work, ids: Sequence[UUID]) -> dict[UUID, tuple[bytes, Ruling]]:
    """Return the content hash and the ruling of each id that is stored where the caller can see."""
    rows = await work.sql.fetch(_STORED, work.township_code, list(ids))
    return {row["id"]: (row["content_hash"], read_ruling(row)) for row in rows}


def read_ruling(row: asyncpg.Record) -> Ruling:
    """Return the ruling of a row of `decisions`."""
    return Ruling(
        row["id"],
        row["verdict"],
        tuple(map(DenyReason, row["reasons"])),
        row["rules_version"],
        row["subject_kind"],
        row["name_masked"],
        row["subject_unit_code"],
        row["day"],
    )
