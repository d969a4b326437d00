"""Closures (关停、限行): the township's, each with how it stands on a day by that day's inspections."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound, Problem, at
from app.core.scope import code_range, township_row
from app.core.work import Work
from app.domain.closures import state
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.models.closures import Closure
from app.schemas.closures import ClosureBody, ClosurePatch, ClosureView
from app.services import batch
from app.services.batch import Item
from app.services.records import Noun, change, insert, lock
from app.services.townships import hold_units
from app.services.units import known_units

declare(
    "exactly-one",
    "商户、赶场、道路须填写且只能填写一项。",
    "Exactly one of a venue, a market or a road is named.",
)
declare("before-start", "结束日期不能早于开始日期。", "The last day is before the first.")

CLOSURES = Noun(Closure, "closure.create", ClosureView, RecordKind.CLOSURE, PhotoKind.CLOSURE)

_VENUES = "SELECT id, unit_code FROM venues WHERE township_code = $1 AND id = ANY($2)"

# A market closure shuts the markets of its unit; that of the township's own row, all that the caller sees.
_SHUT = f"""
SELECT {CLOSURES.shown}, s.venues, s.inspected, s.found_open FROM closures
CROSS JOIN LATERAL (
    SELECT count(*) AS venues, count(i.found) AS inspected, count(*) FILTER (WHERE i.found <> 'closed') AS found_open
    FROM venues v LEFT JOIN LATERAL (
        SELECT g.found FROM inspections g WHERE g.township_code = $1 AND g.venue_id = v.id AND g.day = $2
        ORDER BY g.at DESC, g.id DESC LIMIT 1) i ON true
    WHERE v.township_code = $1 AND (v.id = closures.venue_id OR (closures.market_code IS NOT NULL AND v.active
        AND v.kind = 'market' AND closures.market_code IN (v.unit_code, $1 * 1000)))) s
WHERE closures.township_code = $1
"""
_ONES = f"{_SHUT} AND closures.id = ANY($3)"
_LIST = f"""{_SHUT} AND $2 BETWEEN starts_on AND coalesce(ends_on, $2)
    AND ((unit_code >= $3 AND unit_code < $4) OR unit_code = $1 * 1000)
    AND ($5::timestamptz IS NULL OR (recorded_at, id) < ($5, $6::uuid))
ORDER BY recorded_at DESC, id DESC LIMIT $7
"""


async def create_closures(work: Work, bodies: Sequence[ClosureBody]) -> list[Outcome[ClosureView]]:
    """Shut venues, market days and roads, as `store_closures` does, and show them."""
    items = await store_closures(work, bodies)
    return batch.outcomes(items, await _views(work, [item.id for item in items if item.problem is None]))


async def store_closures(
    work: Work, bodies: Sequence[ClosureBody], moments: batch.Moments = None
) -> list[Item[ClosureBody]]:
    """Shut venues, market days and roads, and show nothing.

    An item's problem is NotFound for a venue or place that the caller does not see, Invalid for none or several of
    them or days in the wrong order, or IdReused.
    """
    items = await batch.begin(work, CLOSURES.name, CLOSURES.op, bodies, moments)
    fresh = [item for item in items if item.fresh]
    named = {item.body.venue_id for item in fresh if item.body.venue_id}
    rows = await work.sql.fetch(_VENUES, work.township_code, list(named))
    place_of = {row["id"]: row["unit_code"] for row in rows}
    own = township_row(work.township_code)
    markets = {_market(item.body) for item in fresh}
    places = await known_units(work, {code for code in markets if code}) | {own}
    more: dict[UUID, dict[str, Any]] = {}
    for item in fresh:
        unit = _place(item, place_of, own)
        item.problem = _refusal(item.body) or (
            None if unit in places | set(place_of.values()) else NotFound()
        )
        more[item.id] = {"unit_code": unit, "market_code": _market(item.body)}
    await hold_units(work)
    for item in await insert(work, CLOSURES, items, more):
        unit_code: int = more[item.id]["unit_code"]
        work.count(unit_code, item.body.starts_on, Metric.CLOSURES)
        _count_end(work, unit_code, item.body.ends_on, -1)
    return batch.settle_repeats(items)


def _count_end(work: Work, unit_code: int, ends_on: date | None, amount: int) -> None:
    """What is shut for the last time on a day is not shut any more on the next."""
    if ends_on is not None:
        work.count(unit_code, ends_on + timedelta(days=1), Metric.CLOSURES, amount)


def _market(body: ClosureBody) -> int | None:
    """Return where the market days are, as 12 digits: of nine digits, the township's own row."""
    return int(body.market_code.ljust(12, "0")) if body.market_code else None


def _place(item: Item[ClosureBody], place_of: dict[UUID, int], own: int) -> int | None:
    body = item.body
    return place_of.get(body.venue_id) if body.venue_id else _market(body) or own


def _refusal(body: ClosureBody) -> Problem | None:
    named = [one for one in (body.venue_id, body.market_code, body.road) if one is not None]
    if len(named) != 1:
        return at("/venue_id", "exactly-one")
    return _ends_before(body.starts_on, body.ends_on)


def _ends_before(starts_on: date, ends_on: date | None) -> Problem | None:
    return at("/ends_on", "before-start") if ends_on is not None and ends_on < starts_on else None


async def change_closure(work: Work, closure_id: UUID, body: ClosurePatch) -> ClosureView:
    """Change a closure's last day, or its notice.

    Raises:
        NotFound: no such closure, or not for this caller.
        Invalid: the last day is before the first.
    """
    await hold_units(work)
    stored = await lock(work, CLOSURES, closure_id)
    sent = body.model_dump(exclude_unset=True)
    refusal = _ends_before(stored["starts_on"], sent.get("ends_on"))
    if refusal:
        raise refusal
    changed = {name: value for name, value in sent.items() if stored[name] != value}
    if changed:
        await change(work, CLOSURES, closure_id, changed)
    if "ends_on" in changed:
        _count_end(work, stored["unit_code"], stored["ends_on"], 1)
        _count_end(work, stored["unit_code"], changed["ends_on"], -1)
    return await show_closure(work, closure_id, None)


async def show_closure(work: Work, closure_id: UUID, day: date | None) -> ClosureView:
    """Return one closure as it stands on a day (today).

    Raises:
        NotFound: no such closure, or not for this caller.
    """
    found = await _views(work, [closure_id], day)
    if closure_id not in found:
        raise NotFound
    return found[closure_id]


async def list_closures(work: Work, paging: Paging, code: str | None, day: date | None) -> Page[ClosureView]:
    """Return a page of what is shut on a day (today), newest first: in a code, and in the township as a whole.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    day, span = day or work.today, code_range(code or str(work.township_code))
    behind: tuple[Any, ...] = paging.key(datetime, UUID) or (None, None)
    rows = await work.sql.fetch(_LIST, work.township_code, day, *span, *behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["recorded_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(row, day) for row in shown], next=more)


async def _views(work: Work, ids: Sequence[UUID], day: date | None = None) -> dict[UUID, ClosureView]:
    rows = await work.sql.fetch(_ONES, work.township_code, day or work.today, list(ids))
    return {row["id"]: _view(row, day or work.today) for row in rows}


def _view(row: asyncpg.Record, day: date) -> ClosureView:
    stands = state(row["venues"], row["inspected"], row["found_open"])
    return ClosureView.model_validate(dict(row) | {"day": day, "state": stands})
