"""Households and people (contract, section 4): what enters and what leaves."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from app.domain.enums import Exposure, Whereabouts
from app.schemas.fields import (
    Body,
    Code,
    Day,
    Id,
    Instant,
    Line,
    Name,
    Phone,
    Symptoms,
    UnitCode,
    View,
    Whole,
)
from app.schemas.townships import unset

Sex = Literal["male", "female"]

IdNumberText = Annotated[
    str,
    StringConstraints(max_length=64),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{15}$|^[0-9]{17}[0-9Xx]$"}),
    Field(
        description="18 digits (GB 11643); an old number of 15 is upgraded. Sex and birth date follow from it."
    ),
]
"""An ID number as sent; the service reads it, so that a fault names its place in the household."""

BaseRev = Annotated[Whole, Field(ge=1, le=2**31 - 1, description="The `rev` that the edit was made from.")]


_MOVE = "The household moves with its people and their open matters; the township's act only."


_LEARNED = "What was learned since the last check; an exposed person at home is quarantined at once."


class PersonBody(Body):
    """A person to register."""

    id: Id | None = None
    name: Name
    id_number: IdNumberText | None = None
    sex: Sex | None = None
    birth_date: Day | None = None
    phone: Phone | None = None
    relation: Line | None = Field(None, description="To the head of the household (与户主关系).")


class HouseholdBody(Body):
    """A household to register, with its people."""

    id: Id | None = None
    unit_code: UnitCode
    address: Line
    register_no: Line | None = Field(None, description="The number of the household's register book (户号).")
    head: PersonBody
    members: Annotated[list[PersonBody], Field(max_length=99)] = Field(
        default_factory=list, description="Everybody but the head."
    )


class HouseholdPatch(Body):
    """A change of a household; what is left out stays."""

    base_rev: BaseRev
    address: Line = unset()
    register_no: Line | None = unset()
    head_id: Annotated[Id, Field(description="A member of the household.")] = unset()
    unit_code: Annotated[UnitCode, Field(description=_MOVE)] = unset()


class PersonPatch(Body):
    """A change of a person; what is left out stays, null clears."""

    base_rev: BaseRev
    name: Name = unset()
    id_number: IdNumberText | None = unset()
    sex: Sex | None = unset()
    birth_date: Day | None = unset()
    phone: Phone | None = unset()
    relation: Line | None = unset()
    exposure: Annotated[Exposure, Field(description=_LEARNED)] = unset()
    symptoms: Symptoms = unset()


class RevealBody(Body):
    """Why somebody needs to see a full ID number."""

    id: Id | None = None
    purpose: Line


class WarningView(View):
    """Something to look at again; nothing was refused for it."""

    pointer: str = Field(
        description="A JSON pointer into the object that holds the warnings; of a check, into what was sent."
    )
    code: str
    message: str = Field(description="In the language of the request.")


class PersonView(View):
    """A registered person."""

    id: Id
    household_id: Id
    unit_code: Code
    name: str
    id_number: str | None = Field(description="Masked: 511303********123X.")
    sex: Sex | None
    birth_date: Day | None
    phone: str | None
    relation: str | None
    whereabouts: Whereabouts | None = Field(description="As the last check found; null before the first.")
    exposure: Exposure | None = Field(description="As the last check found; null before the first.")
    symptoms: list[str] = Field(description="As the last check found.")
    away_to: str | None
    returned_from: str | None
    returned_on: Day | None
    checked_at: Instant | None = Field(description="When the last check that named the person took place.")
    quarantined: bool = Field(description="Whether a quarantine order is active.")
    quarantine_order_id: Id | None = Field(description="The active order.")
    created_at: Instant
    rev: int
    warnings: list[WarningView]


class HouseholdView(View):
    """A household with its people."""

    id: Id
    unit_code: Code
    address: str
    register_no: str | None
    head: PersonView
    members: list[PersonView] = Field(description="Everybody but the head, in the order of registration.")
    checked_at: Instant | None = Field(description="When the latest check took place; null: never checked.")
    created_at: Instant
    rev: int
    warnings: list[WarningView]


class RevealView(View):
    """A full ID number, and the record of its having been shown."""

    id: Id
    person_id: Id
    id_number: str | None = Field(description="In full; null where none is registered.")
    purpose: str
    author_id: Id
    recorded_at: Instant


class RevealLogView(View):
    """One look at an ID number: who, when, and what for."""

    id: Id
    person_id: Id
    purpose: str
    author_id: Id
    recorded_at: Instant
