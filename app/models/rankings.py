"""What the ranking of a finished day rests on, kept so that the day has one ranking for ever."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field

from app.models.base import TownshipData, day_field, document


class RankingFacts(TownshipData, table=True):
    """What one unit did on a day, and the formula and weights that were in force."""

    __tablename__ = "ranking_facts"

    day: date = day_field(primary_key=True)
    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    formula_version: int
    weights: dict[str, Any] = document()
    facts: dict[str, Any] = document()
