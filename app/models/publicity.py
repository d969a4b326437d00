"""Publicity (宣传): the township's catalogue of materials, and what units did with them."""

from uuid import UUID

from sqlalchemy import Index

from app.models.base import Event, Written, points_to, texts


class PublicityMaterial(Written, table=True):
    """Something to hand out, put up or read out: the township's, for all of its units."""

    __tablename__ = "publicity_materials"

    name: str
    kind: str
    quota_per_unit: int | None = None
    rev: int = 1


class PublicityLog(Event, table=True):
    """So many of a material were handed out, put up or read out in a unit; `kind` is the material's."""

    __tablename__ = "publicity_logs"
    __table_args__ = (
        points_to("publicity_materials", "material_id"),
        Index("ix_publicity_logs_time", "township_code", "at", "id"),
        Index("ix_publicity_logs_unit", "township_code", "unit_code", "material_id"),
    )

    material_id: UUID
    kind: str
    count: int
    photo_ids: list[str] = texts()
