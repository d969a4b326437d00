"""The pull: what changed behind a cursor, in every scope that the caller reads, and what a phone should hold then."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from app.core.work import Work
from app.domain.feed import scope_name
from app.services.sync.cursors import Cursor, Position, ScopeKey
from app.services.sync.digests import told_digests
from app.services.sync.scopes import Heads, heads_of
from app.services.sync.unsealed import marked, unsealed_text

# PostgreSQL writes the JSON. A record that changed again later is told with its data there; in between it goes without.
_PAGE = f"""
WITH page AS (
    SELECT f.unit_code, f.audience, f.seq, f.kind, f.id, f.rev, f.change, f.hash, c.place,
        CASE WHEN f.change = 'put' AND NOT EXISTS (
            SELECT 1 FROM feed l WHERE l.township_code = $1 AND l.unit_code = f.unit_code AND l.audience = f.audience
                AND l.kind = f.kind AND l.id = f.id AND l.seq > f.seq)
        THEN {marked("f")} END AS data
    FROM unnest($2::bigint[], $3::text[], $4::bigint[]) WITH ORDINALITY AS c(unit_code, audience, seq, place)
    CROSS JOIN LATERAL (
        SELECT * FROM feed f
        WHERE f.township_code = $1 AND f.unit_code = c.unit_code AND f.audience = c.audience AND f.seq > c.seq
        ORDER BY f.seq LIMIT $5) f
    ORDER BY c.place, f.seq LIMIT $5)
SELECT unit_code, audience, max(seq) AS seq, left(encode((array_agg(hash ORDER BY seq DESC))[1], 'hex'), 8) AS mark,
    string_agg('{{"scope":"' || unit_code || '/' || audience || '","seq":' || seq || ',"kind":"' || kind
        || '","id":"' || id || '","rev":' || rev || ',"op":"' || change
        || coalesce('","data":' || data || '}}', '"}}'), ',' ORDER BY seq) AS changes
FROM page GROUP BY unit_code, audience, place ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of changes, ready to be sent."""

    body: bytes
    empty: bool
    """Whether it tells nothing new: no change, no other scopes, no other epoch."""
    known: Mapping[ScopeKey, int]
    """Where each scope stands, for whoever waits for more."""


async def feed_page(work: Work, cursor: Cursor | None, limit: int) -> FeedPage:
    """Return at most `limit` changes behind the cursor, the cursor behind them, and the heads with their digests."""
    heads = await heads_of(work, cursor)
    before = {scope: heads.cursor.positions.get(scope, Position(0, "")) for scope in heads.positions}
    behind = [scope for scope, head in heads.positions.items() if head.seq > before[scope].seq]
    rows = await _rows(work, behind, before, limit)
    after = {**before, **{(r["unit_code"], r["audience"]): Position(r["seq"], r["mark"]) for r in rows}}
    more = any(head.seq > after[scope].seq for scope, head in heads.positions.items())
    sent = {} if cursor is None else cursor.positions
    added = sorted(scope_name(*s) for s in heads.positions.keys() - ({} if heads.reset else sent).keys())
    removed = sorted(scope_name(*s) for s in sent.keys() - ({} if heads.reset else heads.positions).keys())
    tail = {
        "scopes": await _stand(work, heads),
        "scopes_added": added,
        "scopes_removed": removed,
        "next": Cursor(heads.cursor.epoch, after).text(work),
        "more": more,
    }
    changes = await unsealed_text(work, ",".join(row["changes"] for row in rows))
    head = f'{{"epoch":"{heads.cursor.epoch}","changes":[{changes}],'
    body = head.encode() + json.dumps(tail, separators=(",", ":")).encode()[1:]
    news = bool(rows) or heads.reset or (cursor is not None and bool(added or removed))
    return FeedPage(body, not news, {scope: head.seq for scope, head in heads.positions.items()})


async def _rows(
    work: Work, scopes: Sequence[ScopeKey], before: Mapping[ScopeKey, Position], limit: int
) -> list[asyncpg.Record]:
    if not scopes:
        return []
    columns = zip(*((*scope, before[scope].seq) for scope in scopes), strict=True)
    return await work.sql.fetch(_PAGE, work.township_code, *columns, limit)


async def _stand(work: Work, heads: Heads) -> dict[str, object]:
    digests = await told_digests(work, heads.positions)
    return {
        scope_name(*scope): {"head_seq": head.seq, "digest": digests[scope]}
        for scope, head in heads.positions.items()
    }
