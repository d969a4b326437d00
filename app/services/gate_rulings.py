"""A ruling: one stored decision as it is answered, the same for the first time and for every repeat; and its row."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from app.core.rows import Rows
from app.core.work import Work
from app.domain.enums import DenyReason
from app.domain.op_time import Moment
from app.schemas.decisions import DecisionBody
from app.services.messages import REASONS


def reasons_said(reasons: Iterable[DenyReason], language: str) -> list[dict[str, str]]:
    """Return reasons with their words."""
    return [{"code": code, "text": REASONS[code].say(language)} for code in reasons]


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
            "reasons": reasons_said(self.reasons, language),
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
    moment: Moment
    content_hash: bytes
    person_id: UUID | None
    claimed_sealed: bytes | None

    def values(self) -> tuple[Any, ...]:
        """Return the row's own columns, in the order of the INSERT."""
        ruling, body = self.ruling, self.body
        return (
            ruling.id,
            self.content_hash,
            self.moment.occurred_at,
            self.moment.claimed_at,
            self.moment.quality,
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


_COLUMNS = {
    "id": "uuid",
    "content_hash": "bytea",
    "occurred_at": "timestamptz",
    "claimed_at": "timestamptz",
    "time_quality": "text",
    "day": "date",
    "direction": "text",
    "verdict": "text",
    "reasons": "text",
    "rules_version": "int",
    "subject_kind": "text",
    "subject_person_id": "uuid",
    "subject_unit_code": "bigint",
    "name_masked": "text",
    "claimed_sealed": "bytea",
    "plate": "text",
    "temperature_c": "numeric",
    "mask": "bool",
    "purpose": "text",
    "note": "text",
}
_NAMES = ", ".join(_COLUMNS)

_INSERT = Rows(
    f"""
INSERT INTO decisions (township_code, checkpoint_id, unit_code, author_id, recorded_at, {_NAMES})
SELECT $1, $2, $3, $4, $5, {_NAMES.replace("reasons", "string_to_array(reasons, ',')")}
FROM {{rows}} AS n({_NAMES})
ON CONFLICT DO NOTHING RETURNING id
""",
    6,
    _COLUMNS.values(),
)

_STORED = """
SELECT id, content_hash, verdict, reasons, rules_version, subject_kind, name_masked, subject_unit_code, day
FROM decisions WHERE township_code = $1 AND id = ANY($2)
"""


async def insert_decisions(work: Work, gate: Gate, rows: Sequence[DecisionRow]) -> frozenset[UUID]:
    """Store new decisions and return the ids of those that no parallel request stored first."""
    statement, values = _INSERT.of([row.values() for row in rows])
    made = await work.sql.fetch(
        statement, work.township_code, gate.checkpoint_id, gate.unit_code, work.account_id, work.now, *values
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
