"""Pairing (一带一、一带多): who looks after which households."""

from uuid import UUID

from sqlalchemy import Index

from app.models.base import Written, ids


class Pairing(Written, table=True):
    """Somebody of a unit's staff and the households of that unit whom they look after.

    A household that moves to another unit leaves its pairings: the row never names a household of another unit.
    """

    __tablename__ = "pairings"
    __table_args__ = (
        Index("ix_pairings_unit", "township_code", "unit_code"),
        Index("ix_pairings_recorded", "township_code", "recorded_at", "id"),
    )

    staff_id: UUID
    household_ids: list[UUID] = ids()
    ended: bool = False
    rev: int = 1
