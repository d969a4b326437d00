"""Webhooks (contract, section 11): where a dashboard wants to be told."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.domain.webhooks import Event
from app.schemas.fields import Body, Code, Id, Instant, ScopeCode, View


class WebhookBody(Body):
    """An address that is to be told of events."""

    id: Id | None = None
    url: Annotated[str, StringConstraints(min_length=8, max_length=2000)] = Field(
        description="https, to a public address.", examples=["https://screen.example.org/hook"]
    )
    events: list[Event] = Field(min_length=1, max_length=len(Event))
    code: ScopeCode | None = Field(None, description="A unit, or the township (default).")


class WebhookView(View):
    """A webhook, without its secret."""

    id: Id
    url: str
    events: list[Event]
    code: Code
    recorded_at: Instant
    waiting: int = Field(description="Messages that have not been taken yet.")
    given_up: int = Field(description="Messages that were never taken.")
    last_answer: str | None = Field(None, description="The latest status, or what went wrong.")


class NewWebhookView(WebhookView):
    """A new webhook."""

    secret: str | None = Field(
        None,
        description="`whsec_…`, shown this once: by it the receiver verifies; null when the id is repeated.",
    )
