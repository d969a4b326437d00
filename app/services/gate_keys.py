"""The keys of a township's gates: those that sign passes change every week by themselves, and need no restart.

They lie in the database, the private halves sealed: every process of an installation signs with the same key, and a
copy of the database signs nothing. A key signs for a week and is made known three days before, so that every phone
whose bundle still counts knows each key that may sign; it ends when the last pass that it can have signed is over.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.core.ids import uuid7
from app.core.p256 import from_jwk, to_jwk
from app.core.problems import NotFound
from app.core.work import Work
from app.domain.passes import LONGEST, PassKey
from app.services.pass_codes import pass_message, sign_es256, verify_es256
from app.services.sealing import seal, unseal

SEALED_KEY = "gate_keys.private"
SIGNS = timedelta(days=7)
KNOWN_BEFORE = timedelta(days=3)
"""As long as a bundle counts at most (72 hours)."""
FURTHEST_START = timedelta(days=45)
"""How far ahead a pass may begin."""
_PASSES_LIVE = FURTHEST_START + LONGEST
NUMBERS = 256
EARLIER = timedelta(hours=1)
"""By how much a key without a predecessor begins before it is made: the clocks of several hosts differ."""
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_LOCK = "SELECT 1 FROM townships WHERE code = $1 FOR NO KEY UPDATE"
_KEEP = "SELECT dropped_at IS NULL FROM gate_keys WHERE id = $1 FOR SHARE"
_LAST = """
SELECT number FROM gate_keys WHERE township_code = $1 AND use = 'pass' ORDER BY signs_from DESC, id DESC LIMIT 1
"""
_ALL = """
SELECT id, number, private_sealed, jwk, signs_from, signs_until, ends_at, dropped_at FROM gate_keys
WHERE township_code = $1 AND use = 'pass' AND ends_at > $2 ORDER BY signs_from, id
"""
# After five years a number comes again: the last key that had it judges.
_NEWEST = """
SELECT DISTINCT ON (number) number, jwk, ends_at, dropped_at FROM gate_keys
WHERE township_code = $1 AND use = 'pass' AND number = ANY($2) ORDER BY number, signs_from DESC
"""
_INSERT = """
INSERT INTO gate_keys (id, township_code, use, number, private_sealed, jwk, signs_from, signs_until, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_ROOT = """
SELECT id, number, private_sealed, jwk FROM gate_keys WHERE township_code = $1 AND use = 'bundle'
"""
_LINES = """
SELECT k.number, k.signs_from, k.signs_until, k.ends_at, k.dropped_at, (
    SELECT count(*) FROM passes p
    WHERE p.township_code = $1 AND p.key_id = k.id AND k.dropped_at IS NULL AND p.revoked_at IS NULL
        AND p.valid_to > $2) AS good
FROM gate_keys k WHERE k.township_code = $1 AND k.use = 'pass' AND k.ends_at > $2 ORDER BY k.signs_from, k.id
"""
_DROP = """
UPDATE gate_keys SET dropped_at = $3
WHERE township_code = $1 AND use = 'pass' AND number = $2 AND ends_at > $3 AND dropped_at IS NULL RETURNING id
"""
_STOPPED = """
SELECT u.name, q.name, p.class, p.valid_to, p.id FROM passes p
JOIN people q ON q.township_code = p.township_code AND q.id = p.person_id
JOIN units u ON u.township_code = p.township_code AND u.unit_code = p.unit_code
WHERE p.township_code = $1 AND p.key_id = $2 AND p.revoked_at IS NULL AND p.valid_to > $3
ORDER BY p.unit_code, q.name, p.id
"""


class KeyLine(NamedTuple):
    """A key of passes, as an operator sees it: never its private half."""

    number: int
    signs_from: datetime
    signs_until: datetime
    ends_at: datetime
    dropped_at: datetime | None
    good: int
    """How many of its passes are neither revoked nor over."""


class DroppedPass(NamedTuple):
    """A pass that stopped with its key, and whose it is."""

    unit: str
    name: str
    class_: str
    valid_to: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with its private half, ready to sign."""

    id: UUID
    number: int
    private: ec.EllipticCurvePrivateKey
    jwk: Mapping[str, Any]

    def sign_pass(self, payload: bytes) -> bytes:
        """Return the signature of a pass."""
        return sign_es256(self.private, pass_message(self.number, payload))


async def pass_key(work: Work) -> SigningKey:
    """Return the key that signs passes now."""
    while True:
        rows = await keep_pass_keys(work)
        row = next(
            r for r in rows if r["signs_from"] <= work.now < r["signs_until"] and r["dropped_at"] is None
        )
        # Whoever drops it waits until this pass is stored, and so lists it.
        if await work.sql.fetchval(_KEEP, row["id"]):
            return _signing(work, row)


async def keep_pass_keys(work: Work) -> Sequence[asyncpg.Record]:
    """See to it that a key signs now, and that the next one is known in good time; return all that have not ended."""
    rows = await work.sql.fetch(_ALL, work.township_code, work.now)
    if _covered_until(work, rows) < work.now + KNOWN_BEFORE:
        await work.sql.execute(_LOCK, work.township_code)
        rows = await work.sql.fetch(_ALL, work.township_code, work.now)
        while (until := _covered_until(work, rows)) < work.now + KNOWN_BEFORE:
            first = until - EARLIER if until == work.now else until
            until += SIGNS
            await _make(work, "pass", await _next_number(work, rows), first, until, until + _PASSES_LIVE)
            rows = await work.sql.fetch(_ALL, work.township_code, work.now)
    return rows


def _covered_until(work: Work, rows: Sequence[asyncpg.Record]) -> datetime:
    """Return until when there is always a key that signs, from now on without a gap."""
    until = work.now
    for row in rows:
        if row["dropped_at"] is None and row["signs_from"] <= until:
            until = max(until, row["signs_until"])
    return until


async def _next_number(work: Work, rows: Sequence[asyncpg.Record]) -> int:
    """Return a number that none of the living keys has: they are counted on, so that each comes again after years."""
    taken = {row["number"] for row in rows}
    first = (await work.sql.fetchval(_LAST, work.township_code) or 0) + 1
    return next(n % NUMBERS for n in range(first, first + NUMBERS) if n % NUMBERS not in taken)


async def rotate_pass_keys(work: Work) -> None:
    """Let the next key be known in good time, in a township that has issued passes: for the clock."""
    if await work.sql.fetchval(_LAST, work.township_code) is not None:
        await keep_pass_keys(work)


async def list_pass_keys(work: Work) -> list[KeyLine]:
    """Return the keys of passes that have not ended, the oldest first."""
    return [KeyLine(*row) for row in await work.sql.fetch(_LINES, work.township_code, work.now)]


async def drop_pass_key(work: Work, number: int) -> list[DroppedPass]:
    """Drop a key that leaked, and return the passes that were good until now: at no gate do they count any more.

    Raises:
        NotFound: no living key has this number.
    """
    key_id = await work.sql.fetchval(_DROP, work.township_code, number, work.now)
    if key_id is None:
        raise NotFound
    await keep_pass_keys(work)
    return [DroppedPass(*row) for row in await work.sql.fetch(_STOPPED, work.township_code, key_id, work.now)]


async def bundle_key(work: Work) -> SigningKey:
    """Return the township's root key, which signs the bundles of its gates. Phones keep it, so it never changes."""
    row = await work.sql.fetchrow(_ROOT, work.township_code)
    if row is None:
        await work.sql.execute(_LOCK, work.township_code)
        row = await work.sql.fetchrow(_ROOT, work.township_code)
    if row is None:
        await _make(work, "bundle", 0, work.now - EARLIER, _NEVER, _NEVER)
        row = await work.sql.fetchrow(_ROOT, work.township_code)
    assert row is not None
    return _signing(work, row)


async def _make(
    work: Work, use: str, number: int, signs_from: datetime, signs_until: datetime, ends: datetime
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    id_ = uuid7()
    sealed = seal(work, SEALED_KEY, id_, b64encode(der).decode())
    jwk = json.dumps(to_jwk(private.public_key()))
    await work.sql.execute(
        _INSERT, id_, work.township_code, use, number, sealed, jwk, signs_from, signs_until, ends
    )


def _signing(work: Work, row: asyncpg.Record) -> SigningKey:
    text = unseal(work, SEALED_KEY, row["id"], row["private_sealed"])
    assert text is not None
    private = serialization.load_der_private_key(b64decode(text), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return SigningKey(row["id"], row["number"], private, row["jwk"])


async def known_keys(work: Work, numbers: Collection[int]) -> dict[int, PassKey]:
    """Return the keys of these numbers, by which passes are judged; none that was dropped."""
    rows = await work.sql.fetch(_NEWEST, work.township_code, numbers)
    return {
        row["number"]: judging_key(row["number"], row["jwk"], row["ends_at"])
        for row in rows
        if not row["dropped_at"]
    }


def judging_key(number: int, jwk: Any, ends: datetime) -> PassKey:
    """Return a key for `verify`, from its public half."""
    return PassKey(ends, partial(_verifies, from_jwk(jwk), number))


def _verifies(key: ec.EllipticCurvePublicKey, number: int, payload: bytes, signature: bytes) -> bool:
    return verify_es256(key, pass_message(number, payload), signature)
