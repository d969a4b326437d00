"""Shifts (值守): planned with the people posted on them, changed, and shown with their gaps."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from app.core.language import Text
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, NotFound, Problem
from app.core.scope import code_range, township_row
from app.core.work import Work
from app.domain.days import local_day
from app.domain.duty import Span
from app.domain.enums import Role
from app.domain.feed import RecordKind
from app.models.duty import Shift
from app.schemas.duty import ShiftBody, ShiftPatch, ShiftView
from app.services import batch
from app.services.batch import Item
from app.services.lanes import in_offices_name
from app.services.patrols import span_refusal
from app.services.postings import Bench, StaffUnfit, bench_of
from app.services.records import Noun, change, insert, lock
from app.services.units import known_units

SHIFTS = Noun(Shift, "shift.create", ShiftView, RecordKind.SHIFT)


class ShiftSigned(Conflict):
    """A shift for which somebody has signed is to be put off to another day."""

    code = "shift-signed"
    title = Text("已有人签到", "Signed in already")
    detail_text = Text(
        "已有人在此次值守签到(签退),不能改到其他日期;请另行安排一次值守。",
        "Somebody signed for this shift; it stays on its day. Plan another one.",
    )


_POST = """
INSERT INTO shift_posts (township_code, unit_code, shift_id, staff_id, starts_at, ends_at, off)
SELECT $1, n.unit_code, n.shift_id, n.staff_id, n.starts_at, n.ends_at, n.off
FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::bool[])
    AS n(unit_code, shift_id, staff_id, starts_at, ends_at, off)
ON CONFLICT (township_code, shift_id, staff_id) DO UPDATE
    SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, off = excluded.off
"""
_POSTED = "SELECT staff_id FROM shift_posts WHERE township_code = $1 AND shift_id = $2 AND NOT off"
_SEEN = "SELECT id FROM {table} WHERE township_code = $1 AND id = ANY($2)"
_SIGNED = "SELECT EXISTS (SELECT 1 FROM shift_signings WHERE township_code = $1 AND shift_id = $2)"
_VIEW = """
SELECT t.id, t.unit_code, t.team, t.kind, t.turn, t.starts_at, t.ends_at, t.day, t.cancelled, t.rev,
    p.staff_id, s.name, s.active AND s.health = 'fit' AS fit,
    (SELECT min(g.at) FROM shift_signings g WHERE g.township_code = $1 AND g.shift_id = t.id
        AND g.staff_id = p.staff_id AND g.kind = 'in') AS signed_in_at,
    (SELECT max(g.at) FROM shift_signings g WHERE g.township_code = $1 AND g.shift_id = t.id
        AND g.staff_id = p.staff_id AND g.kind = 'out') AS signed_out_at
FROM shifts t LEFT JOIN shift_posts p ON p.township_code = $1 AND p.shift_id = t.id AND NOT p.off
LEFT JOIN staff s ON s.township_code = $1 AND s.id = p.staff_id
WHERE t.township_code = $1 AND t.id = ANY($2) ORDER BY s.name, p.staff_id
"""
_THERE = """
FROM shifts t WHERE t.township_code = $1 AND t.day = coalesce($2, t.day) AND t.unit_code >= $3 AND t.unit_code < $4
"""
_LIST = f"""
SELECT t.id, t.unit_code, t.starts_at {_THERE}
    AND ($5::bool IS NULL OR t.id = ANY ($6) AND $5 = (NOT t.cancelled AND NOT EXISTS (
        SELECT 1 FROM shift_posts p WHERE p.township_code = $1 AND p.shift_id = t.id AND NOT p.off)))
    AND ($7::timestamptz IS NULL OR (t.starts_at, t.unit_code, t.id) > ($7, $8::bigint, $9::uuid))
