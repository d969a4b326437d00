"""The reports that leave: the daily report and series, for dashboards."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, create_model

from app.domain.daily_reports import Standing
from app.domain.enums import DenyReason
from app.domain.metrics import REPORTED, Metric
from app.schemas.fields import Day, Id, Instant, View
from app.schemas.townships import unset

_counts: dict[str, Any] = {
    metric.value: (int | None, Field(None, description="Left out where the caller's role may not read it."))
    for metric in REPORTED
}
_reasons: dict[str, Any] = {reason.value: (int, 0) for reason in DenyReason}

DeniedByReason = create_model("DeniedByReason", __base__=View, **_reasons)
Metrics = create_model("Metrics", __base__=View, denials_by_reason=(DeniedByReason | None, None), **_counts)


class UnitMetrics(Metrics):
    """One unit's numbers."""

    unit_code: str
    name: str


class Completeness(View):
    """How much of the township speaks in the numbers."""

    units_expected: int = Field(description="Units in the scope.")
    units_reported: int = Field(description="Units with at least one record of that day.")


class ReportTimings(View):
    """How many units had reported by then."""

    on_time: int
    late: int
    missing: int


class CausingRecord(View):
    """A record that came later, by its place in a feed."""

    kind: str
    id: Id
    scope: str
    seq: int


class ReportChangeView(View):
    """One number that changed."""

    unit_code: str
    metric: str
    before: int
    after: int
    records: list[CausingRecord] = unset()


class DailyReportView(View):
    """The numbers of one day; the sums over the units equal the totals."""

    day: Day
    code: str = Field(description="The scope; several are joined by commas.")
    as_of: Instant = Field(description="When the newest change that the answer includes was made.")
    completeness: Completeness
    totals: Metrics
    units: list[UnitMetrics]
    links: dict[str, str] = Field(
        default_factory=dict,
        description="Of each metric: where the records behind it are read, as far as the caller may.",
    )
    revision: int = unset()
    status: Standing = unset()
    made_at: Instant = unset()
    reports: ReportTimings = unset()
    positions: dict[str, int] = Field(
        default_factory=dict,
        description="Of a revision: how far each unit's feed had come. What came later is not in it.",
    )
    changes: list[ReportChangeView] = Field(
        default_factory=list,
        description="Of a revision: what it says otherwise than the one before, and by which records.",
    )


class MetricView(View):
    """What a metric means."""

    name: Metric
    title: str
    unit: str = Field(description="What is counted: people, households, times.")
    kind: Literal["fact", "stock"] = Field(
        description="A fact belongs to its day and is summed over days; a stock stands at the day's end."
    )
    formula: str
    version: int = Field(description="Rises when a definition comes to mean something else.")


class MetricsView(View):
    """The metrics that the caller may read."""

    items: list[MetricView]


class SeriesRow(View):
    """One row: a day, or a division of the chosen level, and the metrics asked for."""

    model_config = ConfigDict(extra="allow")

    day: Day | None = None
    code: str | None = None
    name: str | None = None


class SeriesView(View):
    """Metrics over a span of days."""

    metrics: list[str]
    from_: Day = Field(alias="from")
    to: Day
    by: str
    as_of: Instant
    rows: list[SeriesRow]


def columns(metrics: tuple[Metric, ...]) -> list[str]:
    """Return the columns of a table of these metrics; denials are followed by one column a reason."""
    names: list[str] = []
    for metric in metrics:
        names.append(metric.value)
        if metric is Metric.DENIALS:
            names += [f"denials_by_reason.{reason.value}" for reason in DenyReason]
    return names
