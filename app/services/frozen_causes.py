"""Which records made a day's report say otherwise: those, and only those, that came since and count in the number."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

import asyncpg

from app.core.work import Work
from app.domain.enums import DenyReason, VisitKind
from app.domain.metrics import DENIED_BY, Metric
from app.services.check_counts import FOUND
from app.services.counted_records import COUNTED_RECORDS
from app.services.quarantine_slots import DONE, DUE, MISSED
from app.services.replay.positions import Positions, told

_TELLING = """
JOIN feed f ON f.township_code = $1 AND f.audience = 'unit' AND f.kind = '{kind}' AND f.id = r.id AND f.change = 'put'
JOIN unnest($5::bigint[], $6::bigint[]) AS n(unit_code, seq) ON n.unit_code = f.unit_code AND f.seq <= n.seq
"""


def _new(kind: str, table: str, unit: str, more: str = "NULL", joined: str = "") -> str:
    """Return the records of the day of which the feed had not told before, with what decides where they count."""
    return f"""
SELECT {unit} AS unit_code, '{kind}' AS kind, r.id, f.unit_code AS feed_unit, min(f.seq) AS seq, {more} AS more
FROM {table} r {_TELLING.format(kind=kind)} {joined}
WHERE r.township_code = $1 AND r.day = $7 AND NOT {told(kind, "r.id")}
GROUP BY {unit}, r.id, f.unit_code, {more}
"""


# A person counts by the latest line of the day: a check touches what its people were found to be before, too.
_WHEREABOUTS = """
ARRAY(SELECT DISTINCT o.whereabouts FROM check_lines l
    JOIN check_lines o ON o.township_code = $1 AND o.person_id = l.person_id AND o.day = r.day
        AND o.fact_unit_code = r.fact_unit_code
    WHERE l.township_code = $1 AND l.check_id = r.id
    UNION SELECT 'exposed' FROM check_lines l
    WHERE l.township_code = $1 AND l.check_id = r.id AND l.exposure <> 'none')
"""
# A slot stands where its order was when it ended; the visit may have been made for another unit.
_SLOT = """
LEFT JOIN quarantine_slots s ON s.township_code = $1 AND s.order_id = r.order_id AND s.day = r.day AND s.kind = r.kind
    AND s.slot = r.slot
"""
_CHECKS = _new("check", "household_checks", "r.fact_unit_code", _WHEREABOUTS.strip())
_VISITS = _new("visit", "visits", "coalesce(s.fact_unit_code, r.fact_unit_code)", "ARRAY[r.kind]", _SLOT)
# A fever counts where it was measured.
_FEVERS = _new("visit", "visits", "r.fact_unit_code", "r.alerts || 'measured'::text")
_DECISIONS = _new("decision", "decisions", "r.unit_code", "ARRAY[r.verdict] || r.reasons")
_LOGS = _new("log", "disinfection_logs", "r.unit_code", "ARRAY[]::text[]")
# States that changed in what counts, since the last row that was told before.
_STATES = """
SELECT f.unit_code, f.kind, f.id, f.unit_code AS feed_unit, max(f.seq) AS seq, ARRAY[]::text[] AS more FROM feed f
JOIN unnest($5::bigint[], $6::bigint[]) AS n(unit_code, seq) ON n.unit_code = f.unit_code AND f.seq <= n.seq
LEFT JOIN unnest($2::bigint[], $3::bigint[]) AS p(unit_code, seq) ON p.unit_code = f.unit_code
LEFT JOIN LATERAL (
    SELECT b.change, b.data FROM feed b WHERE b.township_code = $1 AND b.unit_code = f.unit_code AND b.audience = 'unit'
        AND b.kind = f.kind AND b.id = f.id AND b.seq <= coalesce(p.seq, 0)
        AND ($4::timestamptz IS NULL OR b.at < $4)
    ORDER BY b.seq DESC LIMIT 1) before ON true
