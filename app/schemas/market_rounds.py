"""Village sales (contract, section 15): 流动售卖."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Body, Code, Day, Flag, Id, Instant, Name, UnitCode, View
from app.schemas.townships import unset


class StopBody(Body):
    """Where a vendor stops, and when."""

    unit_code: UnitCode
    at: Instant


class RoundBody(Body):
    """A vendor's round through villages on one day."""

    id: Id | None = None
    vendor: Name
    goods: list[Name] = Field(default_factory=list, max_length=50)
    day: Day
    stops: Annotated[list[StopBody], Field(min_length=1, max_length=100)]


class RoundPatch(Body):
    """A change of a round: called off, or taking place after all."""

    cancelled: Flag = unset()


class StopView(View):
    """A stop."""

    unit_code: str
    at: Instant


class RoundView(View):
    """A round as stored."""

    id: Id
    vendor: str
    goods: list[str]
    day: Day
    stops: list[StopView]
    cancelled: bool
    author_id: Id
    recorded_at: Instant
    rev: int


class UnservedUnit(View):
    """A unit where no vendor has stopped for so long."""

    unit_code: Code
    name: str
    last_on: Day | None = Field(description="The last day on which one stopped; null: never.")
    next_on: Day | None = Field(description="The next day for which one is planned.")


class GapsView(View):
    """Units without a round."""

    from_: Day = Field(serialization_alias="from", description="The first day looked at.")
    to: Day = Field(description="The last: today.")
    units: list[UnservedUnit]
