"""Supplies (物资): what there is to move, the moves, and what stands where."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Numeric
from sqlmodel import Field

from app.models.base import Event, TownshipData, Written, points_to


class SupplyItem(Written, table=True):
    """A kind of thing, known to all units of the township."""

    __tablename__ = "supply_items"

    name: str
    unit_of_measure: str
    per_person_per_shift: Decimal = Field(sa_type=Numeric(12, 3))
    per_site: Decimal = Field(sa_type=Numeric(12, 3))
    min_stock: Decimal = Field(sa_type=Numeric(12, 3))


class SupplyMove(Event, table=True):
    """A move: `quantity` was taken from one account and given to another. Of a correction it may be negative."""

    __tablename__ = "supply_moves"
    __table_args__ = (
        points_to("supply_items", "item_id"),
        Index("ix_supply_moves_time", "township_code", "at", "id"),
    )

    item_id: UUID
    kind: str
    quantity: Decimal = Field(sa_type=Numeric(12, 3))
    taken_code: int = Field(sa_type=BigInteger)
    taken_from: str
    given_code: int = Field(sa_type=BigInteger)
    given_to: str
    note: str | None = None


class SupplyStock(TownshipData, table=True):
    """How much of an item stands in a place: the sum of all moves there."""

    __tablename__ = "supply_stocks"
    __table_args__ = (
        points_to("supply_items", "item_id"),
        CheckConstraint("balance >= 0 OR place NOT IN ('stock', 'on_the_way')", name="never_negative"),
    )

    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    item_id: UUID = Field(primary_key=True)
    place: str = Field(primary_key=True)
    balance: Decimal = Field(sa_type=Numeric(20, 3))
