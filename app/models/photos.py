"""Photos (照片): what was sent, and which records name it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from app.models.base import Row, TownshipData, sealed, time_field


class Photo(Row, table=True):
    """A photo as one account sent it; whoever sends the same bytes has a row too, and hears nothing of the other's."""

    __tablename__ = "photos"
    __table_args__ = (UniqueConstraint("township_code", "sha256", "author_id"),)

    sha256: str
    """Of the bytes that were sent, hex: what records and callers name it by."""
    author_id: UUID
    recorded_at: datetime = time_field()
    sent_size: int
    """Of the bytes that were sent."""
    copy_sha256: str
    """Of the cleaned copy: its path in the store, and its ETag."""
    media_type: str
    size: int
    """Of the cleaned copy, in bytes."""
    width: int
    height: int
    taken_at: datetime | None = time_field(default=None)
    position_sealed: bytes | None = sealed()
    """Where it was taken, as sealed JSON: somebody's home, as a rule."""


class PhotoUse(TownshipData, table=True):
    """A record that names a photo, which may have arrived or not; `unit_code` follows the record's."""

    __tablename__ = "photo_uses"
    __table_args__ = (Index("ix_photo_uses_sha256", "township_code", "sha256"),)

    kind: str = Field(primary_key=True)
    """What kind of record; with it goes the lane of the fence."""
    record_id: UUID = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    author_id: UUID
    """Who wrote the record: the photo counts for it once this account has sent it."""
