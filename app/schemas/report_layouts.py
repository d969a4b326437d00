"""Report layouts (contract, section 16): one entry, many forms."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from app.core.field_texts import declare
from app.core.validation import fault
from app.domain.enums import DenyReason
from app.domain.layouts import FIELDS, Across, FileKind, Format, GroupBy, suits
from app.domain.metrics import REPORTED
from app.schemas.fields import Body, Flag, Id, Instant, Line, Name, View

declare("metric-or-field", "每列须且只须指定一个指标或字段。", "A column has either a metric or a field.")
declare("unknown-field", "此类行没有该字段。", "Rows of this kind have no such field.")
declare("same-header", "两列的表头相同。", "Two columns have the same header.")
declare("no-metrics-here", "按户或按人的表没有指标列。", "Sheets of households or people have no metrics.")
declare("format-unsuited", "该列不能采用此格式。", "This column cannot be written so.")

METRICS = {metric.value: metric.value for metric in REPORTED} | {
    f"denials_by_reason.{reason.value}": f"denied_{reason.value}" for reason in DenyReason
}
"""What a column may name as a metric, and which counter that is."""


class ColumnBody(Body):
    """One column."""

    header: Line
    metric: Line | None = Field(None, description="A metric of the daily report (`GET /v1/reports/metrics`).")
    field: Line | None = Field(
        None, description="A field of the rows; which there are depends on `group_by`."
    )
    format: Format | None = None
    total: Flag = Field(
        False, description="Of a metric that is a fact: summed over all days up to the one asked for."
    )
    across: Across = Field(Across.SUM, description="Of a township's row: the units' sum, least or most.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "ColumnBody":
        if (self.metric is None) == (self.field is None):
            raise fault("metric-or-field")
        if self.metric is not None and self.metric not in METRICS:
            raise fault("unknown-metric")
        if self.format is not None and (self.field is None or not suits(self.field, self.format)):
            raise fault("format-unsuited")
        return self


class LayoutBody(Body):
    """The declaration of a sheet."""

    id: Id | None = None
    title: Name
    columns: Annotated[list[ColumnBody], Field(min_length=1, max_length=60)]
    group_by: GroupBy
    file: FileKind

    @model_validator(mode="after")
    def _fields_of_its_rows(self) -> "LayoutBody":
        if len({column.header for column in self.columns}) < len(self.columns):
            raise fault("same-header")
        for column in self.columns:
            if column.field is not None and column.field not in FIELDS[self.group_by]:
                raise fault("unknown-field")
            if column.metric is not None and self.group_by in (GroupBy.HOUSEHOLD, GroupBy.PERSON):
                raise fault("no-metrics-here")
        return self


class LayoutView(View):
    """A layout."""

    id: Id
    title: str
    columns: list[dict[str, Any]]
    group_by: GroupBy
    file: FileKind
    recorded_at: Instant
    built_in: bool = Field(False, description="Comes with wangge, for every township.")
