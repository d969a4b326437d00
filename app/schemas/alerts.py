"""Alerts (contract, section 5): something that a person must look at."""

from pydantic import Field

from app.domain.enums import AlertKind, AlertStatus
from app.schemas.fields import Body, Code, Id, Instant, Note, View


class ResolveBody(Body):
    """What was done about it."""

    note: Note | None = None


class AlertView(View):
    """An alert. Staff of a checkpoint see neither the person nor the order."""

    id: Id
    kind: AlertKind
    unit_code: Code
    order_id: Id | None = None
    person_id: Id | None = None
    visit_id: Id | None = None
    checkpoint_id: Id | None = None
    decision_id: Id | None = None
    status: AlertStatus
    at: Instant = Field(
        description="When it happened: the visit, the breach, the end of the slot, the start of the shift."
    )
    opened_at: Instant
    resolved_at: Instant | None = None
    resolved_by: Id | None = Field(
        None,
        description="The account that resolved it; the nil id where the program did: a late visit arrived.",
    )
    note: str | None = None
    rev: int
