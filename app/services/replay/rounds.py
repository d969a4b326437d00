"""The stops of vendors' rounds, as they stood: a round may be called off, and take place after all."""

from datetime import date

from app.core.work import Work
from app.domain.metrics import Metric
from app.services.replay.positions import FEED, Positions

# Its day and its stops never change.
_STOPS = """
SELECT s.unit_code, m.day, count(*)::int AS amount FROM market_rounds m
CROSS JOIN LATERAL (
    SELECT (stop ->> 'unit_code')::bigint AS unit_code FROM jsonb_array_elements(m.stops) AS stop) AS s
CROSS JOIN LATERAL ({standing}) AS last
WHERE m.township_code = $1 AND m.day BETWEEN $5 AND $6 AND NOT last.cancelled GROUP BY 1, 2
"""
_STORED = _STOPS.format(
    standing="SELECT m.cancelled WHERE $2::bigint[] IS NULL AND $3::bigint[] IS NULL AND $4::timestamptz IS NULL"
)
# Every unit is told of every round; of a stop its own unit is asked.
_TOLD = _STOPS.format(
    standing=f"""
    SELECT (f.data::json ->> 'cancelled')::bool AS cancelled FROM {FEED}
    WHERE f.township_code = $1 AND f.unit_code = s.unit_code AND f.kind = 'market_round' AND f.id = m.id
        AND f.change = 'put'
    ORDER BY f.seq DESC LIMIT 1"""
)


async def rounds(
    work: Work, positions: Positions | None, first: date, last: date
) -> list[tuple[int, date, Metric, int]]:
    """Return units, days, metric and amounts of the stops of some days, as far as the feed had told of them."""
    where = positions.arguments() if positions else (None, None, None)
    rows = await work.sql.fetch(_TOLD if positions else _STORED, work.township_code, *where, first, last)
    return [(row["unit_code"], row["day"], Metric.MARKET_STOPS, row["amount"]) for row in rows]
