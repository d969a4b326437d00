"""The snapshot: a scope as it stands, page by page, for a phone that starts; and the proof that a phone holds it."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from app.core.paging import Paging, mark
from app.core.problems import at
from app.core.work import Work
from app.domain.feed import RecordKind, scope_name
from app.services.sync.cursors import Cursor, Position, ScopeKey, read_cursor
from app.services.sync.digests import EMPTY, standing_digests
from app.services.sync.scopes import heads_of, own_scope
from app.services.sync.unsealed import unsealed

# The latest word on each record; one whose data were erased is told without.
_PAGE = """
SELECT l.kind, l.id, l.rev, f.data FROM (
    SELECT DISTINCT ON (f.kind, f.id) f.kind, f.id, f.rev, f.change, f.seq FROM feed f
    WHERE f.township_code = $1 AND f.unit_code = $2 AND f.audience = $3 AND (f.kind, f.id) > ($4, $5::uuid)
    ORDER BY f.kind, f.id, f.seq DESC) AS l
JOIN feed f ON f.township_code = $1 AND f.unit_code = $2 AND f.audience = $3 AND f.seq = l.seq
WHERE l.change = 'put' ORDER BY l.kind, l.id LIMIT $6
"""


_MARK = """
SELECT left(encode(hash, 'hex'), 8) FROM feed
WHERE township_code = $1 AND unit_code = $2 AND audience = $3 AND seq = $4
"""


async def snapshot(work: Work, name: str, paging: Paging, cursor: str | None) -> str:
    """Return a page of a scope's records as JSON.

    The number at which the snapshot began travels in `after`: what changes while the phone reads on is told again by
    the pull from there.

    Raises:
        NotFound: no such scope, or not the caller's.
        Invalid: a mark or cursor that this server did not make.
    """
    heads = await heads_of(work, read_cursor(work, cursor) if cursor else None)
    scope = own_scope(heads, name)
    began = paging.key(int, str, str, UUID)
    start = (
        heads.positions[scope] if began is None else await _began(work, scope, Position(began[0], began[1]))
    )
    behind = ("", UUID(int=0)) if began is None else began[2:]
    rows = await work.sql.fetch(_PAGE, work.township_code, *scope, *behind, paging.limit + 1)
    shown = rows[: paging.limit]
    datas = await unsealed(work, [(row["kind"], row["id"], scope[1], row["data"]) for row in shown])
    more = mark(*start, shown[-1]["kind"], shown[-1]["id"]) if len(rows) > len(shown) else None
    positions = {**heads.cursor.positions, scope: start}
    items = ",".join(_item(row, data) for row, data in zip(shown, datas, strict=True))
    return (
        f'{{"epoch":"{heads.cursor.epoch}","scope":"{scope_name(*scope)}","head_seq":{start.seq},"items":[{items}],'
        f'"next":{_quoted(more)},"cursor":{_quoted(Cursor(heads.cursor.epoch, positions).text(work))}}}'
    )


async def _began(work: Work, scope: ScopeKey, start: Position) -> Position:
    """Return the position at which a snapshot began, if the feed has it: it is going to stand in a signed cursor.

    Raises:
        Invalid: it has not.
    """
    found = await work.sql.fetchval(_MARK, work.township_code, *scope, start.seq) if start.seq else ""
    if found != start.mark:
        raise at("/after", "bad-mark")
    return start


def _item(row: asyncpg.Record, data: str | None) -> str:
    told = "" if data is None else f',"data":{data}'
    return f'{{"kind":"{row["kind"]}","id":"{row["id"]}","rev":{row["rev"]}{told}}}'


def _quoted(text: str | None) -> str:
    """Return a mark or cursor, which has no character that JSON would escape."""
    return "null" if text is None else f'"{text}"'


async def differences(work: Work, held: Mapping[str, Mapping[RecordKind, str]]) -> list[tuple[str, str]]:
    """Return the scopes and kinds in which a phone holds something else than the records say.

    Raises:
        NotFound: a scope that is not the caller's.
    """
    heads = await heads_of(work, None)
    scopes: dict[ScopeKey, Mapping[RecordKind, str]] = {
        own_scope(heads, name): kinds for name, kinds in held.items()
    }
    found = await standing_digests(work, scopes)
    return [
        (scope_name(*scope), kind)
        for scope, kinds in scopes.items()
        for kind in map(RecordKind, sorted(kinds.keys() | found[scope].keys()))
        if kinds.get(kind, EMPTY) != found[scope].get(kind, EMPTY)
    ]
