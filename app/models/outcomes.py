"""Posters, self-reports (主动报告), tips (举报), incidents (现场处置), and bulletins (公开), told to all units."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from app.models.base import (
    Event,
    TownshipData,
    Written,
    day_field,
    points_to,
    sealed,
    texts,
    time_field,
)


class Poster(TownshipData, table=True):
    """A unit's poster that was renewed; the others have version 1."""

    __tablename__ = "posters"

    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int
    renewed_at: datetime = time_field()
    renewed_by: UUID


class SelfReport(Written, table=True):
    """Somebody who came home says so. Whether they are registered is looked up when the report is read."""

    __tablename__ = "self_reports"
    __table_args__ = (Index("ix_self_reports_time", "township_code", "recorded_at", "id"),)

    day: date = day_field()
    """On which it came in."""
    name: str
    origin: str
    """Where they came from."""
    arrived_on: date = day_field()
    id_number_sealed: bytes | None = sealed()
    id_fingerprint: bytes | None = sealed()
    phone_sealed: bytes | None = sealed()
    phone_fingerprint: bytes | None = sealed()
    closed_at: datetime | None = time_field(default=None)
    closed_by: UUID | None = None
    closing_note: str | None = Field(default=None, sa_type=Text)
    rev: int = 1


class Tip(Event, table=True):
    """A tip from the public. Its unit is the township's own row where nobody said in which village."""

    __tablename__ = "tips"
    __table_args__ = (
        Index("ix_tips_time", "township_code", "at", "id"),
        Index("ix_tips_status", "township_code", "status", "at"),
    )

    source: str
    text: str = Field(sa_type=Text)
    phone_sealed: bytes | None = sealed()
    photo_ids: list[str] = texts()
    status: str = "new"
    squad_id: UUID | None = None
    dispatched_at: datetime | None = time_field(default=None)
    closed_at: datetime | None = time_field(default=None)
    closed_by: UUID | None = None
    closing_note: str | None = Field(default=None, sa_type=Text)
    incident_id: UUID | None = None
    """The incident that settled it, if one did."""
    rev: int = 1


class Incident(Event, table=True):
    """What a squad or a cadre met and did about it."""

    __tablename__ = "incidents"
    __table_args__ = (
        points_to("tips", "tip_id"),
        Index("ix_incidents_time", "township_code", "at", "id"),
    )

    tip_id: UUID | None = None
    kind: str
    action: str
    count: int | None = None
    note: str = Field(sa_type=Text)
    photo_ids: list[str] = texts()
    publish: bool = False


class Bulletin(Event, table=True):
    """An incident as all units may read it: with names and numbers masked. `unit_code` is where it took place."""

    __tablename__ = "bulletins"
    __table_args__ = (
        points_to("incidents", "incident_id"),
        Index("ix_bulletins_time", "township_code", "at", "id"),
    )

    incident_id: UUID
    kind: str
    action: str
    count: int | None = None
    note: str = Field(sa_type=Text)
    photo_ids: list[str] = texts()
