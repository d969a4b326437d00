"""Orders of the command post (指令), what each unit has made of them, and what it said."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.models.base import Row, Written, codes, points_to, texts, time_field


class CommandOrder(Written, table=True):
    """An order. It is the township's as a whole; units see it once it is issued to them."""

    __tablename__ = "command_orders"
    __table_args__ = (
        Index(
            "ix_command_orders_due",
            "township_code",
            "issue_at",
            postgresql_where=text("issued_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    title: str
    body: str = Field(sa_type=Text)
    codes: list[int] = codes()
    """The scopes that it is for."""
    requires: str
    issue_at: datetime = time_field()
    due_at: datetime = time_field()
    issued_at: datetime | None = time_field(default=None)
    withdrawn_at: datetime | None = time_field(default=None)
    photo_ids: list[str] = texts()
    rev: int = 1


class OrderUnit(Row, table=True):
    """An order as one unit has it: made when it is issued."""

    __tablename__ = "order_units"
    __table_args__ = (
        points_to("command_orders", "order_id"),
        UniqueConstraint("township_code", "order_id", "unit_code"),
        Index(
            "ix_order_units_silent",
            "township_code",
            "issued_at",
            postgresql_where=text("fulfilled_at IS NULL AND NOT over"),
        ),
    )

    order_id: UUID
    issued_at: datetime = time_field()
    reminded_at: datetime | None = time_field(default=None)
    acknowledged_at: datetime | None = time_field(default=None)
    feedback_at: datetime | None = time_field(default=None)
    completed_at: datetime | None = time_field(default=None)
    fulfilled_at: datetime | None = time_field(default=None)
    """When the unit had done what the order asks for."""
    over: bool = False
    """Nothing is asked any more: it was withdrawn, or every alert has been raised."""
    rev: int = 1


class OrderAnswer(Written, table=True):
    """What a unit said to an order."""

    __tablename__ = "order_answers"
    __table_args__ = (
        points_to("command_orders", "order_id"),
        Index("ix_order_answers_order", "township_code", "order_id", "unit_code", "recorded_at"),
    )

    order_id: UUID
    kind: str
    text: str | None = Field(default=None, sa_type=Text)
    photo_ids: list[str] = texts()
