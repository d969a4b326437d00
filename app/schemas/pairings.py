"""Pairing (contract, section 14): 党员一带一、一带多."""

from typing import Annotated

from pydantic import Field

from app.schemas.fields import Body, Code, Flag, Id, Instant, View
from app.schemas.townships import unset

HouseholdIds = Annotated[
    list[Id],
    Field(min_length=1, max_length=200, description="Of one unit; one that is named twice is named once."),
]


class PairingBody(Body):
    """Somebody looks after households of their own unit."""

    id: Id | None = None
    staff_id: Id
    household_ids: HouseholdIds


class PairingPatch(Body):
    """A change: other households (the whole list), somebody else, or the end of it."""

    staff_id: Id = unset()
    household_ids: HouseholdIds = unset()
    ended: Flag = unset()


class PairingView(View):
    """A pairing as it stands."""

    id: Id
    unit_code: Code = Field(description="The unit of the households.")
    staff_id: Id
    household_ids: list[Id] = Field(
        description="A household that has moved to another unit is no longer here."
    )
    ended: bool
    author_id: Id
    recorded_at: Instant
    rev: int


class LonelyHousehold(View):
    """A household that nobody looks after."""

    id: Id
    unit_code: Code
    address: str
    register_no: str | None


class PairedNumbers(View):
    """How many households somebody looks after."""

    households: int
    paired: int
    unpaired: int


class UnitPairing(PairedNumbers):
    """One unit's."""

    unit_code: Code
    name: str


class PairingCoverage(View):
    """How far the pairing has come: the numbers, and a page of the households with nobody."""

    code: str
    totals: PairedNumbers
    units: list[UnitPairing]
    items: list[LonelyHousehold] = Field(description="Households with nobody, by unit; a page.")
    next: str | None
