"""Report layouts (报表版式)."""

from typing import Any

from sqlmodel import Field

from app.models.base import Written, document


class ReportLayout(Written, table=True):
    """The declaration of a sheet; it is the township's, for all of its units."""

    __tablename__ = "report_layouts"

    title: str
    columns: list[dict[str, Any]] = document(default_factory=list)
    group_by: str
    file: str
    rev: int = Field(default=1)
