"""Reports for dashboards: JSON, CSV or XLSX, with strong ETags."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BeforeValidator
from starlette.responses import Response

from app.access import allow, allow_briefly
from app.core.paging import ascii_number
from app.core.representations import CSV, JSON, choose, represent
from app.core.strict_route import StrictRoute
from app.core.tables import XLSX
from app.core.work import OpenWork, Work
from app.domain.permissions import Permission
from app.schemas.fields import Day, ScopeCode, instant_text
from app.schemas.reports import DailyReportView, MetricsView, SeriesView, columns
from app.services import frozen_reports, metric_definitions, reports, series
from app.services.series import Level

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=StrictRoute)

_OFFERED = (JSON, CSV, XLSX)
Reader = Annotated[OpenWork, allow_briefly(Permission.REPORTS_READ)]
_BOTH: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            CSV: {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    },
    304: {"description": "What you hold (If-None-Match) is still the answer."},
    406: {"description": "Neither JSON nor CSV nor XLSX is accepted."},
}


@router.get("/daily", response_model=DailyReportView, responses=_BOTH)
async def daily(
    open_work: Reader,
    request: Request,
    day: Annotated[Day | None, Query(description="Default: today in the township's zone.")] = None,
    code: Annotated[ScopeCode | None, Query(description="Default: the caller's whole scope.")] = None,
    revision: Annotated[
        int | None,
        BeforeValidator(ascii_number),
        Query(ge=1, le=2**31 - 1, description="A frozen report: 1 as of `report_due`, 2 of the whole day."),
    ] = None,
) -> Response:
    """The numbers of a day by unit, with totals that are exactly their sums. The clinic gets those of quarantine.

    Without `revision` they are live. Revision 1 was frozen when the units' reports were due, revision 2 at the day's
    end; later ones say what changed, and which records did it.

    As CSV: one row a unit, `unit_code,name` and then the metrics; denials by reason have a column each.
    """
    media = choose(request.headers, _OFFERED)
    async with open_work() as work:
        frozen = await frozen_reports.frozen(work, day, code, revision) if revision else None
        report = frozen.report if frozen else await reports.daily(work, day, code)
    more = frozen.more() if frozen else {}
    units = [
        {"unit_code": str(u["unit_code"]), "name": u["name"], **reports.shown(u, report.metrics)}
        for u in report.units
    ]
    if media != JSON:
        heads = ["unit_code", "name", *columns(report.metrics)]
        return await _table(request, media, report.day.isoformat(), heads, list(map(_flat, units)))
    answer = {
        "day": report.day.isoformat(),
        "code": report.code,
        "as_of": instant_text(report.as_of),
        "completeness": {"units_expected": len(units), "units_reported": report.reported()},
        "totals": report.totals(),
        "units": units,
        "links": metric_definitions.links(work, report.day, code),
    }
    return represent(request.headers, _to_json(answer | more), JSON)


@router.get("/series", response_model=SeriesView, responses=_BOTH)
async def show_series(
    open_work: Reader,
    request: Request,
    metrics: Annotated[
        str,
        Query(max_length=1000, pattern="^[a-z_.]+(,[a-z_.]+)*$", description="Names, separated by commas."),
    ],
    first: Annotated[Day, Query(alias="from")],
    last: Annotated[Day, Query(alias="to")],
    code: Annotated[ScopeCode | None, Query(description="Default: the caller's whole scope.")] = None,
    by: Annotated[Level, Query(description="One row a day, or a division over the whole span.")] = Level.DAY,
) -> Response:
    """Metrics over a span of at most 400 days. Facts are summed over the days of a row, stocks stand as at its end.

    `denials_by_reason` gives one metric a reason, such as `denials_by_reason.fever`.
    """
    media = choose(request.headers, _OFFERED)
    async with open_work() as work:
        found = await series.series(work, metrics.split(","), first, last, code, by)
    heads = ["day"] if by is Level.DAY else ["code", "name"]
    if media != JSON:
        return await _table(request, media, f"{first} {last}", [*heads, *found.metrics], found.rows)
    answer = {
        "metrics": found.metrics,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "by": by.value,
        "as_of": instant_text(found.as_of),
        "rows": found.rows,
    }
    return represent(request.headers, _to_json(answer), JSON)


@router.get("/metrics")
async def show_metrics(work: Annotated[Work, allow(Permission.REPORTS_READ)]) -> MetricsView:
    """What each metric of the reports means: its definition, its unit, whether it is a fact of a day or a stock."""
    return MetricsView(items=metric_definitions.definitions(work))


async def _table(
    request: Request, media: str, title: str, heads: list[str], rows: Sequence[Mapping[str, Any]]
) -> Response:
    """Return a table in the format that is asked for."""
    body = await request.app.state.kit.sheets.build(media, title, heads, rows)
    return represent(request.headers, body, media)


def _to_json(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _flat(unit: Mapping[str, Any]) -> dict[str, Any]:
    reasons = unit.get("denials_by_reason", {})
    return {**unit, **{f"denials_by_reason.{reason}": n for reason, n in reasons.items()}}
