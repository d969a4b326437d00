"""The stops of vendors' rounds, as they stood: a round may be called off, and take place after all."""

from datetime import date

from app.core.work import Work
from app.domain.metrics import Metric
from app.services.replay.positions import FEED, Positions

_STOPS = """
SELECT (s ->> 'unit_code')::bigint AS unit_code, r.day, count(*)::int AS amount
FROM ({rounds}) AS r CROSS JOIN LATERAL jsonb_array_elements(r.stops) AS s
WHERE NOT r.cancelled AND r.day BETWEEN {days} {own} GROUP BY 1, 2
"""
_STORED = _STOPS.format(
    rounds="SELECT day, stops, cancelled FROM market_rounds WHERE township_code = $1",
    days="$2 AND $3",
    own="",
)
# Every unit is told of every round: each is asked for its own stops.
_TOLD = _STOPS.format(
    rounds=f"""
    SELECT DISTINCT ON (f.unit_code, f.id) f.unit_code, (f.data::json ->> 'day')::date AS day,
        f.data::jsonb -> 'stops' AS stops, (f.data::json ->> 'cancelled')::bool AS cancelled
    FROM {FEED} WHERE f.township_code = $1 AND f.kind = 'market_round' AND f.change = 'put'
    ORDER BY f.unit_code, f.id, f.seq DESC""",
    days="$5 AND $6",
    own="AND (s ->> 'unit_code')::bigint = r.unit_code",
)


async def rounds(
    work: Work, positions: Positions | None, first: date, last: date
) -> list[tuple[int, date, Metric, int]]:
    """Return units, days, metric and amounts of the stops of some days, as far as the feed had told of them."""
    if positions is None:
        rows = await work.sql.fetch(_STORED, work.township_code, first, last)
    else:
        rows = await work.sql.fetch(_TOLD, work.township_code, *positions.arguments(), first, last)
    return [(row["unit_code"], row["day"], Metric.MARKET_STOPS, row["amount"]) for row in rows]
