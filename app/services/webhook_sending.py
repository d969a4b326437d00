"""What webhooks are told, and how it gets there: written down first, sent outside of any transaction, tried again."""

import base64
import json
from datetime import timedelta
from typing import Any, NamedTuple

import asyncpg

from app.core.ids import uuid7
from app.core.outbound import Answer, post
from app.core.scope import code_range
from app.core.work import OpenWork, Work
from app.domain.webhooks import SECRET_PREFIX, Event, next_try, sign
from app.schemas.fields import instant_text
from app.services.sealing import unseal
from app.services.webhooks import SECRET

CHANGED_AT_MOST = timedelta(minutes=1)
"""How often a webhook is told that numbers have changed."""
LEASE = timedelta(minutes=1)
"""How long a process has for a message before another tries."""
AT_ONCE = 20
OVERLAP = timedelta(minutes=1)

_HOOKS = """
SELECT id, events, code, told_until, recorded_at FROM webhooks WHERE township_code = $1 AND deleted_at IS NULL
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
_CHANGED = """
SELECT max(changed_at) FROM daily_counters
WHERE township_code = $1 AND day = $2 AND unit_code >= $3 AND unit_code < $4 AND changed_at > $5
"""
_FROZEN = """
SELECT DISTINCT day, revision, frozen_at, made_at FROM frozen_reports
WHERE township_code = $1 AND made_at > $2 AND made_at >= $3 ORDER BY made_at, day, revision
"""
_ISSUED = """
SELECT DISTINCT o.id, o.title, o.issued_at, o.due_at FROM command_orders o
JOIN order_units n ON n.township_code = $1 AND n.order_id = o.id AND n.unit_code >= $4 AND n.unit_code < $5
WHERE o.township_code = $1 AND o.issued_at > $2 AND o.issued_at >= $3 ORDER BY o.issued_at, o.id
"""
_WRITE = """
INSERT INTO webhook_messages (township_code, unit_code, id, webhook_id, cause, body, created_at, attempts, next_at)
VALUES ($1, $1::bigint * 1000, $2, $3, $4, $5, $6, 0, $6) ON CONFLICT DO NOTHING
"""
_TOLD = "UPDATE webhooks SET told_until = $3 WHERE township_code = $1 AND id = $2"
_CLAIM = """
UPDATE webhook_messages m SET next_at = $3, attempts = m.attempts + 1 FROM (
    SELECT id FROM webhook_messages WHERE township_code = $1 AND delivered_at IS NULL AND next_at <= $2
    ORDER BY next_at, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED) due
JOIN webhook_messages s ON s.township_code = $1 AND s.id = due.id
JOIN webhooks w ON w.township_code = $1 AND w.id = s.webhook_id
WHERE m.township_code = $1 AND m.id = due.id
RETURNING m.id, m.body, m.attempts, w.id AS webhook_id, w.url, w.secret_sealed
"""
_SENT = """
UPDATE webhook_messages SET delivered_at = CASE WHEN $4 THEN $3::timestamptz END, next_at = $5, last_answer = $6
WHERE township_code = $1 AND id = $2 AND delivered_at IS NULL
"""


class _News(NamedTuple):
    """Something to tell: the event, what makes it one only, and what is said."""

    event: Event
    cause: str
    data: dict[str, Any]


async def run_webhooks(open_work: OpenWork, anywhere: bool) -> None:
    """Write down what is to be told, and send what is due."""
    async with open_work() as work:
        for hook in await work.sql.fetch(_HOOKS, work.township_code):
            await _write(work, hook)
    async with open_work() as work:
        due = await work.sql.fetch(_CLAIM, work.township_code, work.now, work.now + LEASE, AT_ONCE)
        messages = [(row, _headers(work, row)) for row in due]
    for row, headers in messages:
        answer = await post(row["url"], row["body"].encode(), headers, anywhere)
        async with open_work() as work:
            await _note(work, row, answer)


async def _write(work: Work, hook: asyncpg.Record) -> None:
    for news in [n async for n in _news(work, hook)]:
        if news.event not in hook["events"]:
            continue
        body = {"type": news.event, "timestamp": instant_text(work.now), "data": news.data}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        await work.sql.execute(_WRITE, work.township_code, uuid7(), hook["id"], news.cause, text, work.now)
    await work.sql.execute(_TOLD, work.township_code, hook["id"], work.now)


async def _news(work: Work, hook: asyncpg.Record) -> Any:
    """Yield what has happened since the last look, and a little before: a transaction may have been on its way."""
    since, born = hook["told_until"] - OVERLAP, hook["recorded_at"]
    first, behind = code_range(hook["code"])
    for row in await work.sql.fetch(_FROZEN, work.township_code, since, born):
        data = {"day": row["day"].isoformat(), "revision": row["revision"], "code": hook["code"]}
        href = f"/v1/reports/daily?day={row['day']}&code={hook['code']}&revision={row['revision']}"
        yield _News(Event.REPORT_FROZEN, f"frozen:{row['day']}:{row['revision']}", data | {"href": href})
    for row in await work.sql.fetch(_ISSUED, work.township_code, since, born, first, behind):
        times = {name: instant_text(row[name]) for name in ("issued_at", "due_at")}
        data = {"order_id": str(row["id"]), "title": row["title"], **times}
        yield _News(Event.ORDER_ISSUED, f"order:{row['id']}", data)
    changed = await work.sql.fetchval(
        _CHANGED, work.township_code, work.today, first, behind, max(since, born)
    )
    if changed is not None:
        window = int(changed.timestamp() // CHANGED_AT_MOST.total_seconds())
        data = {"day": work.today.isoformat(), "code": hook["code"], "as_of": instant_text(changed)}
        href = f"/v1/reports/daily?day={work.today}&code={hook['code']}"
        yield _News(Event.REPORT_CHANGED, f"changed:{work.today}:{window}", data | {"href": href})


def _headers(work: Work, row: asyncpg.Record) -> dict[str, str]:
    text = unseal(work, SECRET, row["webhook_id"], row["secret_sealed"]) or ""
    secret = base64.b64decode(text.removeprefix(SECRET_PREFIX))
    return {
        "Content-Type": "application/json",
        "User-Agent": "wangge",
        "webhook-id": str(row["id"]),
        "webhook-timestamp": str(int(work.now.timestamp())),
        "webhook-signature": sign(secret, str(row["id"]), work.now, row["body"].encode()),
    }


async def _note(work: Work, row: asyncpg.Record, answer: Answer) -> None:
    """Store what became of a try; 410 Gone says that nobody wants to be told any more."""
    again = None if answer.good or answer.status == 410 else next_try(row["attempts"], work.now)
    await work.sql.execute(_SENT, work.township_code, row["id"], work.now, answer.good, again, answer.text)
