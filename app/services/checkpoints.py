"""Checkpoints (卡点): one at a village's only open road, one at each entrance of the town."""

from uuid import UUID

import asyncpg

from app.core.ids import uuid7
from app.core.language import Text
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, IdReused, NotFound
from app.core.work import Work
from app.domain.checkpoints import default_rules
from app.domain.feed import RecordKind, gate_audience
from app.schemas.checkpoints import CheckpointBody, CheckpointPatch, CheckpointView
from app.services.checkpoint_places import check_place, places_of
from app.services.checkpoint_rules import keep_version, rules_document
from app.services.claims import content_hash, settle
from app.services.township_settings import settings_of


class NumberTaken(Conflict):
    """Another checkpoint of the township has this number."""

    code = "number-taken"
    title = Text("卡点编号已被占用", "Number taken")
    detail_text = Text("本镇已有卡点使用该编号。", "Another checkpoint of the township has this number.")
    constraints = ("uq_checkpoints_township_code_number",)


_COLUMNS = "id, number, unit_code, name, kind, rules_version"

# Locked, so that of two gates set up at once only one is the unit's first.
_UNIT = "SELECT 1 FROM units WHERE township_code = $1 AND unit_code = $2 FOR NO KEY UPDATE"

_FIRST = "SELECT NOT EXISTS (SELECT 1 FROM checkpoints WHERE township_code = $1 AND unit_code = $2)"

_INSERT = """
INSERT INTO checkpoints (township_code, id, unit_code, number, name, kind, rules_version, rules, content_hash,
    author_id, recorded_at, audience)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING
"""

_READ = f"SELECT {_COLUMNS} FROM checkpoints WHERE township_code = $1 AND id = $2"

_LIST = f"""
SELECT {_COLUMNS} FROM checkpoints
WHERE township_code = $1 AND ($2::uuid[] IS NULL OR id = ANY($2)) AND unit_code = coalesce($3, unit_code)
    AND number > $4::bigint
ORDER BY number LIMIT $5
"""

_RENAME = f"UPDATE checkpoints SET name = $3, rev = rev + 1 WHERE township_code = $1 AND id = $2 RETURNING {_COLUMNS}"


async def create_checkpoint(work: Work, body: CheckpointBody) -> Outcome[CheckpointView]:
    """Set up a checkpoint, with version 1 of the rules of its kind.

    The outcome's problem is NotFound for a unit that the caller does not see, NumberTaken, or IdReused.
    """
    id_ = body.id or uuid7()
    wanted = {id_: content_hash(work, "checkpoint", body)}
    known = await settle(work, "checkpoints", wanted)
    fresh = not known.replayed and not known.reused
    if fresh and await work.sql.fetchval(_UNIT, work.township_code, int(body.unit_code)) is None:
        return Outcome(id_, problem=NotFound())
    made = fresh and await _insert(work, id_, body, wanted[id_])
    if fresh and not made:
        known = await settle(work, "checkpoints", wanted)
    if known.reused:
        return Outcome(id_, problem=IdReused())
    if not made and not known.replayed:
        return Outcome(id_, problem=NumberTaken())
    return Outcome(id_, await show_checkpoint(work, id_), replayed=not made)


async def _insert(work: Work, id_: UUID, body: CheckpointBody, hash_: bytes) -> bool:
    rules = default_rules(body.kind, settings_of(work).temperature_limit_c)
    unit_code, document = int(body.unit_code), rules_document(rules)
    audience = gate_audience(body.number, await work.sql.fetchval(_FIRST, work.township_code, unit_code))
    row = (
        body.number,
        body.name,
        body.kind,
        rules.version,
        document,
        hash_,
        work.account_id,
        work.now,
        audience,
    )
    made: str = await work.sql.execute(_INSERT, work.township_code, id_, unit_code, *row)
    if made == "INSERT 0 0":
        return False
    await keep_version(work, id_, unit_code, rules.version, document)
    work.touch(RecordKind.CHECKPOINT, [id_])
    return True


async def list_checkpoints(work: Work, unit_code: int | None, paging: Paging) -> Page[CheckpointView]:
    """Return a page of the checkpoints that the caller may see, by number."""
    (behind,) = paging.key(int) or (0,)
    rows = await work.sql.fetch(
        _LIST, work.township_code, places_of(work), unit_code, behind, paging.limit + 1
    )
    shown = rows[: paging.limit]
    more = mark(shown[-1]["number"]) if len(rows) > len(shown) else None
    return Page(items=[_view(row) for row in shown], next=more)


async def show_checkpoint(work: Work, checkpoint_id: UUID) -> CheckpointView:
    """Return one checkpoint.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    check_place(work, checkpoint_id)
    return _view(await work.sql.fetchrow(_READ, work.township_code, checkpoint_id))


async def change_checkpoint(work: Work, checkpoint_id: UUID, body: CheckpointPatch) -> CheckpointView:
    """Rename a checkpoint.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    if not body.model_fields_set:
        return await show_checkpoint(work, checkpoint_id)
    work.touch(RecordKind.CHECKPOINT, [checkpoint_id])
    return _view(await work.sql.fetchrow(_RENAME, work.township_code, checkpoint_id, body.name))


def _view(row: asyncpg.Record | None) -> CheckpointView:
    if row is None:
        raise NotFound
    return CheckpointView.model_validate(dict(row))
