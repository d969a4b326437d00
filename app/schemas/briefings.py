"""The daily meeting's page and its minutes (contract, section 11): 6点线上工作交流会."""

from pydantic import Field

from app.domain.command_orders import Requires
from app.domain.enums import AlertKind
from app.schemas.command_orders import Codes, LongText, Progress
from app.schemas.fields import Body, Code, Day, Id, Instant, Line, View
from app.schemas.rankings import RankingView
from app.schemas.reports import Metrics
from app.schemas.townships import unset


class DecisionBody(Body):
    """A decision of the meeting, which becomes a draft order."""

    title: Line
    body: LongText
    codes: Codes
    due_at: Instant
    requires: Requires


class MinutesBody(Body):
    """What was said and decided."""

    id: Id | None = None
    text: LongText
    decisions: list[DecisionBody] = Field(
        default_factory=list,
        max_length=20,
        description="Each becomes an order, issued at `orders_issued` of that day.",
    )


class MinutesView(View):
    """Minutes of a meeting."""

    id: Id
    day: Day
    text: str
    order_ids: list[Id]
    author_id: Id
    recorded_at: Instant


class UnitName(View):
    """A unit."""

    unit_code: Code
    name: str


class ReportsState(View):
    """Which units have reported."""

    due_at: Instant
    on_time: int
    late: int
    missing: int
    missing_units: list[UnitName]


class OpenOrder(View):
    """An order that some unit has not acknowledged."""

    id: Id
    title: str
    issued_at: Instant
    due_at: Instant
    progress: Progress
    silent_units: list[UnitName]


class BriefingView(View):
    """The page of the daily meeting, in the caller's scope."""

    day: Day
    meeting_at: Instant
    as_of: Instant
    totals: Metrics
    yesterday: Metrics
    change: dict[str, int] = Field(description="Today less yesterday, by metric.")
    reports: ReportsState = unset()
    alerts_open: dict[AlertKind, int] = Field(description="As far as the caller sees them.")
    orders_not_acknowledged: list[OpenOrder]
    ranking: RankingView = unset()
    minutes: list[MinutesView]
