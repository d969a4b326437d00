"""The live stream (全天动态共享): what is told to the caller's scopes, as it happens, resumable at every single event.

Between looks it holds no connection, and each look asks anew who the caller is: who loses a role, a unit or a login
hears nothing more. Readers who see the same and stand at the same mark look together, so that a thousand of them cost
little more than one. Nothing piles up for a reader: events are read when the last ones have been taken.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import asyncpg
from fastapi.sse import format_sse_event

from app.core.problems import Problem
from app.core.watch import Watch
from app.core.work import LookTogether, Work
from app.services.sync.cursors import Cursor, Position, ScopeKey, read_cursor
from app.services.sync.scopes import heads_of
from app.services.sync.unsealed import marked, unsealed_text
from app.services.tickets import ticket_hash

HEARTBEAT_SECONDS = 15.0
AT_ONCE = 100
PIECE_BYTES = 32_768
"""How much of what is sent is handed on at once, at most, unless a single event is longer."""
RETRY_MS = 3_000
TICKET_LASTS = timedelta(seconds=60)

# In the order of a scope's numbers, whose times need not rise: a transaction may have begun earlier and ended later.
_NEWS = f"""
SELECT f.unit_code, f.audience, f.seq, f.kind, left(encode(f.hash, 'hex'), 8) AS mark,
    json_build_object('scope', f.unit_code || '/' || f.audience, 'seq', f.seq, 'kind', f.kind, 'id', f.id,
        'rev', f.rev, 'op', f.change, 'at', f.at)::text AS head,
    CASE WHEN f.change = 'put' THEN {marked("f")} END AS data
FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS c(unit_code, audience, seq)
CROSS JOIN LATERAL (
    SELECT * FROM feed f
    WHERE f.township_code = $1 AND f.unit_code = c.unit_code AND f.audience = c.audience AND f.seq > c.seq
    ORDER BY f.seq LIMIT {AT_ONCE}) f
ORDER BY max(f.at) OVER (PARTITION BY f.unit_code, f.audience ORDER BY f.seq), f.unit_code, f.audience, f.seq
LIMIT {AT_ONCE}
"""
_TICKET = "INSERT INTO live_tickets (hash, account_id, session_id, expires_at) VALUES ($1, $2, $3, $4)"


class News(NamedTuple):
    """One look: the mark before the events, they themselves in pieces, the mark behind them, and what to wait for.

    `reset` says that the mark was of a history that is gone (a restored backup): the stream goes on from now.
    """

    township_code: int
    reset: bool
    before: str
    pieces: list[bytes]
    more: bool
    """Whether there may be further events already."""
    mark: str
    known: Mapping[ScopeKey, int]


async def stream(
    watch: Watch, look: LookTogether, resume: str | None, heartbeat: float = HEARTBEAT_SECONDS
) -> AsyncIterator[bytes]:
    """Yield events for ever; behind the resumption mark, or from now on.

    Raises:
        Invalid: a mark that this server did not make; before the first event.
    """
    mark, first = resume, True
    while True:
        try:
            news: News = await look(mark, partial(_look, mark=mark))
        except Problem as problem:
            if first:
                raise
            # The login ended, or the database is away: the reader comes back with what it has.
            yield format_sse_event(event="bye", data_str=json.dumps({"code": problem.code}), retry=RETRY_MS)
            return
        if first:
            yield format_sse_event(event="hello", data_str="{}", id=news.before, retry=RETRY_MS)
        if news.reset:
            yield format_sse_event(event="reset", data_str="{}", id=news.before)
        for piece in news.pieces:
            yield piece
        mark, first = news.mark, False
        if not news.more and not await watch.wait(news.township_code, news.known, heartbeat):
            if watch.ended:
                yield format_sse_event(event="bye", data_str='{"code": "stopping"}', retry=1_000)
                return
            yield format_sse_event(comment="beat")


async def _look(work: Work, mark: str | None) -> News:
    heads = await heads_of(work, read_cursor(work, mark) if mark else None)
    # What is new to the reader, a unit gained or another history, begins now: its past is read by pull or snapshot.
    begin = {} if mark is None or heads.reset else heads.cursor.positions
    at = {scope: begin.get(scope, head) for scope, head in heads.positions.items()}
    behind = [scope for scope, head in heads.positions.items() if head.seq > at[scope].seq]
    rows = await _news(work, behind, at)
    cursor = Cursor(heads.cursor.epoch, at)
    before, events = cursor.text(work), []
    for row, data in zip(rows, await _datas(work, rows), strict=True):
        scope = (row["unit_code"], row["audience"])
        cursor = Cursor(cursor.epoch, {**cursor.positions, scope: Position(row["seq"], row["mark"])})
        text = row["head"] if data is None else f'{row["head"][:-1]},"data":{data}}}'
        events.append(format_sse_event(event=row["kind"], data_str=text, id=cursor.text(work)))
    known = {scope: position.seq for scope, position in cursor.positions.items()}
    more, pieces = len(rows) == AT_ONCE, list(_pieces(events))
    return News(work.township_code, heads.reset, before, pieces, more, cursor.text(work), known)


def _pieces(events: Iterable[bytes]) -> Iterator[bytes]:
    """Join events to pieces that are worth sending."""
    piece = b""
    for event in events:
        if piece and len(piece) + len(event) > PIECE_BYTES:
            yield piece
            piece = b""
        piece += event
    if piece:
        yield piece


async def _news(work: Work, scopes: list[ScopeKey], at: dict[ScopeKey, Position]) -> list[asyncpg.Record]:
    if not scopes:
        return []
    columns = zip(*((*scope, at[scope].seq) for scope in scopes), strict=True)
    return await work.sql.fetch(_NEWS, work.township_code, *columns)


async def _datas(work: Work, rows: list[asyncpg.Record]) -> list[str | None]:
    """Return the data of each row, completed with what is sealed of it. JSON on one line holds no line end."""
    lines = await unsealed_text(work, "\n".join(row["data"] or "" for row in rows))
    return [line or None for line in lines.split("\n")] if rows else []


async def issue_ticket(work: Work, secret: str) -> dict[str, Any]:
    """Store a ticket of the caller's, for one connection within a minute."""
    assert work.caller.session_id is not None
    expires = work.now + TICKET_LASTS
    await work.sql.execute(_TICKET, ticket_hash(secret), work.account_id, work.caller.session_id, expires)
    return {"ticket": secret, "expires_at": expires}
