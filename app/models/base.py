"""What every table of a township's data has in common (design, decisions 3 and 4)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, ForeignKeyConstraint, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
metadata = SQLModel.metadata


class TownshipData(SQLModel):
    """Columns of every fenced table: the township comes first in every key, the unit is what the fence reads."""

    township_code: int = Field(
        sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    unit_code: int = Field(sa_type=BigInteger)


class Row(TownshipData):
    """A fenced table whose rows have an id made by the client."""

    id: UUID = Field(primary_key=True)


class Written(Row):
    """A row that some caller created: when, by whom, and a keyed hash of the content, to tell a replay from a reuse."""

    content_hash: bytes = Field(sa_type=LargeBinary)
    author_id: UUID
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))


class Event(Written):
    """Something that took place, and stays as it was written; `claimed_at` is what a person typed (sync)."""

    at: datetime = Field(sa_type=DateTime(timezone=True))
    claimed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    time_quality: str | None = None
    day: date = Field(sa_type=Date)


def time_field(**options: Any) -> Any:
    """A column of an absolute time."""
    return Field(sa_type=DateTime(timezone=True), **options)


def day_field(**options: Any) -> Any:
    """A column of a day in the township's zone."""
    return Field(sa_type=Date, **options)


def texts() -> Any:
    """A column of a list of texts."""
    return Field(default_factory=list, sa_type=ARRAY(Text))


def codes() -> Any:
    """A column of a list of 12-digit codes or shorter scopes, as numbers."""
    return Field(default_factory=list, sa_type=ARRAY(BigInteger))


def ids() -> Any:
    """A column of a list of ids."""
    return Field(default_factory=list, sa_type=ARRAY(Uuid))


def document(**options: Any) -> Any:
    """A column of a small JSON document."""
    return Field(sa_type=JSONB, **options)


def edits() -> Any:
    """A column that tells of each edited field at which revision it was, from which base, and on which device."""
    return Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": text("'{}'")})


def sealed() -> Any:
    """A column of an encrypted text, or of its keyed hash; None where the person gave nothing."""
    return Field(default=None, sa_type=LargeBinary)


def recorded_in_order(table: str) -> Index:
    """A small index for what was recorded lately: rows lie in the order in which they came."""
    options = {"autosummarize": True, "pages_per_range": 32}
    return Index(f"ix_{table}_recorded", "recorded_at", postgresql_using="brin", postgresql_with=options)


def points_to(table: str, column: str) -> ForeignKeyConstraint:
    """A foreign key that stays inside the township."""
    return ForeignKeyConstraint(["township_code", column], [f"{table}.township_code", f"{table}.id"])