ORDER BY t.starts_at, t.unit_code, t.id LIMIT $10
"""


async def create_shifts(work: Work, bodies: Sequence[ShiftBody]) -> list[Outcome[ShiftView]]:
    """Plan shifts, as `store_shifts` does, and show them."""
    items = await store_shifts(work, bodies)
    return batch.outcomes(items, await views(work, [item.id for item in items if item.problem is None]))


async def store_shifts(
    work: Work, bodies: Sequence[ShiftBody], moments: batch.Moments = None
) -> list[Item[ShiftBody]]:
    """Plan shifts and show nothing.

    An item's problem is NotFound for a unit or somebody that the caller does not see, Invalid for times that cannot
    be, StaffUnfit, ShiftOverlap, RestTooShort, or IdReused.
    """
    items = await batch.begin(work, SHIFTS.name, SHIFTS.op, bodies, moments)
    fresh = [item for item in items if item.fresh]
    known = await _places(work, {int(item.body.unit_code) for item in fresh})
    people = [id_ for item in fresh for id_ in item.body.staff_ids]
    bench = await bench_of(work, people, map(_span, fresh))
    await batch.settle_again(work, SHIFTS.name, items)
    for item in items:
        if item.fresh:
            item.problem = _refusal(bench, item) if int(item.body.unit_code) in known else NotFound()
    return await _store(work, items)


async def store_judged(work: Work, bodies: Sequence[ShiftBody]) -> list[Item[ShiftBody]]:
    """Plan shifts of the caller's units whose people were found on a bench, which is still held."""
    return await _store(work, await batch.begin(work, SHIFTS.name, SHIFTS.op, bodies))


async def _store(work: Work, items: Sequence[Item[ShiftBody]]) -> list[Item[ShiftBody]]:
    zone = work.township.zone
    more = {
        item.id: {"turn": item.body.group, "day": local_day(item.body.starts_at, zone), "cancelled": False}
        for item in items
        if item.fresh
    }
    stored = await insert(work, SHIFTS, items, more)
    await _post(work, [(int(i.body.unit_code), _span(i), id_) for i in stored for id_ in i.body.staff_ids])
    return batch.settle_repeats(items)


async def _places(work: Work, codes: set[int]) -> frozenset[int]:
    """Return where there may be shifts: units, and for the township's office its own row."""
    own = {township_row(work.township_code)} if work.caller.role == Role.TOWNSHIP else set()
    return await known_units(work, codes) | (own & codes)


def _span(item: Item[ShiftBody]) -> Span:
    return Span(item.id, item.body.starts_at, item.body.ends_at)


def _refusal(bench: Bench, item: Item[ShiftBody]) -> Problem | None:
    body, span = item.body, _span(item)
    return _fits(bench, int(body.unit_code), span, body.staff_ids)


def _fits(bench: Bench, unit_code: int, span: Span, staff_ids: Iterable[UUID]) -> Problem | None:
    """Return why people cannot be posted on a shift; where they can, note that they are."""
    wrong = span_refusal(span.starts_at, span.ends_at, "/ends_at")
    wanted = list(dict.fromkeys(staff_ids))
    refusals = (bench.refusal(id_, unit_code, span) for id_ in wanted)
    wrong = wrong or next((refusal for refusal in refusals if refusal), None)
    if wrong is None:
        bench.post(wanted, span)
    return wrong


async def _post(work: Work, posts: Sequence[tuple[int, Span, UUID]], off: bool = False) -> None:
    if posts:
        rows = {
            (s.shift_id, id_): (unit, s.shift_id, id_, s.starts_at, s.ends_at, off) for unit, s, id_ in posts
        }
        await work.sql.execute(_POST, work.township_code, *map(list, zip(*rows.values(), strict=True)))


async def change_shift(work: Work, shift_id: UUID, body: ShiftPatch) -> ShiftView:
    """Change a shift: its times, its people, or cancel it.

    Raises:
        NotFound: no such shift, or not of the caller's units; or somebody that the caller does not see.
        ShiftSigned: somebody has signed for it on the day from which it is to be moved.
        Problem: as `store_shifts` refuses; nothing is changed.
    """
    shift = await lock(work, SHIFTS, shift_id)
    if not work.sees_unit(shift["unit_code"]):
        raise NotFound
    posted = {row["staff_id"] for row in await work.sql.fetch(_POSTED, work.township_code, shift_id)}
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = set(sent.pop("staff_ids", posted))
    fields = {"turn" if name == "group" else name: value for name, value in sent.items()}
    starts_at, ends_at = fields.get("starts_at", shift["starts_at"]), fields.get("ends_at", shift["ends_at"])
    span, unit = Span(shift_id, starts_at, ends_at), shift["unit_code"]
    day = local_day(starts_at, work.township.zone)
    # Who came on one day has not come on another, and counts where the signing was.
    if day != shift["day"] and await work.sql.fetchval(_SIGNED, work.township_code, shift_id):
        raise ShiftSigned
    if fields.get("cancelled", shift["cancelled"]):
        wanted = set()
    # Who is there already is judged anew only where the times are other ones: they may have left.
    same = (starts_at, ends_at) == (shift["starts_at"], shift["ends_at"])
    await _judge(work, unit, span, wanted - posted, set() if same else wanted & posted)
    await _post(work, [(unit, span, id_) for id_ in posted - wanted], off=True)
    await _post(work, [(unit, span, id_) for id_ in wanted])
    await change(work, SHIFTS, shift_id, fields | {"day": day})
    return await show_shift(work, shift_id)