WHERE f.township_code = $1 AND f.audience = 'unit' AND (f.seq > coalesce(p.seq, 0) OR f.at >= $4)
    AND (f.kind IN ('household', 'site', 'alert', 'pairing') AND (f.at AT TIME ZONE $8)::date <= $7
        OR f.kind = 'quarantine_order' AND coalesce((f.data::json ->> 'starts_on')::date, $7) <= $7
        OR f.kind = 'closure' AND (f.data::json ->> 'starts_on')::date <= $7
            AND (f.data::json ->> 'unit_code')::bigint = f.unit_code
        OR f.kind = 'market_round' AND (f.data::json ->> 'day')::date = $7
            AND f.data::jsonb -> 'stops' @> jsonb_build_array(jsonb_build_object('unit_code', f.unit_code::text)))
    AND (before.change IS DISTINCT FROM f.change OR EXISTS (
        SELECT 1 FROM unnest(ARRAY['status', 'ends_on', 'active', 'times_per_day', 'ended', 'cancelled']) AS member
        WHERE before.data::json ->> member IS DISTINCT FROM f.data::json ->> member))
GROUP BY f.unit_code, f.kind, f.id
"""
_OF_STATE = {
    "household": (Metric.HOUSEHOLDS,),
    "site": (Metric.SITES_DUE, Metric.SITES_DISINFECTED),
    "alert": (Metric.ALERTS_OPEN,),
    "pairing": (Metric.PAIRINGS,),
    "closure": (Metric.CLOSURES,),
    "market_round": (Metric.MARKET_STOPS,),
    "quarantine_order": (Metric.ORDERS_ACTIVE, *DUE.values(), *DONE.values(), *MISSED.values()),
}
_COUNTED = [
    _new(one.kind, one.table, "r.unit_code", f"array_remove(ARRAY[{cases}]::text[], NULL)")
    for one in COUNTED_RECORDS
    for cases in [", ".join(f"CASE WHEN {n} <> 0 THEN '{metric}' END" for metric, n in one.amounts.items())]
]
_COUNTED_KINDS = frozenset(one.kind for one in COUNTED_RECORDS)

Causes = dict[tuple[int, Metric], list[dict[str, Any]]]


async def causes(work: Work, day: date, before: Positions, after: Positions) -> Causes:
    """Return for each unit and metric the records that came between two positions and count in it on the day."""
    where = (*before.arguments(), *after.arguments()[:2], day)
    rows = []
    for statement in (_CHECKS, _VISITS, _FEVERS, _DECISIONS, _LOGS, *_COUNTED):
        rows += await work.sql.fetch(statement, work.township_code, *where)
    rows += await work.sql.fetch(_STATES, work.township_code, *where, work.township.zone.key)
    found: Causes = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["feed_unit"], row["seq"], row["id"])):
        record = {
            "kind": row["kind"],
            "id": str(row["id"]),
            "scope": f"{row['feed_unit']}/unit",
            "seq": row["seq"],
        }
        for metric in _metrics(row):
            found[row["unit_code"], metric].append(record)
    return found


def _metrics(row: asyncpg.Record) -> Iterable[Metric]:
    """Return the metrics in which a record counts."""
    more = set(row["more"])
    match row["kind"]:
        case "check":
            yield Metric.HOUSEHOLDS_CHECKED
            yield from (metric for whereabouts, metric in FOUND.items() if whereabouts in more)
            if "exposed" in more:
                yield Metric.EXPOSED_FOUND
        case "visit" if "measured" in more:
            yield from [Metric.FEVERS] if "fever" in more else []
        case "visit":
            kind = VisitKind.SERVICE if VisitKind.SERVICE in more else VisitKind.TEMPERATURE
            yield from (DONE[kind], MISSED[kind])
        case "decision":
            yield Metric.PASSES if "pass" in more else Metric.DENIALS
            yield from (DENIED_BY[reason] for reason in DenyReason if reason in more)
        case "log":
            yield Metric.SITES_DISINFECTED
        case counted if counted in _COUNTED_KINDS:
            yield from map(Metric, row["more"])
        case kind_:
            yield from _OF_STATE[kind_]
