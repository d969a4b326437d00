"""The feed as an audit trail: its chain recomputed row by row, outside the database that wrote it.

A row's hash covers its predecessor's hash and everything it says; of the content it covers the hash, so that data may
be erased, and nothing else may change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from app.core.work import Work
from app.domain.feed import scope_name

BATCH = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SCOPES = """
SELECT unit_code, audience, h.seq, h.hash FROM (
    SELECT DISTINCT unit_code, audience FROM feed WHERE township_code = $1
    UNION SELECT unit_code, audience FROM feed_heads WHERE township_code = $1) AS scopes
LEFT JOIN feed_heads h USING (unit_code, audience)
WHERE h.township_code = $1 OR h.township_code IS NULL ORDER BY unit_code, audience
"""

_ROWS = """
SELECT seq, kind, id, rev, change, at, author_id, device_id, op_id, content_hash, hash, salt, data
FROM feed WHERE township_code = $1 AND unit_code = $2 AND audience = $3 AND seq > $4 ORDER BY seq LIMIT $5
"""

# Of each record in each scope, the feed's last word beside the record as it stands.
_UNTOLD = """
WITH said AS (
    SELECT DISTINCT ON (unit_code, audience, kind, id) unit_code, audience, kind, id, rev, change, seq
    FROM feed WHERE township_code = $1 ORDER BY unit_code, audience, kind, id, seq DESC
), standing AS (
    SELECT unit_code, audience, kind, id, rev FROM feed_records CROSS JOIN unnest(audiences) AS a(audience)
    WHERE township_code = $1
)
SELECT unit_code, audience, kind, id, seq FROM (SELECT * FROM said WHERE change = 'put') AS told
FULL JOIN standing USING (unit_code, audience, kind, id)
WHERE told.rev IS DISTINCT FROM standing.rev ORDER BY 1, 2, 3, 4 LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a scope is not what was written: the first bad number, and what is wrong with it."""

    scope: str
    seq: int
    what: str


async def verify_log(work: Work) -> tuple[int, list[Fault]]:
    """Return how many rows the township's feed has, and the first fault of each scope that has any."""
    rows, faults = 0, []
    for scope in await work.sql.fetch(_SCOPES, work.township_code):
        count, fault = await _verify_scope(work, scope)
        rows += count
        faults += [fault] if fault else []
    return rows, faults


async def untold(work: Work) -> list[Fault]:
    """Return records of which the feed's last word is not what stands: at most twenty, by scope."""
    return [
        Fault(scope_name(row["unit_code"], row["audience"]), row["seq"] or 0, f"{row['kind']} {row['id']}")
        for row in await work.sql.fetch(_UNTOLD, work.township_code)
    ]


async def begin_epoch(work: Work) -> None:
    """Let every phone start anew: the database was set back to an earlier state."""
    await work.sql.execute("UPDATE townships SET epoch = $2 WHERE code = $1", work.township_code, uuid4())


async def _verify_scope(work: Work, scope: Any) -> tuple[int, Fault | None]:
    name = scope_name(scope["unit_code"], scope["audience"])
    seq, before = 0, b""
    while True:
        rows = await work.sql.fetch(
            _ROWS, work.township_code, scope["unit_code"], scope["audience"], seq, BATCH
        )
        for row in rows:
            wrong = _wrong(name, row, seq, before)
            if wrong:
                return seq, Fault(name, seq + 1, wrong)
            seq, before = row["seq"], row["hash"]
        if len(rows) < BATCH:
            break
    if (scope["seq"], scope["hash"]) != (seq, before):
        return seq, Fault(name, seq + 1, "the head names another row than the last")
    return seq, None


def _wrong(name: str, row: Any, seq: int, before: bytes) -> str | None:
    """Return what is wrong with a row behind the number `seq`, whose hash is `before`."""
    if row["seq"] != seq + 1:
        return "missing"
    if sha256(before + link(name, row).encode()).digest() != row["hash"]:
        return "not what was written, or not after this predecessor"
    if row["salt"] is None:
        return "data without its salt" if row["data"] is not None else None
    content = sha256(row["salt"] + (row["data"] or "").encode()).digest()
    return None if content == row["content_hash"] else "its data are not what was written"


def link(name: str, row: Any) -> str:
    """Return the text of a row that its hash covers, behind its predecessor's hash (see `app/models/feeding.py`)."""
    microseconds = (row["at"] - _EPOCH) // timedelta(microseconds=1)
    unit, _, audience = name.partition("/")
    parts: Iterable[object] = (
        unit,
        audience,
        row["seq"],
        row["kind"],
        row["id"],
        row["rev"],
        row["change"],
        microseconds,
        row["author_id"],
        row["op_id"] or "-",
        row["content_hash"].hex(),
        row["device_id"] or "",
    )
    return "|".join(map(str, parts))
