"""Home quarantine (居家隔离): orders, the slots of their days, visits, and alerts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlmodel import Field

from app.models.base import (
    Row,
    TownshipData,
    Written,
    day_field,
    document,
    points_to,
    sealed,
    texts,
    time_field,
)


class QuarantineOrder(Written, table=True):
    """One person's quarantine, from `starts_on` to the day before `ends_on`."""

    __tablename__ = "quarantine_orders"
    __table_args__ = (
        points_to("people", "person_id"),
        Index(
            "uq_quarantine_orders_active_person",
            "township_code",
            "person_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
        Index("ix_quarantine_orders_unit", "township_code", "unit_code", "status", "id"),
        Index(
            "ix_quarantine_orders_ends",
            "township_code",
            "ends_on",
            postgresql_where=text("status = 'active'"),
        ),
        Index("ix_quarantine_orders_household", "township_code", "household_id"),
    )

    person_id: UUID
    household_id: UUID
    check_id: UUID | None = None
    """The household check that opened it, if one did."""
    reason: str
    address: str
    """Where the person stays: the household's address when the order was opened."""
    starts_on: date = day_field()
    ends_on: date = day_field()
    status: str = "active"
    monitor_id: UUID
    helpers_sealed: bytes | None = sealed()
    """The neighbours who assist, with their phones, as sealed JSON."""
    service_per_day: int = Field(sa_type=SmallInteger)
    temperature_per_day: int = Field(sa_type=SmallInteger)
    opened_at: datetime = time_field()
    released_at: datetime | None = time_field(default=None)
    released_by: UUID | None = None
    release_reason: str | None = None
    rev: int = 1


class QuarantineSlot(TownshipData, table=True):
    """One required visit: a half day of a day, of one kind. Slots that ended before the order opened have no row."""

    __tablename__ = "quarantine_slots"
    __table_args__ = (
        points_to("quarantine_orders", "order_id"),
        Index(
            "ix_quarantine_slots_open",
            "township_code",
            "ends_at",
            postgresql_where=text("visits = 0 AND NOT missed"),
        ),
        Index(
            "ix_quarantine_slots_late",
            "township_code",
            postgresql_where=text("visits > 0 AND (missed OR alerted)"),
        ),
    )

    order_id: UUID = Field(primary_key=True)
    day: date = day_field(primary_key=True)
    kind: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    starts_at: datetime = time_field()
    ends_at: datetime = time_field()
    visits: int = 0
    missed: bool = False
    """Set by the clockwork when the slot ended without a visit; a visit that arrives later takes it back."""
    alerted: bool = False
    """Whether its alert may still stand open."""
    fact_unit_code: int = Field(sa_type=BigInteger)
    """The unit in whose counters it stands; `unit_code` follows the order when its household moves."""


class Visit(Written, table=True):
    """A service visit or a temperature reading."""

    __tablename__ = "visits"
    __table_args__ = (
        points_to("quarantine_orders", "order_id"),
        Index("ix_visits_order", "township_code", "order_id", "day"),
    )

    order_id: UUID
    kind: str
    occurred_at: datetime = time_field()
    claimed_at: datetime | None = time_field(default=None)
    time_quality: str | None = None
    day: date = day_field()
    slot: str
    temperature_c: Decimal | None = Field(default=None, sa_type=Numeric(3, 1))
    symptoms: list[str] = texts()
    at_home: bool
    alerts: list[str] = texts()
    """The kinds of alert that it raised."""
    purchases: list[dict[str, Any]] = document(default_factory=list)
    needs: list[str] = texts()
    note: str | None = None
    photo_ids: list[str] = texts()
    fact_unit_code: int = Field(sa_type=BigInteger)
    """The unit in which it took place; `unit_code` follows the order when its household moves."""


class Alert(Row, table=True):
    """Something that a person must look at. `cause` makes the same cause raise one alert only."""

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("township_code", "cause"),
        Index("ix_alerts_unit", "township_code", "unit_code", "status", "id"),
        Index("ix_alerts_order", "township_code", "order_id"),
        Index(
            "ix_alerts_checkpoint",
            "township_code",
            "checkpoint_id",
            postgresql_where=text("checkpoint_id IS NOT NULL"),
        ),
        Index("ix_alerts_visit", "township_code", "visit_id", postgresql_where=text("visit_id IS NOT NULL")),
    )

    kind: str
    cause: str
    status: str = "open"
    at: datetime = time_field()
    opened_at: datetime = time_field()
    order_id: UUID | None = None
    person_id: UUID | None = None
    visit_id: UUID | None = None
    checkpoint_id: UUID | None = None
    gate_unit_code: int | None = Field(default=None, sa_type=BigInteger)
    """The unit in which the checkpoint stands; `unit_code` is the person's own."""
    decision_id: UUID | None = None
    resolved_at: datetime | None = time_field(default=None)
    resolved_by: UUID | None = None
    note: str | None = None
    rev: int = 1
