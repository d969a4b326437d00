"""Village sales (流动售卖): who brings food into which villages, and when."""

from datetime import date
from typing import Any

from sqlalchemy import Index

from app.models.base import Written, day_field, document, texts


class MarketRound(Written, table=True):
    """A vendor's round through villages on one day: the township's, for all of its units."""

    __tablename__ = "market_rounds"
    __table_args__ = (Index("ix_market_rounds_day", "township_code", "day", "id"),)

    vendor: str
    goods: list[str] = texts()
    day: date = day_field()
    stops: list[dict[str, Any]] = document(default_factory=list)
    """In the order sent: `unit_code` (as text, 12 digits) and `at`."""
    cancelled: bool = False
    rev: int = 1
