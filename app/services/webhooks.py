"""Webhooks: set up by the township, told by the clock, of numbers and never of a person."""

import base64
import secrets
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.ids import uuid7
from app.core.outbound import NotAllowed, check_url
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import IdReused, NotFound, at
from app.core.work import Work
from app.domain.webhooks import SECRET_BYTES, SECRET_PREFIX
from app.schemas.webhooks import NewWebhookView, WebhookBody, WebhookView
from app.services.claims import content_hash, settle
from app.services.sealing import seal

SECRET = "webhooks.secret"

declare("not-public-https", "只能是公网的 https 地址。", "Only public https addresses are called.")

_UNIT = "SELECT 1 FROM units WHERE township_code = $1 AND unit_code = $2"
_INSERT = """
INSERT INTO webhooks (township_code, unit_code, id, content_hash, author_id, recorded_at, url, events, code,
    secret_sealed, told_until)
VALUES ($1, $1::bigint * 1000, $2, $3, $4, $5, $6, $7, $8, $9, $5) ON CONFLICT DO NOTHING RETURNING id
"""
_SHOWN = """
SELECT w.id, w.url, w.events, w.code, w.recorded_at,
    (SELECT count(*) FROM webhook_messages m WHERE m.township_code = $1 AND m.webhook_id = w.id
        AND m.delivered_at IS NULL AND m.next_at IS NOT NULL)::int AS waiting,
    (SELECT count(*) FROM webhook_messages m WHERE m.township_code = $1 AND m.webhook_id = w.id
        AND m.delivered_at IS NULL AND m.next_at IS NULL)::int AS given_up,
    (SELECT m.last_answer FROM webhook_messages m WHERE m.township_code = $1 AND m.webhook_id = w.id
        AND m.last_answer IS NOT NULL ORDER BY m.created_at DESC, m.id DESC LIMIT 1) AS last_answer
FROM webhooks w WHERE w.township_code = $1 AND w.deleted_at IS NULL
"""
_DELETE = """
UPDATE webhooks SET deleted_at = coalesce(deleted_at, $3) WHERE township_code = $1 AND id = $2 RETURNING id
"""
_DROP = """
UPDATE webhook_messages SET next_at = NULL WHERE township_code = $1 AND webhook_id = $2 AND delivered_at IS NULL
"""


async def create_webhook(work: Work, body: WebhookBody, anywhere: bool) -> Outcome[NewWebhookView]:
    """Set up a webhook; it is told of what happens from now on.

    The outcome's problem is NotFound for a code outside the township, Invalid for an address that is not called, or
    IdReused.
    """
    id_, code = body.id or uuid7(), body.code or str(work.township_code)
    hash_ = content_hash(work, "webhook", body)
    known = await settle(work, "webhooks", {id_: hash_})
    if known.reused:
        return Outcome(id_, problem=IdReused())
    secret = None
    if not known.replayed:
        await _check(work, body.url, code, anywhere)
        key = secrets.token_bytes(SECRET_BYTES)
        secret = SECRET_PREFIX + base64.b64encode(key).decode()
        sealed = seal(work, SECRET, id_, secret)
        row = (id_, hash_, work.account_id, work.now, body.url, body.events, code, sealed)
        if await work.sql.fetchval(_INSERT, work.township_code, *row) is None:
            return Outcome(id_, problem=IdReused())
    shown = await _show(work, id_)
    view = NewWebhookView.model_validate({**shown, "secret": secret})
    return Outcome(id_, view, replayed=bool(known.replayed))


async def _check(work: Work, url: str, code: str, anywhere: bool) -> None:
    try:
        check_url(url, anywhere)
    except NotAllowed:
        raise at("/url", "not-public-https") from None
    if not work.caller.scope.contains(code):
        raise NotFound
    if len(code) == 12 and await work.sql.fetchval(_UNIT, work.township_code, int(code)) is None:
        raise NotFound


async def _show(work: Work, id_: UUID) -> asyncpg.Record:
    row = await work.sql.fetchrow(f"{_SHOWN} AND w.id = $2", work.township_code, id_)
    if row is None:
        raise NotFound
    return row


async def list_webhooks(work: Work, paging: Paging) -> Page[WebhookView]:
    """Return a page of the township's webhooks."""
    (behind,) = paging.key(UUID) or (None,)
    rows: Sequence[asyncpg.Record] = await work.sql.fetch(
        f"{_SHOWN} AND ($2::uuid IS NULL OR w.id > $2) ORDER BY w.id LIMIT $3",
        work.township_code,
        behind,
        paging.limit + 1,
    )
    shown = [WebhookView.model_validate(dict(row)) for row in rows[: paging.limit]]
    return Page(items=shown, next=mark(shown[-1].id) if len(rows) > len(shown) else None)


async def delete_webhook(work: Work, webhook_id: UUID) -> None:
    """Tell a webhook nothing more; again changes nothing.

    Raises:
        NotFound: no such webhook.
    """
    if await work.sql.fetchval(_DELETE, work.township_code, webhook_id, work.now) is None:
        raise NotFound
    await work.sql.execute(_DROP, work.township_code, webhook_id)
