"""Checkpoints (卡点), their rules by version, and the decisions made there."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlmodel import Field

from app.models.base import (
    TownshipData,
    Written,
    day_field,
    document,
    points_to,
    recorded_in_order,
    sealed,
    texts,
    time_field,
)


class Checkpoint(Written, table=True):
    """A gate at a village's one open road, or at an entrance of the town."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        UniqueConstraint("township_code", "number"),
        Index("ix_checkpoints_unit", "township_code", "unit_code"),
    )

    number: int = Field(sa_type=SmallInteger)
    name: str
    kind: str
    audience: str = Field(default="checkpoint", sa_column_kwargs={"server_default": text("'checkpoint'")})
    """Whose feed tells of it (`app/domain/feed.py`); it stays what it was when the checkpoint was made."""
    rev: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    rules_version: int = 1
    rules: dict[str, Any] = document()
    """The rules in force; older versions stay in `checkpoint_rules`."""


class CheckpointRules(TownshipData, table=True):
    """One version of a checkpoint's rules, kept for ever."""

    __tablename__ = "checkpoint_rules"
    __table_args__ = (points_to("checkpoints", "checkpoint_id"),)

    checkpoint_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    rules: dict[str, Any] = document()
    created_at: datetime = time_field()
    created_by: UUID


class Decision(Written, table=True):
    """One person at one gate: what was seen, and the verdict with its reasons."""

    __tablename__ = "decisions"
    __table_args__ = (
        points_to("checkpoints", "checkpoint_id"),
        Index("ix_decisions_checkpoint", "township_code", "checkpoint_id", "occurred_at", "id"),
        Index(
            "ix_decisions_crossings",
            "township_code",
            "subject_person_id",
            "day",
            "occurred_at",
            postgresql_where=text("subject_person_id IS NOT NULL AND verdict = 'pass'"),
        ),
        recorded_in_order("decisions"),
    )

    checkpoint_id: UUID
    occurred_at: datetime = time_field()
    claimed_at: datetime | None = time_field(default=None)
    time_quality: str | None = None
    day: date = day_field()
    direction: str
    verdict: str
    reasons: list[str] = texts()
    rules_version: int
    subject_kind: str
    subject_person_id: UUID | None = None
    subject_unit_code: int | None = Field(default=None, sa_type=BigInteger)
    name_masked: str | None = None
    claimed_sealed: bytes | None = sealed()
    """What the person said of themselves (name, phone, ID number), as sealed JSON."""
    plate: str | None = None
    temperature_c: Decimal = Field(sa_type=Numeric(3, 1))
    mask: bool
    purpose: str
    note: str | None = None


class DecisionJudgement(TownshipData, table=True):
    """What the server makes of a ruling that a gate gave without signal."""

    __tablename__ = "decision_judgements"
    __table_args__ = (
        points_to("decisions", "decision_id"),
        Index(
            "ix_decision_judgements_disagree",
            "township_code",
            "checkpoint_id",
            "occurred_at",
            "decision_id",
            postgresql_where=text("NOT agrees"),
        ),
    )

    decision_id: UUID = Field(primary_key=True)
    checkpoint_id: UUID
    occurred_at: datetime = time_field()
    bundle_no: int | None = None
    verdict: str
    reasons: list[str] = texts()
    rules_version: int
    agrees: bool
    why: str | None = None
