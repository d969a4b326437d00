"""Checks at households' doors (contract, section 4): what enters and what leaves."""

from typing import Annotated, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from app.core.field_texts import declare
from app.core.validation import fault
from app.domain.enums import Exposure, Whereabouts
from app.domain.op_time import TimeQuality
from app.schemas.fields import (
    CLAIMED_AT,
    TIME_QUALITY,
    Body,
    Code,
    Day,
    Flag,
    Id,
    Instant,
    Line,
    Note,
    Symptoms,
    Temperature,
    View,
)
from app.schemas.households import PersonBody, WarningView
from app.schemas.quarantine import OrderView

declare("one-person", "每行须填 person_id 或 person 之一。", "Give either person_id or person.")
declare("only-if-away", "仅外出人员可填。", "Only for somebody who is away.")
declare("only-if-returned", "仅返乡人员可填。", "Only for somebody who has returned.")

T = TypeVar("T")


class LineBody(Body):
    """What was found of one person."""

    person_id: Id | None = Field(None, description="A registered member of the household.")
    person: PersonBody | None = Field(
        None, description="Somebody to register there; with a member's ID number it is that member."
    )
    id_seen: Flag = Field(description="Whether the ID card was seen (核对身份证).")
    whereabouts: Whereabouts
    away_to: Line | None = None
    returned_from: Line | None = None
    returned_on: Day | None = None
    exposure: Exposure
    temperature_c: Temperature | None = None
    symptoms: Symptoms = Field(default_factory=list)

    @field_validator("away_to")
    @classmethod
    def _away(cls, value: T, info: ValidationInfo) -> T:
        return _only_if(value, Whereabouts.AWAY, info)

    @field_validator("returned_from", "returned_on")
    @classmethod
    def _returned(cls, value: T, info: ValidationInfo) -> T:
        return _only_if(value, Whereabouts.RETURNED, info)

    @model_validator(mode="after")
    def _one_person(self) -> "LineBody":
        if (self.person_id is None) == (self.person is None):
            raise fault("one-person")
        return self


def _only_if(value: T, where: Whereabouts, info: ValidationInfo) -> T:
    if value is not None and info.data.get("whereabouts", where) != where:
        raise fault(f"only-if-{where}")
    return value


class CheckBody(Body):
    """One visit to one door."""

    id: Id | None = None
    household_id: Id
    occurred_at: Instant
    register_seen: Flag = Field(description="Whether the household's register book was seen (核对户口簿).")
    members: Annotated[list[LineBody], Field(max_length=100)] = Field(default_factory=list)
    note: Note | None = None


class LineView(View):
    """What was found of one person."""

    person_id: Id
    name: str
    id_seen: bool
    whereabouts: Whereabouts
    away_to: str | None
    returned_from: str | None
    returned_on: Day | None
    exposure: Exposure
    temperature_c: Temperature | None
    symptoms: list[str]
    quarantine_order_id: Id | None = Field(description="The order that this line opened.")


class CheckView(View):
    """A check of a household."""

    id: Id
    household_id: Id
    unit_code: Code
    occurred_at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    day: Day = Field(description="The day in the township's zone on which it counts.")
    register_seen: bool
    members: list[LineView]
    note: str | None
    unaccounted: list[Id] = Field(description="Registered people whom no line named.")
    quarantine_orders: list[OrderView] = Field(description="The orders that it opened.")
    author_id: Id
    recorded_at: Instant
    warnings: list[WarningView]
