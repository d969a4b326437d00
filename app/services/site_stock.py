"""What disinfection sites add to the report: `sites_due`, a stock, and `sites_disinfected`, facts.

A site adds its `times_per_day` to its unit's stock while it is active, from the day on which it becomes so. What was
already disinfected today stays due today: a change that lowers the number (fewer times, or the end of a quarantine)
acts on today as far as nothing was done yet, and on tomorrow for the rest. A log counts while its site still needs one
on its day. So `sites_disinfected` never exceeds `sites_due` of the same day.
"""

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

from app.core.work import Work
from app.domain.metrics import Metric

# Each step once: folded into one another they are run again for every row, which a site with hundreds of logs feels.
_COUNT = """
WITH asked AS (SELECT * FROM unnest($2::uuid[], $3::date[]) AS a(site_id, day)),
wanting AS MATERIALIZED (
    SELECT a.site_id, a.day, s.times_per_day - (
        SELECT count(*) FROM disinfection_logs l
        WHERE l.township_code = $1 AND l.site_id = a.site_id AND l.day = a.day AND l.counted) AS room
    FROM asked a JOIN disinfection_sites s ON s.township_code = $1 AND s.id = a.site_id
    WHERE s.active_since <= a.day AND (s.inactive_since IS NULL OR a.day < s.inactive_since)
),
next AS MATERIALIZED (
    SELECT l.id, w.room, row_number() OVER (PARTITION BY l.site_id, l.day ORDER BY l.occurred_at, l.id) AS place
    FROM wanting w JOIN disinfection_logs l
        ON l.township_code = $1 AND l.site_id = w.site_id AND l.day = w.day AND NOT l.counted
)
UPDATE disinfection_logs l SET counted = true, counted_at = $4 FROM next n
WHERE l.township_code = $1 AND l.id = n.id AND n.place <= n.room
RETURNING l.unit_code, l.day
"""


def change_due(work: Work, unit_code: int, before: int, after: int, done_today: int) -> None:
    """Book a site's change from `before` to `after` required disinfections a day (0 while it is inactive).

    `done_today` is how many of today's disinfections of the site were counted as done.
    """
    on_today = max(after, done_today) - max(before, done_today)
    work.count(unit_code, work.today, Metric.SITES_DUE, on_today)
    work.count(unit_code, work.today + timedelta(days=1), Metric.SITES_DUE, after - before - on_today)


async def count_logs(work: Work, site_days: Collection[tuple[UUID, date]]) -> None:
    """Count as many of the uncounted logs of locked sites and days as are still needed; again changes nothing."""
    if not site_days:
        return
    sites, days = zip(*sorted(site_days), strict=True)
    for row in await work.sql.fetch(_COUNT, work.township_code, sites, days, work.now):
        work.count(row["unit_code"], row["day"], Metric.SITES_DISINFECTED)
