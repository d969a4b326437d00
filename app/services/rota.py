"""The rota (轮班): night turns for a span of days, A and B alternating, of those who are free, fit and rested."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from app.core.ids import uuid8
from app.core.problems import NotFound, at
from app.core.scope import TOWNSHIP_DIGITS, code_range, township_row
from app.core.work import Work
from app.domain.duty import Group, ShiftKind, Span, dealt, other, turn
from app.schemas.duty import RotaBody, RotaView, ShiftBody
from app.services.postings import Bench, bench_of, staff_of_units
from app.services.shifts import store_judged

MOST_DAYS = 31

_UNITS = """
SELECT unit_code FROM units WHERE township_code = $1 AND unit_code >= $2 AND unit_code < $3 ORDER BY unit_code
"""
_BEFORE = """
SELECT unit_code, min(turn) AS turn FROM shifts
WHERE township_code = $1 AND unit_code = ANY($2) AND day = $3 AND kind = 'night' AND NOT cancelled GROUP BY unit_code
"""
_THERE = "SELECT id, unit_code FROM shifts WHERE township_code = $1 AND id = ANY($2)"


@dataclass(frozen=True, slots=True)
class Turn:
    """One night of one unit."""

    id: UUID
    former_id: UUID
    unit_code: int
    group: Group
    span: Span


async def generate(work: Work, body: RotaBody) -> RotaView:
    """Plan the nights that are not planned yet. The same call again makes nothing twice.

    Raises:
        NotFound: the code is not within the caller's scope, or has no unit.
        Invalid: a span that ends before it begins, or is longer than 31 days.
    """
    if not work.caller.scope.contains(body.code):
        raise NotFound
    if not 0 <= (body.to - body.from_).days < MOST_DAYS:
        raise at("/to", "out-of-range")
    units = await _places(work, body.code)
    if not units:
        raise NotFound
    turns = list(_turns(work, body, await _firsts(work, body, units)))
    bench = await bench_of(work, await staff_of_units(work, units), (one.span for one in turns))
    groups = {unit: dealt(bench.of_unit(unit)) for unit in units}
    missing = await _missing(work, turns)
    items = await store_judged(work, [_shift(bench, one, body, groups[one.unit_code]) for one in missing])
    # Where nobody could be locked, a parallel plan may still have been quicker with a night: then it is there.
    made = [item.body for item in items if item.problem is None and not item.replayed]
    vacant = sum(not shift.staff_ids for shift in made)
    return RotaView(created=len(made), existing=len(turns) - len(made), vacant=vacant)


async def _missing(work: Work, turns: Sequence[Turn]) -> list[Turn]:
    """Return the nights that are not there yet; to be asked behind the lock, for which another plan was waited."""
    ids = [id_ for one in turns for id_ in (one.id, one.former_id)]
    rows = await work.sql.fetch(_THERE, work.township_code, ids)
    there = {(row["unit_code"], row["id"]) for row in rows}
    return [
        one for one in turns if there.isdisjoint({(one.unit_code, one.id), (one.unit_code, one.former_id)})
    ]


async def _places(work: Work, code: str) -> list[int]:
    own = township_row(work.township_code)
    if code == str(own):
        return [own]
    rows = await work.sql.fetch(_UNITS, work.township_code, *code_range(code))
    office = [own] if len(code) == TOWNSHIP_DIGITS else []
    return office + [row["unit_code"] for row in rows] if rows else []


async def _firsts(work: Work, body: RotaBody, units: Sequence[int]) -> dict[int, Group]:
    """Return with which group each unit begins: as asked, or with the other one than the night before."""
    if body.first is not None:
        return dict.fromkeys(units, body.first)
    rows = await work.sql.fetch(_BEFORE, work.township_code, units, body.from_ - timedelta(days=1))
    return dict.fromkeys(units, Group.A) | {row["unit_code"]: other(Group(row["turn"])) for row in rows}


def _turns(work: Work, body: RotaBody, firsts: Mapping[int, Group]) -> Iterator[Turn]:
    zone = work.township.zone
    starts, ends = time.fromisoformat(body.night.starts), time.fromisoformat(body.night.ends)
    for day in (body.from_ + timedelta(days=n) for n in range((body.to - body.from_).days + 1)):
        end_day = day if ends > starts else day + timedelta(days=1)
        begin = datetime.combine(day, starts, zone).astimezone(UTC)
        for unit, first in firsts.items():
            span = Span(_id(work, unit, day), begin, datetime.combine(end_day, ends, zone).astimezone(UTC))
            yield Turn(span.shift_id, _former_id(unit, day), unit, turn(first, body.from_, day), span)


def _id(work: Work, unit_code: int, day: date) -> UUID:
    """Return the id of a unit's night of a day: the same whoever plans, so that no night is planned twice.

    It is a keyed hash, because ids are a township's, while a shift is its unit's: who could foretell the id of another
    unit's night could take it for a shift of their own.
    """
    return uuid8(work.vault.fingerprint("rota-night", f"{unit_code} {day}"))


def _former_id(unit_code: int, day: date) -> UUID:
    """Return the id that the night had when it was planned before ids were keyed."""
    return uuid5(UUID(int=unit_code), f"night {day}")


def _shift(bench: Bench, one: Turn, body: RotaBody, groups: dict[Group, list[UUID]]) -> ShiftBody:
    """Return a night with those of its group who can serve it."""
    free = [id_ for id_ in groups[one.group] if bench.refusal(id_, one.unit_code, one.span) is None][:100]
    bench.post(free, one.span)
    return ShiftBody(
        id=one.id,
        unit_code=str(one.unit_code),
        team=body.team,
        kind=ShiftKind.NIGHT,
        group=one.group,
        starts_at=one.span.starts_at,
        ends_at=one.span.ends_at,
        staff_ids=free,
    )
