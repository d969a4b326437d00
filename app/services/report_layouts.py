"""Report layouts (报表版式): kept for a township, listed beside those that come with wangge."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import IdReused
from app.core.scope import township_row
from app.core.work import Work
from app.models.report_layouts import ReportLayout
from app.schemas.report_layouts import LayoutBody, LayoutView
from app.services import batch, records
from app.services.built_in_layouts import BUILT_IN
from app.services.records import Noun, insert

LAYOUTS = Noun(ReportLayout, "report-layout.create", LayoutView)


async def create_layouts(work: Work, bodies: Sequence[LayoutBody]) -> list[Outcome[LayoutView]]:
    """Keep layouts. An outcome's problem is IdReused."""
    items = await batch.begin(work, LAYOUTS.name, LAYOUTS.op, bodies)
    for item in items:
        if item.id in BUILT_IN:
            item.problem = IdReused()
    await insert(work, LAYOUTS, items, {i.id: {"unit_code": township_row(work.township_code)} for i in items})
    return await records.outcomes(work, LAYOUTS, items)


async def list_layouts(work: Work, paging: Paging) -> Page[LayoutView]:
    """Return a page of the township's layouts, newest first; those that come with wangge stand last."""
    page = await records.page(work, LAYOUTS, paging)
    if page.next is not None:
        return page
    behind = paging.key(datetime, UUID)
    more = [one for one in BUILT_IN.values() if behind is None or (one.recorded_at, one.id) < behind]
    shown = [*page.items, *more]
    last = shown[paging.limit - 1] if len(shown) > paging.limit else None
    return Page(items=shown[: paging.limit], next=mark(last.recorded_at, last.id) if last else None)


async def show_layout(work: Work, id_: UUID) -> LayoutView:
    """Return one layout.

    Raises:
        NotFound: no such layout.
    """
    return BUILT_IN.get(id_) or await records.show(work, LAYOUTS, id_)
