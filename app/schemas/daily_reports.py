"""A unit's daily report (contract, section 11): counted by the system, and what the cadre declares beside it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.core.validation import fault
from app.domain.daily_reports import Timing
from app.domain.metrics import REPORTED
from app.schemas.fields import Body, Code, Day, Id, Instant, Note, UnitCode, View, Whole

_NAMES = frozenset(metric.value for metric in REPORTED)


def _known(declared: dict[str, int]) -> dict[str, int]:
    if not declared.keys() <= _NAMES:
        raise fault("unknown-metric")
    return declared


Declared = Annotated[
    dict[str, Annotated[Whole, Field(ge=0, le=10_000_000)]],
    Field(max_length=len(_NAMES), json_schema_extra={"propertyNames": {"enum": sorted(_NAMES)}}),
    AfterValidator(_known),
]


class SubmitBody(Body):
    """What a cadre adds to what the system has counted: only where it differs, or cannot be known."""

    id: Id | None = None
    declared: Declared = Field(default_factory=dict, description="Metrics of the daily report by name.")
    note: Note | None = None


class SubmitOp(SubmitBody):
    """The same as an operation of a phone, which has no path to name unit and day."""

    unit_code: UnitCode
    day: Day


class DailyReportHead(View):
    """How a unit's report of a day stands."""

    unit_code: Code
    name: str
    status: Timing = Field(
        description="By the first report that came; `missing` also while it is not due yet."
    )
    submitted_at: Instant | None = Field(None, description="When the first report was received.")
    corrected_at: Instant | None = Field(None, description="When the latest was, if there are several.")
    declared: dict[str, int] = Field(description="As in the latest report.")
    difference: dict[str, int] = Field(description="Declared less counted, for each metric that is declared.")
    note: str | None = None


class DailyReportView(DailyReportHead):
    """A unit's report of a day, filled in as far as the system knows."""

    day: Day
    due_at: Instant
    counted: dict[str, int] = Field(description="From the unit's own records, as they stand now.")
    author_id: Id | None = Field(None, description="Who sent the latest.")


class DailyReportsView(View):
    """The reports of all units in the caller's scope."""

    day: Day
    due_at: Instant
    on_time: int
    late: int
    missing: int
    items: list[DailyReportHead]
