"""The slow hashes of ID numbers for the gates' bundles: made little by little by the clock, under a salt of a week.

A new salt comes into use when everybody's number has been hashed under it; until then the former one serves, and those
who were registered meanwhile get a hash under both. What belongs to a salt that is over is deleted.
"""

import asyncio
import logging
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app.core.ids import uuid7
from app.core.u64 import to_signed
from app.core.vault import VaultError
from app.core.work import OpenWork, Work
from app.domain.bundles import SALT_BYTES, slow_digest
from app.services.sealing import seal, unseal

log = logging.getLogger("wangge.gates")

SALT_LASTS = timedelta(days=7)
SPELL_SECONDS = 1.0
"""How long a tick of the clock hashes at most."""
AT_ONCE = 200

_SEALED = "gate_salts.salt"
_SALTS = """
SELECT id, made_at, log2_n, salt_sealed, ready_at FROM gate_salts WHERE township_code = $1
ORDER BY made_at DESC, id DESC LIMIT 2
"""
_MAKE_SALT = """
INSERT INTO gate_salts (id, township_code, made_at, log2_n, salt_sealed) VALUES ($1, $2, $3, $4, $5)
"""
_READY = "UPDATE gate_salts SET ready_at = $2 WHERE id = $1 AND ready_at IS NULL"
_FORGET = "DELETE FROM gate_digests WHERE township_code = $1 AND salt_id <> ALL($2)"
# A hint: of several processes one hashes for a township. Two would only do the same work twice.
_TURN = "SELECT pg_try_advisory_xact_lock(hashtextextended('gate-digests', $1))"
_ONE_SALT = "SELECT 1 FROM townships WHERE code = $1 FOR NO KEY UPDATE"
# Those first whom a gate must know exactly.
_MISSING = """
SELECT p.id, p.id_fingerprint, p.id_sealed FROM people p
WHERE p.township_code = $1 AND p.id_sealed IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM gate_digests d
    WHERE d.township_code = $1 AND d.salt_id = $2 AND d.id_fingerprint = p.id_fingerprint)
ORDER BY p.quarantine_order_id IS NULL, NOT EXISTS (
    SELECT 1 FROM staff s WHERE s.township_code = $1 AND s.person_id = p.id), p.unit_code, p.id
LIMIT $3
"""
_KEEP = """
INSERT INTO gate_digests (township_code, unit_code, salt_id, id_fingerprint, digest)
SELECT $1, $1::bigint * 1000, $2, n.id_fingerprint, n.digest
FROM unnest($3::bytea[], $4::bigint[]) AS n(id_fingerprint, digest)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Salt:
    """A salt, and what one hash under it costs (N = 2^log2_n)."""

    id: UUID
    value: bytes
    log2_n: int
    made_at: datetime
    ready: bool


async def live_salts(work: Work) -> list[Salt]:
    """Return the salt in use, then the one that follows it, if either is there."""
    rows = await work.sql.fetch(_SALTS, work.township_code)
    ready = next((n for n, row in enumerate(rows) if row["ready_at"] is not None), len(rows) - 1)
    return [_read(work, row) for row in reversed(rows[: ready + 1])]


async def salt_in_use(work: Work, log2_n: int) -> Salt:
    """Return the salt of the bundles that are issued now; the first one is made here."""
    salts = await live_salts(work)
    if not salts:
        await work.sql.execute(_ONE_SALT, work.township_code)
        salts = await live_salts(work)
    return salts[0] if salts else await _make(work, log2_n)


async def hash_some(open_work: OpenWork, log2_n: int) -> bool:
    """Hash the numbers of some who have none yet, for about a second; tell whether any may be left.

    Does nothing in a township of whose gates none has asked for a bundle.
    """
    async with open_work() as work:
        if not await work.sql.fetchval(_TURN, work.township_code):
            return True
        salts = await _with_next(work, log2_n)
        for salt in salts:
            rows = await work.sql.fetch(_MISSING, work.township_code, salt.id, AT_ONCE)
            if rows:
                await _hash(work, salt, rows)
                return True
            if not salt.ready:
                await work.sql.execute(_READY, salt.id, work.now)
                # The former salt's hashes stay a week longer: a bundle may be in the making with them.
                await work.sql.execute(_FORGET, work.township_code, [one.id for one in salts])
    return False


async def _with_next(work: Work, log2_n: int) -> list[Salt]:
    """Return the salts at work, with a new one where the newest has had its week."""
    salts = await live_salts(work)
    if salts and salts[-1].ready and salts[-1].made_at + SALT_LASTS <= work.now:
        salts.append(await _make(work, log2_n))
    return salts


async def _make(work: Work, log2_n: int) -> Salt:
    salt = Salt(uuid7(), secrets.token_bytes(SALT_BYTES), log2_n, work.now, ready=False)
    sealed = seal(work, _SEALED, salt.id, b64encode(salt.value).decode())
    await work.sql.execute(_MAKE_SALT, salt.id, work.township_code, work.now, log2_n, sealed)
    return salt


def _read(work: Work, row: asyncpg.Record) -> Salt:
    text = unseal(work, _SEALED, row["id"], row["salt_sealed"])
    assert text is not None
    return Salt(row["id"], b64decode(text), row["log2_n"], row["made_at"], row["ready_at"] is not None)


async def _hash(work: Work, salt: Salt, rows: Sequence[asyncpg.Record]) -> None:
    """Hash in a thread (scrypt leaves Python alone), one number after the other, and store what was reached."""
    numbers = [_number(work, row) for row in rows]

    def spell() -> list[int]:
        ends, made = time.monotonic() + SPELL_SECONDS, list[int]()
        for number in numbers:
            digest = slow_digest(number, salt.value, salt.log2_n) if number else secrets.randbits(64)
            made.append(to_signed(digest))
            if time.monotonic() >= ends:
                break
        return made

    digests = await asyncio.to_thread(spell)
    prints = [row["id_fingerprint"] for row in rows[: len(digests)]]
    await work.sql.execute(_KEEP, work.township_code, salt.id, prints, digests)


def _number(work: Work, row: asyncpg.Record) -> str | None:
    """Return a person's number; None where it cannot be opened, which must not keep everybody else waiting."""
    try:
        return unseal(work, "people.id_number", row["id"], row["id_sealed"])
    except VaultError:
        log.error("an ID number cannot be opened", extra={"township": work.township_code})
        return None
