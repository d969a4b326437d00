"""Keys of dashboards (contract, section 2): shown once, kept as a keyed hash, good for the aggregates of one scope.

The table is shared by all townships and has no fence, so every statement here names the township.
"""

import secrets
from datetime import date
from typing import NamedTuple
from uuid import UUID

from app.core import base64url
from app.core.field_texts import declare
from app.core.ids import uuid7
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import IdReused, NotFound, at
from app.core.scope import TOWNSHIP_DIGITS, UNIT_DIGITS
from app.core.work import Work
from app.schemas.auth import ApiKeyBody, ApiKeyView, NewApiKeyView
from app.services.claims import content_hash, settle

MAX_YEARS = 2
_SECRET_BYTES = 32
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

declare(
    "expiry-range",
    "有效期须晚于今天,且不超过两年。",
    "A key expires later than today, and within two years.",
)


class Key(NamedTuple):
    """A new key: `text` is what the dashboard sends, `prefix` what its owner may show."""

    prefix: str
    text: str


_SHOWN = "id, name, code, prefix, expires_on, created_at, last_used_on, per_minute"

_INSERT = f"""
INSERT INTO api_keys (id, township_code, code, name, prefix, key_hash, expires_on, created_by, created_at, content_hash,
    per_minute)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING RETURNING {_SHOWN}
"""

_ONE = f"SELECT {_SHOWN} FROM api_keys WHERE township_code = $1 AND id = $2"

_PAGE = f"""
SELECT {_SHOWN} FROM api_keys
WHERE township_code = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
"""

_REVOKE = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE township_code = $1 AND id = $2 RETURNING id
"""

_UNIT = "SELECT 1 FROM units WHERE township_code = $1 AND unit_code = $2"


async def create_key(work: Work, body: ApiKeyBody) -> Outcome[NewApiKeyView]:
    """Create a key for a scope within the caller's township.

    Raises:
        NotFound: the scope is not the township, nor a unit of it.
        Invalid: it would expire today or earlier, or after more than two years.
        IdReused: the id stands for another key.
    """
    key_id, hashed = body.id or uuid7(), content_hash(work, "api-key", body)
    stored = await _stored(work, key_id, hashed)
    if stored is not None:
        return stored
    await _check_code(work, body.code)
    made = await _insert(work, body, key_id, work.township_code, hashed)
    stored = made or await _stored(work, key_id, hashed)
    if stored is None:
        raise IdReused
    return stored


async def issue_operator_key(work: Work, name: str, code: str, expires_on: date) -> NewApiKeyView:
    """Create a key for any scope, as an operator does for counties, cities and provinces.

    Where the scope lies within a township, its office sees the key and may revoke it.

    Raises:
        Invalid: it would expire today or earlier, or after more than two years.
    """
    body = ApiKeyBody(name=name, code=code, expires_on=expires_on)
    township = int(code[:TOWNSHIP_DIGITS]) if len(code) >= TOWNSHIP_DIGITS else None
    made = await _insert(work, body, uuid7(), township, content_hash(work, "api-key", body))
    assert made is not None
    return made.take()


async def list_keys(work: Work, paging: Paging) -> Page[ApiKeyView]:
    """Return a page of the township's keys that were not revoked."""
    (behind,) = paging.key(UUID) or (None,)
    rows = await work.sql.fetch(_PAGE, work.township_code, behind, paging.limit + 1)
    shown = [ApiKeyView.model_validate(dict(row)) for row in rows[: paging.limit]]
    return Page(items=shown, next=mark(shown[-1].id) if len(rows) > len(shown) else None)


async def revoke_key(work: Work, key_id: UUID) -> None:
    """Revoke one of the township's keys; it stops at once, and revoking it again changes nothing.

    Raises:
        NotFound: no such key of this township.
    """
    if await work.sql.fetchval(_REVOKE, work.township_code, key_id, work.now) is None:
        raise NotFound


async def revoke_any_key(work: Work, prefix: str) -> bool:
    """Revoke a key of any scope by its prefix, as an operator does; answer whether there is such a key."""
    statement = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE prefix = $1"
    return await work.sql.execute(statement, prefix, work.now) != "UPDATE 0"


async def _stored(work: Work, key_id: UUID, hashed: bytes) -> Outcome[NewApiKeyView] | None:
    """Return what became of the id before, without the key; None where it is free."""
    settled = await settle(work, "api_keys", {key_id: hashed})
    if settled.reused:
        raise IdReused
    if not settled.replayed:
        return None
    row = await work.sql.fetchrow(_ONE, work.township_code, key_id)
    assert row is not None
    return Outcome(key_id, NewApiKeyView.model_validate({**row, "key": None}), replayed=True)


async def _check_code(work: Work, code: str) -> None:
    if not work.caller.scope.contains(code):
        raise NotFound
    if len(code) == UNIT_DIGITS and await work.sql.fetchval(_UNIT, work.township_code, int(code)) is None:
        raise NotFound


async def _insert(
    work: Work, body: ApiKeyBody, key_id: UUID, township: int | None, hashed: bytes
) -> Outcome[NewApiKeyView] | None:
    """Insert a key; None where a parallel request, or another township, has the id."""
    if not work.today < body.expires_on <= _years_on(work.today, MAX_YEARS):
        raise at("/expires_on", "expiry-range")
    key = _make_key()
    row = await work.sql.fetchrow(
        _INSERT,
        key_id,
        township,
        body.code,
        body.name,
        key.prefix,
        work.vault.fingerprint("api-key", key.text),
        body.expires_on,
        work.caller.account_id,
        work.now,
        hashed,
        body.per_minute,
    )
    if row is None:
        return None
    return Outcome(key_id, NewApiKeyView.model_validate({**row, "key": key.text}))


def _make_key() -> Key:
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return Key(prefix, f"wgk_{prefix}_{base64url.encode(secrets.token_bytes(_SECRET_BYTES))}")


def _years_on(day: date, years: int) -> date:
    """Return the same day some years later; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
