"""The signed bundle (离线包) of a checkpoint: numbered, told in sections, of which a phone gets what has changed.

Its head is a JWS that names every section's SHA-256, so that a phone which keeps old sections and gets new ones knows
that they belong together. Sections are canonical JSON (RFC 8785): read and written again they are the same bytes.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import rfc8785

from app.core import base64url
from app.core.work import Work
from app.domain.bundles import AMBER_AFTER, FETCH_AFTER, HARD_EXPIRY, next_bundle_no
from app.schemas.fields import instant_text
from app.services.bundle_residents import resident_sections
from app.services.bundle_sections import BundleGate, read_gate, small_sections
from app.services.gate_digests import salt_in_use
from app.services.gate_keys import SigningKey, bundle_key, keep_pass_keys
from app.services.pass_codes import sign_es256

_LAST = """
SELECT bundle_no, issued_at, people_mark, base_mark, base FROM gate_bundles
WHERE township_code = $1 AND checkpoint_id = $2 FOR UPDATE
"""
_FIRST = """
INSERT INTO gate_bundles (township_code, unit_code, checkpoint_id, bundle_no, issued_at) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT DO NOTHING
"""
_ISSUED = """
UPDATE gate_bundles SET bundle_no = $3, issued_at = $4 WHERE township_code = $1 AND checkpoint_id = $2
"""
_SECTIONS = """
SELECT name, since_no, sha256, content FROM bundle_sections
WHERE township_code = $1 AND checkpoint_id = $2 ORDER BY name
"""
_KEEP = """
INSERT INTO bundle_sections (township_code, unit_code, checkpoint_id, name, since_no, sha256, content)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (township_code, checkpoint_id, name) DO UPDATE SET since_no = $5, sha256 = $6, content = $7
"""


async def issue_bundle(work: Work, checkpoint_id: UUID, have: int | None, log2_n: int) -> bytes:
    """Issue the next bundle of a checkpoint, in the township's own name: without the sections of bundle `have`.

    Whoever has a bundle that is unknown here (before a restore, say) gets every section.

    Raises:
        NotFound: no such checkpoint.
    """
    last = await _take_turn(work, await read_gate(work, checkpoint_id))
    # Only now: whoever waited for another phone's bundle must not issue a later one with what was true before.
    gate = await read_gate(work, checkpoint_id)
    key, salt = await bundle_key(work), await salt_in_use(work, log2_n)
    await keep_pass_keys(work)
    number = next_bundle_no(last["bundle_no"], work.now)
    await work.sql.execute(_ISSUED, work.township_code, gate.id, number, work.now)
    changed = await small_sections(work, gate, salt) | await resident_sections(work, gate, salt, last)
    sections = await _keep_changed(work, gate, number, changed)
    head = _head(work, gate, number, sections)
    known = have is not None and have <= last["bundle_no"]
    sent = [row for row in sections if not known or row["since_no"] > (have or 0)]
    return _written(head, key, sent)


async def _take_turn(work: Work, gate: BundleGate) -> asyncpg.Record:
    """Lock the gate's last bundle, so that of two phones at once each gets a number of its own."""
    await work.sql.execute(_FIRST, work.township_code, gate.unit_code, gate.id, work.now)
    last = await work.sql.fetchrow(_LAST, work.township_code, gate.id)
    assert last is not None
    return last


async def _keep_changed(
    work: Work, gate: BundleGate, number: int, contents: Mapping[str, Any]
) -> list[asyncpg.Record]:
    """Store the sections that differ from those of the last bundle; return all."""
    kept = {row["name"]: row for row in await work.sql.fetch(_SECTIONS, work.township_code, gate.id)}
    for name, content in contents.items():
        text = rfc8785.dumps(content)
        sha256 = hashlib.sha256(text).digest()
        if name not in kept or kept[name]["sha256"] != sha256:
            place = (work.township_code, gate.unit_code, gate.id, name)
            await work.sql.execute(_KEEP, *place, number, sha256, text.decode())
    return await work.sql.fetch(_SECTIONS, work.township_code, gate.id)


def _head(work: Work, gate: BundleGate, number: int, sections: list[asyncpg.Record]) -> dict[str, Any]:
    return {
        "bundle_no": number,
        "issued": instant_text(work.now),
        "next_due": instant_text(work.now + FETCH_AFTER),
        "amber_from": instant_text(work.now + AMBER_AFTER),
        "hard_expiry": instant_text(work.now + HARD_EXPIRY),
        "checkpoint": {
            "id": str(gate.id),
            "number": gate.number,
            "unit_code": str(gate.unit_code),
            "kind": gate.kind,
            "timezone": work.township.zone.key,
        },
        "sections": {row["name"]: row["sha256"].hex() for row in sections},
    }


def _written(head: Mapping[str, Any], key: SigningKey, sent: list[asyncpg.Record]) -> bytes:
    """Return the answer: what the head says, the signed head, the root key, and the sections as they were hashed."""
    signed = rfc8785.dumps(dict(head))
    message = f"{bundle_header(key.jwk['kid'])}.{base64url.encode(signed)}"
    jws = f"{message}.{base64url.encode(sign_es256(key.private, message.encode()))}"
    about = rfc8785.dumps({**head, "head": jws, "root": dict(key.jwk)})
    told = "".join(f',"{row["name"]}":{row["content"]}' for row in sent)
    return about[:-1] + told.encode() + b"}"


def bundle_header(kid: str) -> str:
    """Return the one header segment that the heads under a root key have."""
    return base64url.encode(f'{{"alg":"ES256","kid":"{kid}","typ":"bundle"}}'.encode())
