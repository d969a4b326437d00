"""Digests: how phone and server prove to each other that they hold the same.

The digest of a kind in a scope is SHA-256 over `id:rev` of its records in order of id, joined by newlines. A pull tells
the digest of the feed at a head, which never changes, so it is kept; a proof is made against the records themselves.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import asyncpg

from app.core.work import Work
from app.services.sync.cursors import Position, ScopeKey

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of a kind of which there is nothing."""

_DIGEST = "encode(sha256(convert_to(string_agg(id::text || ':' || rev, E'\\n' ORDER BY id), 'UTF8')), 'hex')"

# In the order of an index read backwards: the feed is not sorted, however long it is.
_TOLD = f"""
SELECT unit_code, audience, kind, {_DIGEST} AS digest
FROM unnest($2::bigint[], $3::text[], $4::bigint[]) AS s(unit_code, audience, seq) CROSS JOIN LATERAL (
    SELECT DISTINCT ON (f.kind, f.id) f.kind, f.id, f.rev, f.change FROM feed f
    WHERE f.township_code = $1 AND f.unit_code = s.unit_code AND f.audience = s.audience AND f.seq <= s.seq
    ORDER BY f.kind DESC, f.id DESC, f.seq DESC) AS latest
WHERE change = 'put' GROUP BY 1, 2, 3
"""

_STANDING = f"""
SELECT unit_code, audience, kind, {_DIGEST} AS digest
FROM feed_records CROSS JOIN unnest(audiences) AS a(audience)
WHERE township_code = $1 AND (unit_code, audience) IN (SELECT * FROM unnest($2::bigint[], $3::text[]))
GROUP BY 1, 2, 3
"""

Digests = dict[ScopeKey, dict[str, str]]

_KEPT = 4096
_kept: OrderedDict[tuple[int, ScopeKey, Position], dict[str, str]] = OrderedDict()


async def told_digests(work: Work, heads: Mapping[ScopeKey, Position]) -> Digests:
    """Return the digests of scopes as the feed told them up to these numbers."""
    keys = {scope: (work.township_code, scope, head) for scope, head in heads.items() if head.seq}
    told = {scope: _kept[key] for scope, key in keys.items() if key in _kept}
    missing = keys.keys() - told.keys()
    if missing:
        columns = zip(*((*scope, heads[scope].seq) for scope in missing), strict=True)
        told |= _grouped(missing, await work.sql.fetch(_TOLD, work.township_code, *columns))
    for scope, key in keys.items():
        _kept[key] = told[scope]
        _kept.move_to_end(key)
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)
    return {scope: told.get(scope, {}) for scope in heads}


async def standing_digests(work: Work, scopes: Iterable[ScopeKey]) -> Digests:
    """Return the digests of scopes as the records stand now."""
    wanted = list(scopes)
    if not wanted:
        return {}
    return _grouped(wanted, await work.sql.fetch(_STANDING, work.township_code, *zip(*wanted, strict=True)))


def _grouped(scopes: Iterable[ScopeKey], rows: Iterable[asyncpg.Record]) -> Digests:
    found: Digests = {scope: {} for scope in scopes}
    for row in rows:
        found[row["unit_code"], row["audience"]][row["kind"]] = row["digest"]
    return found