async def _judge(work: Work, unit_code: int, span: Span, new: set[UUID], there: set[UUID]) -> None:
    """Judge people for a shift: of who is there already, also those whom the caller does not see, as the office's."""
    if len(await work.sql.fetch(_SEEN.format(table="staff"), work.township_code, new)) < len(new):
        raise NotFound
    async with in_offices_name(work):
        bench = await bench_of(work, new | there, [span])
    refusal = _fits(bench, unit_code, span, sorted(new))
    if refusal is None:
        left = _fits(bench, unit_code, span, sorted(there))
        refusal = StaffUnfit() if isinstance(left, NotFound) else left
    if refusal:
        raise refusal


async def show_shift(work: Work, shift_id: UUID) -> ShiftView:
    """Return one shift.

    Raises:
        NotFound: no such shift, or not for this caller.
    """
    found = await views(work, [shift_id])
    if shift_id not in found:
        raise NotFound
    return found[shift_id]


async def list_shifts(
    work: Work, paging: Paging, day: date | None, code: str | None, vacant: bool | None
) -> Page[ShiftView]:
    """Return a page of the shifts that the caller sees, by their start.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    behind = paging.key(datetime, int, UUID) or (None, None, None)
    where = (work.township_code, day, *code_range(code or str(work.township_code)))
    rest = (*behind, paging.limit + 1)
    if vacant is None:
        rows = await work.sql.fetch(_LIST, *where, None, None, *rest)
    else:  # whether anybody is posted, the caller need not see
        seen = [row["id"] for row in await work.sql.fetch(f"SELECT t.id {_THERE}", *where)]
        async with in_offices_name(work):
            rows = await work.sql.fetch(_LIST, *where, vacant, seen, *rest)
    shown = rows[: paging.limit]
    found = await views(work, [row["id"] for row in shown])
    more = (
        mark(*(shown[-1][part] for part in ("starts_at", "unit_code", "id")))
        if len(rows) > len(shown)
        else None
    )
    return Page(items=[found[row["id"]] for row in shown], next=more)


async def views(work: Work, ids: Sequence[UUID]) -> dict[UUID, ShiftView]:
    """Return the shifts that the caller sees, by id; who is posted is read in the office's name, and is one for all."""
    seen = await work.sql.fetch(_SEEN.format(table="shifts"), work.township_code, ids)
    async with in_offices_name(work):
        rows = await work.sql.fetch(_VIEW, work.township_code, [row["id"] for row in seen])
    of_shift: dict[UUID, list[asyncpg.Record]] = {}
    for row in rows:
        of_shift.setdefault(row["id"], []).append(row)
    return {id_: _view(work, rows) for id_, rows in of_shift.items()}


def sees_turn(work: Work, unit_code: int, staff_id: UUID) -> bool:
    """Tell whether the caller sees somebody's turn in a unit: cadres all of their units, others their own."""
    cadre = work.caller.role not in (Role.CHECKPOINT, Role.CLINIC) and work.sees_unit(unit_code)
    return cadre or staff_id == work.account_id


def _view(work: Work, rows: Sequence[asyncpg.Record]) -> ShiftView:
    shift: dict[str, Any] = dict(rows[0])
    everybody = [row for row in rows if row["staff_id"] is not None]
    posts = [row for row in everybody if sees_turn(work, shift["unit_code"], row["staff_id"])]
    begun = shift["starts_at"] <= work.now and not shift["cancelled"]
    return ShiftView.model_validate(
        shift
        | {
            "staff_ids": [row["staff_id"] for row in posts],
            "posts": [dict(row) for row in posts],
            "vacant": not everybody and not shift["cancelled"],
            "unfit": [row["staff_id"] for row in posts if not row["fit"]],
            "not_signed_in": [row["staff_id"] for row in posts if begun and row["signed_in_at"] is None],
        }
    )
