"""The grid (网格): townships, their units, their staff, and the counters of each unit and day."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, LargeBinary, Table, text
from sqlmodel import Field, SQLModel

from app.domain.metrics import TYPED, Metric
from app.models.base import Row, TownshipData, codes, document, ids, metadata, sealed, time_field


class Township(SQLModel, table=True):
    """A township and its settings: shared, small, made by an operator."""

    __tablename__ = "townships"

    code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    timezone: str = "Asia/Shanghai"
    settings: dict[str, Any] = document(default_factory=dict)
    rev: int = 1
    created_at: datetime = time_field()
    clock_at: datetime = time_field()
    """How far the clockwork has worked for this township."""
    epoch: UUID | None = None
    """The history that phones follow; a database restored from a backup begins another. None stands for the nil id."""


class Unit(TownshipData, table=True):
    """A village or community, the combat unit (作战单元)."""

    __tablename__ = "units"

    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    kind: str


class Staff(Row, table=True):
    """A person at work. `codes` are 12-digit codes (of the township as a whole: its row, ...000), which the fence
    reads; `unit_code` is the first of them."""

    __tablename__ = "staff"

    name: str
    phone_sealed: bytes | None = sealed()
    codes: list[int] = codes()
    checkpoint_ids: list[UUID] = ids()
    team: str | None = None
    position: str | None = None
    health: str = "fit"
    active: bool = True
    person_id: UUID | None = Field(default=None, index=True)
    rev: int = 1
    content_hash: bytes = Field(sa_type=LargeBinary)
    recorded_at: datetime = time_field()
    author_id: UUID


daily_counters = Table(
    "daily_counters",
    metadata,
    Column("township_code", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("unit_code", BigInteger, primary_key=True, autoincrement=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    *(
        Column(
            metric.value, BigInteger if metric in TYPED else Integer, nullable=False, server_default=text("0")
        )
        for metric in Metric
    ),
)
