"""Funds (专项经费): grants and spendings, and what is left."""

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, Numeric
from sqlmodel import Field

from app.models.base import Event, TownshipData, texts


class Fund(Event, table=True):
    """Money granted, spent or returned."""

    __tablename__ = "funds"
    __table_args__ = (Index("ix_funds_time", "township_code", "at", "id"),)

    kind: str
    amount_yuan: Decimal = Field(sa_type=Numeric(12, 2))
    purpose: str
    photo_ids: list[str] = texts()


class FundBalance(TownshipData, table=True):
    """How much money stands in a purse of a unit: the sum of all records of it."""

    __tablename__ = "fund_balances"
    __table_args__ = (CheckConstraint("balance >= 0 OR place <> 'in_hand'", name="never_negative"),)

    unit_code: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    place: str = Field(primary_key=True)
    balance: Decimal = Field(sa_type=Numeric(20, 2))
