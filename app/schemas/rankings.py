"""The units' ranking (contract, section 11): 评比."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer, WithJsonSchema

from app.domain.rankings import Component
from app.schemas.fields import Code, Day, View

Points = Annotated[
    Decimal,
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]


class PartView(View):
    """One component of a score."""

    component: Component
    share: Points = Field(description="Between 0 and 1.")
    points: Points = Field(description="What it gave of the 100.")
    of: Points = Field(description="What it could give.")
    done: int | None = None
    due: int | None = None


class PlaceView(View):
    """A unit's place; units with the same score share it."""

    unit_code: Code
    name: str
    rank: int
    score: Points
    components: list[PartView] = Field(validation_alias="parts")
    not_counted: list[Component] = Field(
        description="In which the unit had nothing to do: the others stand for it."
    )


class RankingView(View):
    """The ranking of a day."""

    day: Day
    formula_version: int
    weights: dict[Component, int]
    final: bool = Field(description="Whether the day is over: then its ranking stays as it is for ever.")
    ranked: int = Field(description="How many units were ranked; those in the caller's scope are shown.")
    units: list[PlaceView]


class FormulaView(View):
    """The published formula."""

    version: int
    weights: dict[Component, int]
    text: str
    components: dict[Component, str]
    prior: int
    quick_minutes: int
    slow_minutes: int
