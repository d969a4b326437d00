"""Village sales (流动售卖): rounds that the township arranges, and the units that have had none for days.

Source: 组织肉菜水果进村流动售卖,切实杜绝了人员外出流动.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.field_texts import declare
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound, Problem, at
from app.core.scope import code_range, township_row
from app.core.work import Work
from app.domain.days import local_day
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.models.market_rounds import MarketRound
from app.schemas.market_rounds import GapsView, RoundBody, RoundPatch, RoundView, UnservedUnit
from app.services import batch, records
from app.services.batch import Item
from app.services.records import Noun, change, insert, lock, show
from app.services.townships import hold_units
from app.services.units import known_units

declare("another-day", "停靠时间不在当日。", "The stop is not on the round's day.")

ROUNDS = Noun(MarketRound, "market_round.create", RoundView, RecordKind.MARKET_ROUND)

_STOPS = """
SELECT m.day, (s->>'unit_code')::bigint AS unit_code FROM market_rounds m, jsonb_array_elements(m.stops) AS s
WHERE m.township_code = $1 AND NOT m.cancelled
"""
_GAPS = f"""
SELECT u.unit_code, u.name, max(r.day) FILTER (WHERE r.day <= $4) AS last_on,
    min(r.day) FILTER (WHERE r.day > $4) AS next_on
FROM units u LEFT JOIN ({_STOPS}) AS r ON r.unit_code = u.unit_code
WHERE u.township_code = $1 AND u.unit_code >= $2 AND u.unit_code < $3
GROUP BY u.unit_code, u.name
HAVING coalesce(max(r.day) FILTER (WHERE r.day <= $4) < $5, true) ORDER BY u.unit_code
"""
_LIST = """
SELECT * FROM market_rounds m WHERE township_code = $1 AND ($2::date IS NULL OR day = $2)
    AND EXISTS (SELECT 1 FROM jsonb_array_elements(m.stops) AS s
        WHERE (s->>'unit_code')::bigint >= $3 AND (s->>'unit_code')::bigint < $4)
    AND ($5::timestamptz IS NULL OR (recorded_at, id) < ($5, $6::uuid))
ORDER BY recorded_at DESC, id DESC LIMIT $7
"""


async def create_rounds(work: Work, bodies: Sequence[RoundBody]) -> list[Outcome[RoundView]]:
    """Arrange rounds, as `store_rounds` does, and show them."""
    return await records.outcomes(work, ROUNDS, await store_rounds(work, bodies))


async def store_rounds(
    work: Work, bodies: Sequence[RoundBody], moments: batch.Moments = None
) -> list[Item[RoundBody]]:
    """Arrange rounds and show nothing.

    An item's problem is NotFound for a stop in a unit that the caller does not see, Invalid for a stop on another
    day, or IdReused.
    """
    items = await batch.begin(work, ROUNDS.name, ROUNDS.op, bodies, moments)
    fresh = [item for item in items if item.fresh]
    known = await known_units(work, {int(stop.unit_code) for item in fresh for stop in item.body.stops})
    for item in fresh:
        unknown = {int(stop.unit_code) for stop in item.body.stops} - known
        item.problem = NotFound() if unknown else _refusal(work, item.body)
    own = {"unit_code": township_row(work.township_code), "cancelled": False}
    await hold_units(work)
    for item in await insert(work, ROUNDS, items, {item.id: own for item in fresh}):
        _count(work, item.body.day, [int(stop.unit_code) for stop in item.body.stops], 1)
    return batch.settle_repeats(items)


def _count(work: Work, day: date, units: Iterable[int], amount: int) -> None:
    for unit in units:
        work.count(unit, day, Metric.MARKET_STOPS, amount)


def _refusal(work: Work, body: RoundBody) -> Problem | None:
    days = (local_day(stop.at, work.township.zone) for stop in body.stops)
    wrong = (position for position, day in enumerate(days) if day != body.day)
    return next((at(f"/stops/{position}/at", "another-day") for position in wrong), None)


async def change_round(work: Work, round_id: UUID, body: RoundPatch) -> RoundView:
    """Call a round off, or let it take place after all.

    Raises:
        NotFound: no such round, or not for this caller.
    """
    await hold_units(work)
    stored = await lock(work, ROUNDS, round_id)
    if body.cancelled not in (None, stored["cancelled"]):
        await change(work, ROUNDS, round_id, {"cancelled": body.cancelled})
        units = [int(stop["unit_code"]) for stop in stored["stops"]]
        _count(work, stored["day"], units, -1 if body.cancelled else 1)
    return await show(work, ROUNDS, round_id)


async def list_rounds(work: Work, paging: Paging, day: date | None, code: str | None) -> Page[RoundView]:
    """Return a page of the township's rounds, newest first: on a day, and with a stop in a code.

    Every unit reads them all: a villager asks as well where the next village buys.

    Raises:
        NotFound: the code is not within the caller's township.
    """
    whole = str(work.township_code)
    if code is not None and not code.startswith(whole):
        raise NotFound
    behind: tuple[Any, ...] = paging.key(datetime, UUID) or (None, None)
    arguments = (day, *code_range(code or whole), *behind, paging.limit + 1)
    rows = await work.sql.fetch(_LIST, work.township_code, *arguments)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["recorded_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[RoundView.model_validate(dict(row)) for row in shown], next=more)


async def gaps(work: Work, days: int, code: str | None) -> GapsView:
    """Return the units in a code (by default: the caller's) where no vendor stopped in the last days, today included.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    begin, span = work.today - timedelta(days=days - 1), code_range(code or str(work.township_code))
    rows = await work.sql.fetch(_GAPS, work.township_code, *span, work.today, begin)
    units = [UnservedUnit.model_validate(dict(row)) for row in rows]
    return GapsView(from_=begin, to=work.today, units=units)
