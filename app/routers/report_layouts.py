"""Report layouts: one entry, many forms."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.access import allow, allow_briefly
from app.core.paging import Page, Paged
from app.core.problems import NotAcceptable
from app.core.representations import CSV, choose, represent
from app.core.strict_route import StrictRoute
from app.core.tables import XLSX
from app.core.work import OpenWork, Work
from app.domain.layouts import FileKind
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Day, Id, Line, ScopeCode
from app.schemas.report_layouts import LayoutBody, LayoutView
from app.services import layout_rows, report_layouts
from app.services.layout_rows import Wanted

router = APIRouter(prefix="/v1/report-layouts", tags=["reports"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.LAYOUTS_READ)]

_SHEET: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            CSV: {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@router.get("")
async def list_layouts(work: Reader, paging: Paged) -> Page[LayoutView]:
    """List the township's layouts, newest first, then those that come with wangge."""
    return await report_layouts.list_layouts(work, paging)


@router.post("", status_code=201)
async def create_layout(
    work: Annotated[Work, allow(Permission.LAYOUTS_WRITE)], body: LayoutBody, response: Response
) -> LayoutView:
    """Declare a sheet: what a row stands for, and which metrics or fields its columns show."""
    return created(response, (await report_layouts.create_layouts(work, [body]))[0])


@router.get("/{layout_id}")
async def show_layout(work: Reader, layout_id: Id) -> LayoutView:
    """Show one layout."""
    return await report_layouts.show_layout(work, layout_id)


@router.get("/{layout_id}/render", response_class=Response, responses=_SHEET)
async def render_layout(
    open_work: Annotated[OpenWork, allow_briefly(Permission.LAYOUTS_READ)],
    request: Request,
    layout_id: Id,
    day: Annotated[Day | None, Query(description="Today if left out.")] = None,
    code: ScopeCode | None = None,
    purpose: Annotated[
        Line | None,
        Query(
            description="What full ID numbers and phones are wanted for. Left out, they are masked; given, every "
            "look at a person's is logged, as `GET /v1/people/{person_id}/reveals` shows."
        ),
    ] = None,
) -> Response:
    """Fill a sheet from the records: as CSV or XLSX as the layout says, or as the one of them that `Accept` prefers."""
    async with open_work() as work:
        layout = await report_layouts.show_layout(work, layout_id)
        wanted = Wanted(layout, day or work.today, code, purpose)
        rows = await layout_rows.rows_of(work, wanted)
    media_type, heads = _media_type(request, layout.file), [column.header for column in wanted.columns]
    body = await request.app.state.kit.sheets.build(media_type, wanted.day.isoformat(), heads, rows)
    return represent(request.headers, body, media_type, secret=wanted.of_people)


def _media_type(request: Request, declared: FileKind) -> str:
    """Return what the caller prefers of the two; what the layout says, where that is neither."""
    offered = (CSV, XLSX) if declared is FileKind.CSV else (XLSX, CSV)
    try:
        return choose(request.headers, offered)
    except NotAcceptable:
        return offered[0]
