"""The scopes of the feed that a caller reads, and where each of them stands."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID, uuid4

from app.core.problems import NotFound
from app.core.scope import township_row
from app.core.work import Work
from app.domain.enums import Role
from app.domain.feed import AUDIENCES_OF, UNIT, scope_parts
from app.services.checkpoint_places import places_of
from app.services.sync.cursors import Cursor, Position, ScopeKey

# A cursor that does not find its own last row is from a history that is gone.
_HEADS = """
WITH mine AS (
    SELECT unit_code, audience FROM units CROSS JOIN unnest($2::text[]) AS a(audience)
    WHERE township_code = $1 AND audience <> 'checkpoint'
    UNION ALL
    SELECT unit_code, audience FROM checkpoints
    WHERE township_code = $1 AND 'checkpoint' = ANY($2) AND ($3::uuid[] IS NULL OR id = ANY($3))
    UNION ALL
    SELECT $8::bigint, 'unit' WHERE $8 IS NOT NULL
)
SELECT m.unit_code, m.audience, coalesce(h.seq, 0) AS seq, left(encode(h.hash, 'hex'), 8) AS mark,
    c.seq IS NULL OR c.seq = 0 OR (
        SELECT left(encode(f.hash, 'hex'), 8) FROM feed f
        WHERE f.township_code = $1 AND f.unit_code = m.unit_code AND f.audience = m.audience AND f.seq = c.seq
    ) IS NOT DISTINCT FROM c.mark AS fits
FROM mine m
LEFT JOIN feed_heads h ON h.township_code = $1 AND h.unit_code = m.unit_code AND h.audience = m.audience
LEFT JOIN unnest($4::bigint[], $5::text[], $6::bigint[], $7::text[]) AS c(unit_code, audience, seq, mark)
    ON c.unit_code = m.unit_code AND c.audience = m.audience
ORDER BY m.unit_code, m.audience
"""

_NEW_EPOCH = """
UPDATE townships SET epoch = $2 WHERE code = $1 AND coalesce(epoch, '00000000-0000-0000-0000-000000000000') = $3
"""


class Heads(NamedTuple):
    """Where the caller's scopes stand, and the cursor as far as it is still good."""

    positions: Mapping[ScopeKey, Position]
    cursor: Cursor
    reset: bool
    """Whether the phone's cursor was of another history, so that it starts anew."""


async def heads_of(work: Work, cursor: Cursor | None) -> Heads:
    """Return where the caller's scopes stand. A cursor of a history that is gone begins a new epoch."""
    fresh = Cursor(work.township.epoch)
    known = cursor if cursor is not None and cursor.epoch == fresh.epoch else fresh
    columns = [(unit, audience, *position) for (unit, audience), position in known.positions.items()]
    rows = await work.sql.fetch(
        _HEADS,
        work.township_code,
        list(AUDIENCES_OF[Role(work.caller.role)]),
        places_of(work),
        *(zip(*columns, strict=True) if columns else ([], [], [], [])),
        _own_row(work),
    )
    positions = {(row["unit_code"], row["audience"]): Position(row["seq"], row["mark"] or "") for row in rows}
    if all(row["fits"] for row in rows):
        return Heads(positions, known, cursor is not None and known is fresh)
    return Heads(positions, Cursor(await _begin_epoch(work)), True)


def _own_row(work: Work) -> int | None:
    """Return the township's own row, for those to whom what is said there is told; no unit stands for it."""
    own = township_row(work.township_code)
    told = UNIT in AUDIENCES_OF[Role(work.caller.role)] and work.caller.scope.contains_unit(own)
    return own if told else None


async def _begin_epoch(work: Work) -> UUID:
    """Begin another epoch, unless somebody has since this request began."""
    await work.sql.execute(_NEW_EPOCH, work.township_code, uuid4(), work.township.epoch)
    epoch: UUID = await work.sql.fetchval("SELECT epoch FROM townships WHERE code = $1", work.township_code)
    return epoch


def own_scope(heads: Heads, name: str) -> ScopeKey:
    """Return the scope of this name.

    Raises:
        NotFound: no such scope, or not the caller's.
    """
    scope = scope_parts(name)
    if scope is None or scope not in heads.positions:
        raise NotFound
    return scope
