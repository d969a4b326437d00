"""Households and people (上门排查), and the checks that were made at their doors."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from app.models.base import (
    TownshipData,
    Written,
    day_field,
    edits,
    ids,
    points_to,
    recorded_in_order,
    sealed,
    texts,
    time_field,
)


class Household(Written, table=True):
    """A household at an address."""

    __tablename__ = "households"
    __table_args__ = (
        Index("ix_households_unit", "township_code", "unit_code", "id"),
        Index("ix_households_register_no", "township_code", "unit_code", "register_no"),
    )

    address: str
    register_no: str | None = None
    head_id: UUID
    rev: int = 1
    edited_rev: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    """The revision of the last edit by hand. Checks raise `rev` alone."""
    field_revs: dict[str, Any] = edits()
    checked_at: datetime | None = time_field(default=None)
    """When the latest check took place; None while the household was never checked."""


class Person(Written, table=True):
    """A registered person. The ID number and the phone are sealed, and found by keyed hash."""

    __tablename__ = "people"
    __table_args__ = (
        points_to("households", "household_id"),
        UniqueConstraint("township_code", "id_fingerprint", name="uq_people_id_fingerprint"),
        Index("ix_people_household", "township_code", "household_id"),
        Index("ix_people_unit", "township_code", "unit_code", "id"),
        Index("ix_people_phone", "township_code", "phone_fingerprint"),
    )

    household_id: UUID
    name: str
    relation: str | None = None
    sex: str | None = None
    birth_date: date | None = day_field(default=None)
    id_sealed: bytes | None = sealed()
    id_fingerprint: bytes | None = sealed()
    phone_sealed: bytes | None = sealed()
    phone_fingerprint: bytes | None = sealed()
    rev: int = 1
    edited_rev: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    field_revs: dict[str, Any] = edits()
    # What the latest check found.
    whereabouts: str | None = None
    away_to: str | None = None
    returned_from: str | None = None
    returned_on: date | None = day_field(default=None)
    exposure: str | None = None
    symptoms: list[str] = Field(
        default_factory=list, sa_type=ARRAY(Text), sa_column_kwargs={"server_default": text("'{}'")}
    )
    checked_at: datetime | None = time_field(default=None)
    quarantine_order_id: UUID | None = None
    """The active order, if any."""
    ever_quarantined: bool = False
    """Once true, the clinic may read the person's name and phone."""


class HouseholdCheck(Written, table=True):
    """One visit to one door."""

    __tablename__ = "household_checks"
    __table_args__ = (
        points_to("households", "household_id"),
        Index("ix_household_checks_household", "township_code", "household_id", "day"),
        Index("ix_household_checks_time", "township_code", "occurred_at", "id"),
        recorded_in_order("household_checks"),
    )

    household_id: UUID
    occurred_at: datetime = time_field()
    day: date = day_field()
    claimed_at: datetime | None = time_field(default=None)
    time_quality: str | None = None
    register_seen: bool
    note: str | None = None
    unaccounted: list[UUID] = ids()
    """Registered people whom no line named, at the time of the check."""
    fact_unit_code: int = Field(sa_type=BigInteger)
    """The unit in whose counters it stands; `unit_code` follows the household when that moves."""


class CheckLine(TownshipData, table=True):
    """What a check found of one person."""

    __tablename__ = "check_lines"
    __table_args__ = (
        points_to("household_checks", "check_id"),
        points_to("people", "person_id"),
        Index("ix_check_lines_person", "township_code", "person_id", "day"),
    )

    check_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    line_no: int
    occurred_at: datetime = time_field()
    day: date = day_field()
    id_seen: bool
    whereabouts: str
    away_to: str | None = None
    returned_from: str | None = None
    returned_on: date | None = day_field(default=None)
    exposure: str
    temperature_c: Decimal | None = Field(default=None, sa_type=Numeric(3, 1))
    symptoms: list[str] = texts()
    order_id: UUID | None = None
    """The quarantine order that this line opened."""
    fact_unit_code: int = Field(sa_type=BigInteger)


class Reveal(Written, table=True):
    """A look at a full ID number: who, whose, and what for."""

    __tablename__ = "reveals"
    __table_args__ = (
        points_to("people", "person_id"),
        Index("ix_reveals_person", "township_code", "person_id"),
    )

    person_id: UUID
    purpose: str
