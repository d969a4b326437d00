"""Webhooks: where a dashboard wants to be told, and what is on its way there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.models.base import Row, Written, points_to, sealed, texts, time_field


class Webhook(Written, table=True):
    """An address that is told of events. It is the township's as a whole."""

    __tablename__ = "webhooks"

    url: str = Field(sa_type=Text)
    events: list[str] = texts()
    code: str
    secret_sealed: bytes | None = sealed()
    told_until: datetime = time_field()
    """Up to when it has been looked whether there is something to tell."""
    deleted_at: datetime | None = time_field(default=None)


class WebhookMessage(Row, table=True):
    """One message to one webhook: what is sent, how often it was tried, and what came back."""

    __tablename__ = "webhook_messages"
    __table_args__ = (
        points_to("webhooks", "webhook_id"),
        UniqueConstraint("township_code", "webhook_id", "cause"),
        Index(
            "ix_webhook_messages_due",
            "township_code",
            "next_at",
            postgresql_where=text("delivered_at IS NULL AND next_at IS NOT NULL"),
        ),
    )

    webhook_id: UUID
    cause: str
    body: str = Field(sa_type=Text)
    created_at: datetime = time_field()
    attempts: int = 0
    next_at: datetime | None = time_field(default=None)
    """When it is tried next; null when it was given up."""
    delivered_at: datetime | None = time_field(default=None)
    last_answer: str | None = None
