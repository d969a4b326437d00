"""Sync: the feed and the heads of its scopes, the operations that phones pushed, and the conflicts among them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.models.base import Row, TownshipData, sealed, time_field


class FeedHead(TownshipData, table=True):
    """Where a scope of the feed stands: its last number, and the hash of the row that has it."""

    __tablename__ = "feed_heads"

    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    audience: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class FeedRow(TownshipData, table=True):
    """One change as one audience is told of it; only the database function `append_feed` writes here."""

    __tablename__ = "feed"
    __table_args__ = (
        Index(
            "ix_feed_record",
            "township_code",
            "unit_code",
            "audience",
            "kind",
            "id",
            "seq",
            postgresql_include=["rev", "change"],
        ),
    )

    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    audience: str = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str
    id: UUID
    rev: int
    change: str
    at: datetime = time_field()
    author_id: UUID
    device_id: str | None = None
    op_id: UUID | None = None
    content_hash: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of `salt` and the text of `data`. Both may be erased; the chain stands on this hash."""
    hash: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the predecessor's hash and of this row (see `app/models/feeding.py`)."""
    salt: bytes | None = Field(default=None, sa_type=LargeBinary)
    data: str | None = None


class Operation(Row, table=True):
    """One operation of a phone, by the id that the phone gave it: what was asked, and what became of it."""

    __tablename__ = "operations"
    __table_args__ = (
        Index(
            "ix_operations_open",
            "township_code",
            "status",
            "received_at",
            "id",
            postgresql_where=text("status IN ('held', 'rejected', 'conflict')"),
        ),
        Index(
            "ix_operations_held",
            "township_code",
            "held_until",
            postgresql_where=text("status = 'held'"),
        ),
    )

    account_id: UUID
    device_id: str
    kind: str
    content_hash: bytes = Field(sa_type=LargeBinary)
    status: str
    code: str | None = None
    errors: list[dict[str, str]] | None = Field(default=None, sa_type=JSONB)
    entity_kind: str | None = None
    entity_id: UUID | None = None
    rev: int | None = None
    scope: str | None = None
    seq: int | None = Field(default=None, sa_type=BigInteger)
    received_at: datetime = time_field()
    op_at: datetime = time_field()
    """When it was done, as far as the phone's clocks tell."""
    time_quality: str
    held_until: datetime | None = time_field(default=None)
    held_for: str | None = None
    """Whom a held one waits for: its `predecessor`, or the `township`."""
    op_sealed: bytes | None = sealed()
    """The operation as it was sent, kept while it is not, or not plainly, applied."""
    settled_at: datetime | None = time_field(default=None)
    settled_by: UUID | None = None
    settled_note: str | None = Field(default=None, sa_type=Text)
    """The township's word on one that was held for it."""


class Conflict(Row, table=True):
    """Two values for one field, or one person registered twice: one is kept, and somebody has to look at the other."""

    __tablename__ = "conflicts"
    __table_args__ = (
        Index("ix_conflicts_unit", "township_code", "unit_code", "status", "id"),
        Index("ix_conflicts_record", "township_code", "record_id"),
    )

    op_id: UUID
    reason: str
    kind: str
    record_id: UUID
    field: str | None = Field(default=None, sa_type=Text)
    preferred: str
    """Which of the two stands until somebody has looked."""
    current_sealed: bytes | None = sealed()
    proposed_sealed: bytes | None = sealed()
    current_author_id: UUID | None = None
    proposed_author_id: UUID
    opened_at: datetime = time_field()
    status: str = "open"
    kept: str | None = None
    resolved_at: datetime | None = time_field(default=None)
    resolved_by: UUID | None = None
