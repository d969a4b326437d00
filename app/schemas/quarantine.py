"""Quarantine orders (contract, section 5): what opens and changes one, and how it is shown."""

from typing import Annotated

from pydantic import Field

from app.domain.enums import HalfDay, OrderReason, OrderStatus, SlotStatus, VisitKind
from app.schemas.fields import Body, Code, Day, Id, Instant, Line, Name, Phone, View
from app.schemas.townships import unset


class Helper(Body):
    """A neighbour who assists (周边群众协助)."""

    name: Name
    phone: Phone | None = None


Helpers = Annotated[list[Helper], Field(max_length=20, description="Neighbours who assist (周边群众协助).")]


class OrderBody(Body):
    """A new quarantine order."""

    id: Id | None = None
    person_id: Id
    reason: OrderReason
    starts_on: Day = Field(
        description="The first day: at most 60 days ago, at most 30 ahead, and so that the last is not over."
    )
    monitor_id: Id | None = Field(
        None, description="The staff member who answers for it (明确专人负责监控); left out, the author does."
    )
    helpers: Helpers = Field(default_factory=list)


LaterEnd = Annotated[
    Day, Field(description="A later end, by the township only; an earlier one is a release.")
]


class OrderPatch(Body):
    """A change of an active order; what is left out stays."""

    monitor_id: Id = unset()
    helpers: Helpers = unset()
    ends_on: LaterEnd = unset()


class ReleaseBody(Body):
    """Why an order ends before its time."""

    reason: Line


class OrderPerson(View):
    """The person under quarantine, as whoever visits needs to know them."""

    id: Id
    name: str
    sex: str | None = None
    birth_date: Day | None = None
    phone: str | None = None


class HelperView(View):
    """A neighbour who assists."""

    name: str
    phone: str | None = None


class OrderView(View):
    """A quarantine order."""

    id: Id
    person_id: Id
    person: OrderPerson
    household_id: Id
    unit_code: Code
    address: str = Field(
        description="Where the person stays: the household's address when the order was opened."
    )
    reason: OrderReason
    starts_on: Day
    ends_on: Day = Field(description="The order ends at 00:00 of this day; its last day is the one before.")
    status: OrderStatus
    monitor_id: Id
    helpers: list[HelperView]
    service_per_day: int = Field(description="Service visits owed a day.")
    temperature_per_day: int = Field(description="Temperatures owed a day.")
    check_id: Id | None = Field(None, description="The household check that opened it, if one did.")
    opened_at: Instant
    released_at: Instant | None = None
    release_reason: str | None = Field(None, description="Null where the order ran to its end.")
    rev: int


class SlotView(View):
    """One half day's visit of one kind."""

    kind: VisitKind
    slot: HalfDay
    status: SlotStatus
    visit_ids: list[Id]


class DayView(View):
    """A day of an order."""

    day: Day
    slots: list[SlotView]


class OrderDetail(OrderView):
    """A quarantine order with its calendar."""

    days: list[DayView]
