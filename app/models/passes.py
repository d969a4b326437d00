"""Passes (通行证), the keys that sign them, and what was shown at gates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.models.base import TownshipData, Written, document, points_to, sealed, texts, time_field


class GateKey(SQLModel, table=True):
    """A township's key for passes, or for the bundle of its gates; its private half is sealed. It names no person."""

    __tablename__ = "gate_keys"
    __table_args__ = (UniqueConstraint("township_code", "use", "number", "signs_from"),)

    id: UUID = Field(primary_key=True)
    township_code: int = Field(sa_type=BigInteger)
    use: str
    """`pass` or `bundle`."""
    number: int = Field(sa_type=SmallInteger)
    """0 to 255: the eight bits that a pass says of its key."""
    private_sealed: bytes | None = sealed()
    jwk: dict[str, Any] = document()
    """The public half."""
    signs_from: datetime = time_field()
    signs_until: datetime = time_field()
    ends_at: datetime = time_field()
    """When whatever it signed is over."""
    dropped_at: datetime | None = time_field(default=None)
    """Since when it counts no more, because it leaked."""


class Pass(Written, table=True):
    """A pass that was issued to a registered person."""

    __tablename__ = "passes"
    __table_args__ = (
        points_to("people", "person_id"),
        points_to("checkpoints", "checkpoint_id"),
        UniqueConstraint("township_code", "number"),
        Index("ix_passes_person", "township_code", "person_id"),
        Index("ix_passes_unit", "township_code", "unit_code", "id"),
        Index(
            "ix_passes_revoked",
            "township_code",
            "revoked_at",
            postgresql_where=text("revoked_at IS NOT NULL"),
        ),
    )

    person_id: UUID
    class_: str = Field(sa_column_kwargs={"name": "class"})
    checkpoint_id: UUID | None = None
    purposes: list[str] = texts()
    """For which purposes alone it is good; empty: for all that the gate allows."""
    valid_from: datetime = time_field()
    valid_to: datetime = time_field()
    key_number: int = Field(sa_type=SmallInteger)
    key_id: UUID
    number: int = Field(sa_type=BigInteger)
    """The 64 random bits, as a signed number."""
    payload: bytes = Field(sa_type=LargeBinary)
    """The 17 bytes that were signed: a code that says something else under this number was never issued."""
    code_sealed: bytes | None = sealed()
    """The text of its QR code: whoever reads it can use it."""
    revoked_at: datetime | None = time_field(default=None)
    revoked_by: UUID | None = None
    revoke_reason: str | None = Field(default=None, sa_type=Text)


class PassShowing(TownshipData, table=True):
    """A pass with a good signature that was shown for a decision, in the unit of the gate."""

    __tablename__ = "pass_showings"
    __table_args__ = (
        UniqueConstraint("township_code", "number", "used"),
        Index("ix_pass_showings_decision", "township_code", "checkpoint_id", "at"),
    )

    decision_id: UUID = Field(primary_key=True)
    checkpoint_id: UUID
    number: int = Field(sa_type=BigInteger)
    at: datetime = time_field()
    faults: list[str] = texts()
    holder: bytes | None = sealed()
    """The keyed hash of the characters of the ID number that were keyed in."""
    used: str | None = None
    """What the crossing used up of it (`use_of`); null where nothing: each can be used once."""
