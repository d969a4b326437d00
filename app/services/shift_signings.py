"""Coming on duty and going off it (签到、签退): every signing is kept; the first sign-in of each person counts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.language import Text
from app.core.outcome import Outcome
from app.core.problems import Conflict, NotFound, Problem, at
from app.core.work import Work
from app.domain.duty import Signing
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.models.duty import ShiftSigning
from app.schemas.duty import ShiftView, SigningBody
from app.services import batch
from app.services.batch import Item
from app.services.lanes import in_offices_name
from app.services.records import Noun, change, insert, lock, refuse_future
from app.services.shifts import SHIFTS, sees_turn, show_shift

declare("outside-shift", "签到(签退)时间与值守时间相差过大。", "This time lies too far from the shift.")

AROUND = timedelta(hours=12)
"""How far from a shift somebody may sign in or out: phones' clocks and long nights are forgiven."""

SIGNINGS = Noun(ShiftSigning, "shift.sign", ShiftView, RecordKind.SHIFT_SIGNING)

_KNOWN = """
SELECT p.staff_id, EXISTS (
    SELECT 1 FROM shift_signings g
    WHERE g.township_code = $1 AND g.shift_id = $2 AND g.staff_id = p.staff_id AND g.counted) AS came
FROM shift_posts p WHERE p.township_code = $1 AND p.shift_id = $2
"""


class NotPosted(Conflict):
    """Somebody who was never posted on the shift."""

    code = "not-posted"
    title = Text("不在值守名单", "Not posted")
    detail_text = Text("该人员不在此次值守名单中。", "This person is not posted on this shift.")


class ShiftCancelled(Conflict):
    """Somebody signs for a shift that was cancelled."""

    code = "shift-cancelled"
    title = Text("值守已取消", "Cancelled")
    detail_text = Text("此次值守已取消,不能签到(签退)。", "This shift was cancelled; nobody signs for it.")


async def sign(work: Work, shift_id: UUID, kind: Signing, body: SigningBody) -> Outcome[ShiftView]:
    """Sign somebody in or out, and show the shift.

    The outcome's problem is NotFound for a turn that the caller does not see, NotPosted, ShiftCancelled, Invalid for a
    time far from the shift, or IdReused.

    Raises:
        NotFound: no such shift, or not for this caller.
    """
    (item,) = await store_signings(work, shift_id, kind, [body])
    view = None if item.problem else await show_shift(work, shift_id)
    return Outcome(item.id, view, item.replayed, item.problem)


async def store_signings(
    work: Work, shift_id: UUID, kind: Signing, bodies: Sequence[SigningBody], moments: batch.Moments = None
) -> list[Item[SigningBody]]:
    """Sign people in or out and show nothing; raises and refuses as `sign` does."""
    shift = await lock(work, SHIFTS, shift_id)
    items = await batch.begin(work, SIGNINGS.name, f"{SIGNINGS.op}_{kind} {shift_id}", bodies, moments)
    await batch.settle_again(work, SIGNINGS.name, items)
    came = {r["staff_id"]: r["came"] for r in await work.sql.fetch(_KNOWN, work.township_code, shift_id)}
    more: dict[UUID, dict[str, Any]] = {}
    for item in items:
        if item.fresh:
            item.problem = _refusal(work, shift, came, item)
        if item.fresh:
            counted = kind is Signing.IN and not came[item.body.staff_id]
            came[item.body.staff_id] |= counted
            more[item.id] = _more(shift, kind, counted)
    stored = await insert(work, SIGNINGS, items, more)
    for item in stored:
        work.count(shift["unit_code"], shift["day"], Metric.SHIFTS_SIGNED_IN, int(more[item.id]["counted"]))
    if stored:
        async with in_offices_name(work):  # who is posted need not be of the unit whose shift it is
            await change(work, SHIFTS, shift_id, {"day": shift["day"]})
    return batch.settle_repeats(items)


def _more(shift: asyncpg.Record, kind: Signing, counted: bool) -> dict[str, Any]:
    own = {"shift_id": shift["id"], "unit_code": shift["unit_code"], "day": shift["day"]}
    return own | {"kind": kind, "counted": counted}


def _refusal(
    work: Work, shift: asyncpg.Record, came: dict[UUID, bool], item: Item[SigningBody]
) -> Problem | None:
    moment = item.moment.occurred_at
    refuse_future(work, item)
    if item.problem:
        return item.problem
    # Of another unit's shift one sees one's own turn. What was signed while the unit was one's own finds its way so.
    if item.body.staff_id != work.account_id and not work.sees_unit(shift["unit_code"]):
        return NotFound()
    if item.body.staff_id not in came or not sees_turn(work, shift["unit_code"], item.body.staff_id):
        return NotPosted()
    if shift["cancelled"]:
        return ShiftCancelled()
    if not shift["starts_at"] - AROUND <= moment <= shift["ends_at"] + AROUND:
        return at("/at", "outside-shift")
    return None
