"""The residents in a gate's bundle: a coded set that is made anew rarely, and a short list of who came and went since.

The set of a township is some 120 KB; without the list every newcomer would send all of it to every phone.
"""

from typing import Any

import asyncpg

from app.core import base64url
from app.core.u64 import to_hex, to_unsigned
from app.core.work import Work
from app.domain.bundles import keyed_hash
from app.services.bundle_sections import BundleGate, coded, section_key
from app.services.gate_digests import Salt

_FEW = 20
_SHARE = 20
"""The set is made anew when more than this many have changed, and more than one in so many."""

_FROM = """
FROM people p LEFT JOIN gate_digests d
    ON d.township_code = p.township_code AND d.salt_id = $2 AND d.id_fingerprint = p.id_fingerprint
WHERE p.township_code = $1 AND p.id_fingerprint IS NOT NULL AND ($3::bigint IS NULL OR p.unit_code = $3)
"""
_MARK = f"SELECT count(*) AS people, count(d.digest) AS hashed, bit_xor(d.digest) AS sum {_FROM}"
_DIGESTS = f"SELECT d.digest {_FROM} AND d.digest IS NOT NULL"
_KEPT = """
UPDATE gate_bundles SET people_mark = $3, base_mark = $4, base = $5 WHERE township_code = $1 AND checkpoint_id = $2
"""


async def resident_sections(work: Work, gate: BundleGate, salt: Salt, kept: asyncpg.Record) -> dict[str, Any]:
    """Return the sections of residents that may have changed since the bundle that is kept; often none."""
    scope = f"{salt.id} {gate.home or 'all'}"
    count = await work.sql.fetchrow(_MARK, work.township_code, salt.id, gate.home)
    assert count is not None
    mark = f"{scope} {count['people']} {count['hashed']} {count['sum']}"
    if mark == kept["people_mark"]:
        return {}
    rows = await work.sql.fetch(_DIGESTS, work.township_code, salt.id, gate.home)
    key = section_key(work, gate, salt, "residents")
    hashes = frozenset(keyed_hash(key, to_unsigned(row["digest"])) for row in rows)
    base = _read(kept["base"]) if kept["base_mark"] == scope else None
    sections: dict[str, Any] = {}
    if base is None or len(base ^ hashes) > max(_FEW, len(base) // _SHARE):
        sections["residents"] = {"key": base64url.encode(key), **coded(hashes)}
        base = hashes
    sections["residents_since"] = {
        "added": sorted(map(to_hex, hashes - base)),
        "removed": sorted(map(to_hex, base - hashes)),
        "missing": count["people"] - count["hashed"],
    }
    stored = b"".join(member.to_bytes(8, "big") for member in base)
    await work.sql.execute(_KEPT, work.township_code, gate.id, mark, scope, stored)
    return sections


def _read(stored: bytes) -> frozenset[int]:
    return frozenset(int.from_bytes(stored[at : at + 8], "big") for at in range(0, len(stored), 8))
