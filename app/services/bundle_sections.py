"""What stands in a gate's bundle, section by section: enough to rule as the server would, and nobody's name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import base64url
from app.core.problems import NotFound
from app.core.u64 import to_hex, to_unsigned
from app.core.work import Work
from app.domain.bundles import KEY_BYTES, RICE, code_set, keyed_hash
from app.domain.checkpoints import Rules
from app.schemas.fields import instant_text
from app.services.checkpoint_rules import read_rules, rules_view
from app.services.gate_digests import Salt

USED_UP_FOR = timedelta(days=3)
"""How long after its end a single pass is still told as used."""

_GATE = """
SELECT id, number, unit_code, kind, rules_version, rules FROM checkpoints WHERE township_code = $1 AND id = $2
"""
_KEYS = """
SELECT number, ends_at, jwk FROM gate_keys
WHERE township_code = $1 AND use = 'pass' AND dropped_at IS NULL AND ends_at > $2 ORDER BY number
"""
# Those of keys that have ended are refused for their key, before anybody asks.
_REVOKED = """
SELECT p.number FROM passes p JOIN gate_keys k ON k.id = p.key_id
WHERE p.township_code = $1 AND p.revoked_at IS NOT NULL AND k.ends_at > $2
"""
_USED = """
SELECT s.used, array_agg(s.number) AS numbers FROM pass_showings s
JOIN passes p ON p.township_code = s.township_code AND p.number = s.number
WHERE s.township_code = $1 AND s.used IS NOT NULL AND CASE s.used WHEN 'once' THEN p.valid_to > $2 ELSE s.used >= $3 END
GROUP BY s.used ORDER BY s.used
"""
_HOLDERS = """
SELECT h.number, h.here, h.on_staff, h.purposes FROM (
    SELECT p.number, p.purposes, $3::bigint IS NULL OR q.unit_code = $3 AS here, EXISTS (
        SELECT 1 FROM staff s WHERE s.township_code = $1 AND s.person_id = q.id AND s.active AND s.health = 'fit'
    ) AS on_staff
    FROM passes p JOIN people q ON q.township_code = p.township_code AND q.id = p.person_id
    WHERE p.township_code = $1 AND p.revoked_at IS NULL AND p.valid_to > $2
) h WHERE h.here <> ($3::bigint IS NULL) OR h.on_staff OR h.purposes <> '{}'
"""
# `hashed` is null for somebody whose number has not been hashed yet.
_PEOPLE = """
SELECT d.digest AS hashed FROM people p LEFT JOIN gate_digests d
    ON d.township_code = p.township_code AND d.salt_id = $2 AND d.id_fingerprint = p.id_fingerprint
WHERE p.township_code = $1 AND p.id_fingerprint IS NOT NULL AND
"""
_QUARANTINED = _PEOPLE + "p.quarantine_order_id IS NOT NULL"
_STAFF = _PEOPLE + (
    "EXISTS (SELECT 1 FROM staff s WHERE s.township_code = $1 AND s.person_id = p.id AND s.active AND s.health = 'fit')"
)


@dataclass(frozen=True, slots=True)
class BundleGate:
    """A checkpoint for which a bundle is made."""

    id: UUID
    number: int
    unit_code: int
    kind: str
    rules: Rules

    @property
    def home(self) -> int | None:
        """The unit of whoever is no outsider here; None where the whole township is at home."""
        return self.unit_code if self.rules.outsider_scope == "unit" else None


async def read_gate(work: Work, checkpoint_id: UUID) -> BundleGate:
    """Return a checkpoint.

    Raises:
        NotFound: there is none.
    """
    row = await work.sql.fetchrow(_GATE, work.township_code, checkpoint_id)
    if row is None:
        raise NotFound
    rules = read_rules(row["rules_version"], row["rules"])
    return BundleGate(row["id"], row["number"], row["unit_code"], row["kind"], rules)


def section_key(work: Work, gate: BundleGate, salt: Salt, section: str) -> bytes:
    """Return the key of a section's hashes: no two gates, sections or salts share one."""
    return work.vault.fingerprint("bundle-section", f"{gate.id} {salt.id} {section}")[:KEY_BYTES]


async def small_sections(work: Work, gate: BundleGate, salt: Salt) -> dict[str, Any]:
    """Return every section but the residents, as JSON values."""
    return {
        "rules": rules_view(gate.rules).model_dump(mode="json"),
        "hashing": {"salt": base64url.encode(salt.value), "scrypt": {"n": 1 << salt.log2_n, "r": 8, "p": 1}},
        "keys": [
            {"number": row["number"], "ends_at": instant_text(row["ends_at"]), "jwk": row["jwk"]}
            for row in await work.sql.fetch(_KEYS, work.township_code, work.now)
        ],
        "revoked": _hex(n["number"] for n in await work.sql.fetch(_REVOKED, work.township_code, work.now)),
        "used": [
            [row["used"], coded(map(to_unsigned, row["numbers"]))]
            for row in await work.sql.fetch(
                _USED, work.township_code, work.now - USED_UP_FOR, work.today.isoformat()
            )
        ],
        "holders": await _holders(work, gate),
        "quarantined": await _exactly(work, gate, salt, "quarantined", _QUARANTINED),
        "staff": await _exactly(work, gate, salt, "staff", _STAFF),
    }


async def _holders(work: Work, gate: BundleGate) -> dict[str, Any]:
    """Return whose holders are other than most: at home here or not, on the staff, or bound to purposes."""
    rows = await work.sql.fetch(_HOLDERS, work.township_code, work.now, gate.home)
    others = [
        {
            "number": to_hex(row["number"]),
            "resident": row["here"],
            "staff": row["on_staff"],
            "purposes": sorted(row["purposes"]) or None,
        }
        for row in rows
    ]
    default = {"resident": gate.home is None, "staff": False, "purposes": None}
    return {"default": default, "others": sorted(others, key=lambda other: other["number"])}


async def _exactly(work: Work, gate: BundleGate, salt: Salt, name: str, statement: str) -> dict[str, Any]:
    """Return a set of people, each with 64 bits."""
    rows = await work.sql.fetch(statement, work.township_code, salt.id)
    key = section_key(work, gate, salt, name)
    hashes = [keyed_hash(key, to_unsigned(row["hashed"])) for row in rows if row["hashed"] is not None]
    return {"key": base64url.encode(key), "hashes": _hex(hashes), "missing": len(rows) - len(hashes)}


def coded(hashes: Iterable[int]) -> dict[str, Any]:
    """Return a coded set, as it is told."""
    size, code = code_set(hashes)
    return {"rice": RICE, "size": size, "code": base64url.encode(code)}


def _hex(numbers: Iterable[int]) -> list[str]:
    return sorted(map(to_hex, numbers))
