"""rounds are told of, and closures of a whole township to its units; closures, rounds, pairings and self-reports are
counted"""

import sqlalchemy as sa
from alembic import op

from app.models.crossings import crossing_sql
from app.models.feeding import APPEND_FEED, feed_view_sql
from app.models.fence import FENCE

revision = "202611261310"
down_revision = "202611261300"
branch_labels = None
depends_on = None

_METRICS = ("closures", "market_stops", "pairings", "self_reports")

# The owner stands behind the fence like everybody else.
_LANES = """
SELECT set_config('app.' || lane, '{[100000000000,1000000000000)}', true)
FROM unnest(ARRAY['unit', 'grid', 'tally']) AS lane
"""

_DAY_OF_ARRIVAL = """
UPDATE self_reports r SET day = (r.recorded_at AT TIME ZONE t.timezone)::date
FROM townships t WHERE t.code = r.township_code
"""

# What was said to all units and some have not heard: rounds, closures of the township as a whole, and bulletins of
# before those units were added.
_TELL = """
DO $$
DECLARE town bigint;
BEGIN
    FOR town IN SELECT code FROM townships ORDER BY code LOOP
        PERFORM append_feed(town, now(), '00000000-0000-0000-0000-000000000000', 'migration',
            array_agg(u.kind), array_agg(u.id), array_agg(NULL::uuid), false)
        FROM (
            SELECT DISTINCT r.kind, r.id FROM feed_records r
            WHERE r.township_code = town AND r.kind IN ('bulletin', 'closure', 'market_round') AND NOT EXISTS (
                SELECT 1 FROM feed f WHERE f.township_code = town AND f.unit_code = r.unit_code
                    AND f.audience = 'unit' AND f.kind = r.kind AND f.id = r.id AND f.rev = r.rev)
            ORDER BY r.id) u
        HAVING count(*) > 0;
    END LOOP;
END $$
"""

_COUNT = """
INSERT INTO daily_counters AS c (township_code, unit_code, day, changed_at, {metric})
SELECT n.township_code, n.unit_code, n.day, now(), n.amount FROM ({amounts}) AS n WHERE n.amount <> 0
ON CONFLICT (township_code, day, unit_code) DO UPDATE SET {metric} = excluded.{metric}, changed_at = now()
"""

_AMOUNTS = {
    "market_stops": """
    SELECT m.township_code, (s ->> 'unit_code')::bigint AS unit_code, m.day, count(*)::int AS amount
    FROM market_rounds m CROSS JOIN LATERAL jsonb_array_elements(m.stops) AS s WHERE NOT m.cancelled GROUP BY 1, 2, 3
""",
    "closures": """
    SELECT c.township_code, c.unit_code, on_day.day, sum(on_day.amount)::int AS amount
    FROM closures c CROSS JOIN LATERAL (VALUES (c.starts_on, 1), (c.ends_on + 1, -1)) AS on_day(day, amount)
    WHERE on_day.day IS NOT NULL GROUP BY 1, 2, 3
""",
    # A pairing may have ended, and gone on, on several days: the feed knows when.
    "pairings": """
    SELECT step.township_code, step.unit_code, step.day, sum(step.amount)::int AS amount FROM (
        SELECT told.*, told.stands - lag(told.stands, 1, 0) OVER (PARTITION BY told.id ORDER BY told.seq) AS amount
        FROM (SELECT f.township_code, f.unit_code, f.id, f.seq, (f.at AT TIME ZONE t.timezone)::date AS day,
                (NOT (f.data::json ->> 'ended')::bool)::int AS stands
            FROM feed f JOIN townships t ON t.code = f.township_code
            WHERE f.kind = 'pairing' AND f.audience = 'unit' AND f.change = 'put') AS told) AS step
    GROUP BY 1, 2, 3
""",
    "self_reports": """
    SELECT township_code, unit_code, day, count(*)::int AS amount FROM self_reports GROUP BY 1, 2, 3
""",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(_LANES)
    op.add_column("self_reports", sa.Column("day", sa.Date(), nullable=True))
    op.execute(_DAY_OF_ARRIVAL)
    # The public's reports of some weeks: looked through in no time.
    op.execute(
        "-- squawk-ignore adding-not-nullable-field\nALTER TABLE self_reports ALTER COLUMN day SET NOT NULL"
    )
    for statement in (*feed_view_sql(revision), *crossing_sql(APPEND_FEED), _TELL):
        op.execute(statement)
    for metric in _METRICS:
        op.add_column(
            "daily_counters", sa.Column(metric, sa.Integer(), nullable=False, server_default=sa.text("0"))
        )
        op.execute(_COUNT.format(metric=metric, amounts=_AMOUNTS[metric]))
    op.execute(f"ALTER POLICY fence ON shifts WITH CHECK ({FENCE['shifts'].check})")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for metric in _METRICS:
        op.drop_column("daily_counters", metric)
    for statement in feed_view_sql(down_revision):
        op.execute(statement)
    op.drop_column("self_reports", "day")
    op.execute(f"ALTER POLICY fence ON shifts WITH CHECK ({FENCE['shifts'].using})")
