"""Issuing and revoking passes (通行证)."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.language import Text
from app.core.outcome import Outcome
from app.core.problems import Conflict, NotFound, Problem, at
from app.core.u64 import to_signed
from app.core.work import Work
from app.domain.passes import ANY_GATE, LONGEST, Pass, PassClass, holder_tag
from app.schemas.passes import PassBody, PassView
from app.services import batch
from app.services.gate_keys import FURTHEST_START, SigningKey, pass_key
from app.services.pass_codes import write_code
from app.services.pass_views import CODE, pass_views, show_pass
from app.services.sealing import seal, unseal

declare("pass-too-long", "通行证最长45天。", "A pass lasts at most 45 days.")
declare("not-after-start", "结束时间须晚于开始时间。", "The end must lie after the beginning.")
declare("before-1970", "时间须在1970年以后。", "A time after 1970 is needed.")


class InQuarantine(Conflict):
    """Nobody in home quarantine gets a pass."""

    code = "in-quarantine"
    title = Text("居家隔离期间", "In home quarantine")
    detail_text = Text(
        "此人正在居家隔离,不能签发通行证。", "This person is in home quarantine and gets no pass."
    )


_PEOPLE = """
SELECT id, unit_code, id_sealed, quarantine_order_id FROM people WHERE township_code = $1 AND id = ANY($2)
ORDER BY id FOR SHARE
"""
_GATES = "SELECT id, number FROM checkpoints WHERE township_code = $1 AND id = ANY($2)"
_INSERT = """
INSERT INTO passes (township_code, author_id, recorded_at, id, unit_code, content_hash, person_id, class, checkpoint_id,
    purposes, valid_from, valid_to, key_number, key_id, number, payload, code_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT DO NOTHING RETURNING id
"""
_REVOKE = """
UPDATE passes SET revoked_at = $3, revoked_by = $4, revoke_reason = $5
WHERE township_code = $1 AND id = $2 AND revoked_at IS NULL
"""
_REVOKE_OF = """
UPDATE passes SET revoked_at = $3, revoked_by = $4, revoke_reason = $5
WHERE township_code = $1 AND person_id = ANY($2) AND revoked_at IS NULL AND valid_to > $3
"""
_LAST_SIX = 6


async def issue_passes(work: Work, bodies: Sequence[PassBody]) -> list[Outcome[PassView]]:
    """Issue passes.

    An item's problems: NotFound (the person or the checkpoint), InQuarantine, Invalid, IdReused.
    """
    items = await batch.begin(work, "passes", "pass.issue", bodies)
    people = await _people(work, {item.body.person_id for item in items if item.fresh})
    gates = await _gates(work, {i.body.checkpoint_id for i in items if i.fresh and i.body.checkpoint_id})
    for item in items:
        if item.fresh:
            item.problem = _refusal(work, item.body, people, gates)
    fresh, losers = [item for item in items if item.fresh], []
    key = await pass_key(work) if fresh else None
    for item in fresh:
        assert key is not None
        gate = gates[item.body.checkpoint_id] if item.body.checkpoint_id else ANY_GATE
        if not await _issue(work, key, item, people[item.body.person_id], gate):
            losers.append(item)
    await batch.follow_winners(work, "passes", losers)
    views = await pass_views(work, [item.id for item in items if item.problem is None])
    return batch.outcomes(items, views)


async def _people(work: Work, ids: Iterable[UUID]) -> Mapping[UUID, asyncpg.Record]:
    """Keep the people as they are until their passes are stored: nobody is quarantined meanwhile."""
    rows = await work.sql.fetch(_PEOPLE, work.township_code, list(ids))
    return {row["id"]: row for row in rows}


async def _gates(work: Work, ids: Iterable[UUID]) -> Mapping[UUID, int]:
    rows = await work.sql.fetch(_GATES, work.township_code, list(ids))
    return {row["id"]: row["number"] for row in rows}


def _refusal(
    work: Work, body: PassBody, people: Mapping[UUID, asyncpg.Record], gates: Mapping[UUID, int]
) -> Problem | None:
    """Return why a pass cannot be issued."""
    person = people.get(body.person_id)
    if person is None or (body.checkpoint_id is not None and body.checkpoint_id not in gates):
        return NotFound()
    if body.valid_from.timestamp() < 0:
        return at("/valid_from", "before-1970")
    if body.valid_from > work.now + FURTHEST_START:
        return at("/valid_from", "out-of-range")
    if body.valid_to <= body.valid_from:
        return at("/valid_to", "not-after-start")
    if body.valid_to - body.valid_from > LONGEST:
        return at("/valid_to", "pass-too-long")
    return InQuarantine() if person["quarantine_order_id"] is not None else None


_MINUTE = timedelta(minutes=1)


def _minutes(valid_from: datetime, valid_to: datetime) -> tuple[int, int]:
    """Return the first minute of Unix time and how many it lasts; begun minutes count whole, up to the longest."""
    first = int(valid_from.timestamp() // 60)
    return first, min(-int(-valid_to.timestamp() // 60) - first, LONGEST // _MINUTE)


async def _issue(
    work: Work, key: SigningKey, item: batch.Item[PassBody], person: asyncpg.Record, gate: int
) -> bool:
    """Sign and store one pass; tell whether its id was free."""
    body = item.body
    said = _said(work, body, key, person, gate)
    payload = said.pack()
    code = write_code(payload, key.sign_pass(payload))
    made = await work.sql.fetchval(
        _INSERT,
        work.township_code,
        work.account_id,
        work.now,
        item.id,
        person["unit_code"],
        item.content_hash,
        person["id"],
        body.class_,
        body.checkpoint_id,
        body.purposes,
        said.valid_from,
        said.valid_to,
        key.number,
        key.id,
        to_signed(said.number),
        payload,
        seal(work, CODE, item.id, code),
    )
    return made is not None


def _said(work: Work, body: PassBody, key: SigningKey, person: asyncpg.Record, gate: int) -> Pass:
    starts, minutes = _minutes(body.valid_from, body.valid_to)
    number = secrets.randbits(64)
    id_number = unseal(work, "people.id_number", person["id"], person["id_sealed"]) or ""
    tag = holder_tag(number, id_number[-_LAST_SIX:])
    return Pass(key.number, starts, minutes, PassClass(body.class_), gate, tag, number)


async def revoke_pass(work: Work, pass_id: UUID, reason: str | None) -> PassView:
    """Revoke a pass for good; one that is revoked already stays as it is.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
    """
    await work.sql.execute(_REVOKE, work.township_code, pass_id, work.now, work.account_id, reason)
    return await show_pass(work, pass_id)


async def revoke_passes_of(
    work: Work, people: Sequence[UUID], reason: Literal["quarantine", "id-number"]
) -> None:
    """Revoke passes of people who are put under quarantine, or whose ID number changes: the holder tag is wrong."""
    await work.sql.execute(_REVOKE_OF, work.township_code, people, work.now, work.account_id, reason)
