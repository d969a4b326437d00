"""Stocks, as the feed tells of their changes: households, people, orders, alerts, pairings, closures, sites due."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from app.core.work import Work
from app.domain.days import local_day
from app.domain.metrics import STOCKS, Metric
from app.services.replay.facts import COUNTED
from app.services.replay.positions import FEED, Positions, positions_now

Amount = tuple[int, date, Metric, int]

_METRICS = {
    "household": Metric.HOUSEHOLDS,
    "person": Metric.PEOPLE,
    "quarantine_order": Metric.ORDERS_ACTIVE,
    "alert": Metric.ALERTS_OPEN,
    "pairing": Metric.PAIRINGS,
}
# An order that the clock released late had ended on its day all the same.
_STEPS = f"""
WITH told AS (
    SELECT f.kind, f.id, f.unit_code, f.seq, f.change, (f.at AT TIME ZONE $5)::date AS day,
        CASE WHEN f.change = 'put' AND f.kind = 'quarantine_order'
             THEN (f.data::json ->> 'ends_on')::date END AS ends_on,
        CASE WHEN f.change <> 'put' THEN 0
             WHEN f.kind = 'quarantine_order' THEN (f.data::json ->> 'status' = 'active')::int
             WHEN f.kind = 'alert' THEN (f.data::json ->> 'status' = 'open')::int
             WHEN f.kind = 'pairing' THEN (NOT (f.data::json ->> 'ended')::bool)::int
             ELSE 1 END AS stands
    FROM {FEED} WHERE f.township_code = $1 AND f.kind = ANY ($6)
), steps AS (
    SELECT *, stands - lag(stands, 1, 0) OVER (PARTITION BY kind, id, unit_code ORDER BY seq) AS step FROM told
)
SELECT kind, unit_code, CASE WHEN step < 0 THEN least(day, ends_on) ELSE day END AS day, sum(step)::int AS amount
FROM steps WHERE step <> 0 GROUP BY 1, 2, 3
"""
_SITES = f"""
SELECT f.id, f.unit_code, (f.at AT TIME ZONE $5)::date AS day,
    CASE WHEN f.change = 'put' AND (f.data::json ->> 'active')::bool
        THEN (f.data::json ->> 'times_per_day')::int ELSE 0 END AS wanted
FROM {FEED} WHERE f.township_code = $1 AND f.kind = 'site' ORDER BY f.id, f.unit_code, f.seq
"""
# In its own unit only: what is shut everywhere is told to all units.
_SHUT = f"""
SELECT DISTINCT ON (f.unit_code, f.id) f.unit_code, (f.data::json ->> 'starts_on')::date AS starts_on,
    (f.data::json ->> 'ends_on')::date AS ends_on
FROM {FEED} WHERE f.township_code = $1 AND f.kind = 'closure' AND f.change = 'put'
    AND (f.data::json ->> 'unit_code')::bigint = f.unit_code
ORDER BY f.unit_code, f.id, f.seq DESC
"""
_DONE = f"""
SELECT l.site_id, l.unit_code, l.day, count(*)::int AS done FROM disinfection_logs l
WHERE l.township_code = $1 AND (coalesce(l.counted_at, l.recorded_at) AT TIME ZONE $5)::date <= l.day AND {COUNTED}
GROUP BY 1, 2, 3
"""


# Whether or not the clock had come to release them.
_OVER = f"""
SELECT unit_code, ends_on FROM (
    SELECT DISTINCT ON (f.id) f.unit_code, (f.data::json ->> 'ends_on')::date AS ends_on,
        f.data::json ->> 'status' AS status
    FROM {FEED} WHERE f.township_code = $1 AND f.kind = 'quarantine_order' AND f.change = 'put'
    ORDER BY f.id, f.at DESC, f.seq DESC) o
WHERE status = 'active' AND ends_on <= $5
"""


async def stocks(
    work: Work,
    positions: Positions | None,
    moment: datetime | None = None,
    wanted: Collection[Metric] = STOCKS,
) -> list[Amount]:
    """Return units, days, metrics and amounts of every change of the stocks that are wanted.

    As of a moment an order whose last day was over is active no longer, although nothing told of its release. Alerts
    that the clock raises, and homes that cease to be sites with their order, count on the day on which it does so.
    """
    where = (positions or await positions_now(work)).arguments()
    arguments = (work.township_code, *where, work.township.zone.key)
    kinds = [kind for kind, metric in _METRICS.items() if metric in wanted]
    rows = await work.sql.fetch(_STEPS, *arguments, kinds)
    changes = [(row["unit_code"], row["day"], _METRICS[row["kind"]], row["amount"]) for row in rows]
    for row in await work.sql.fetch(_SHUT, work.township_code, *where):
        changes.append((row["unit_code"], row["starts_on"], Metric.CLOSURES, 1))
        if row["ends_on"] is not None:
            changes.append((row["unit_code"], row["ends_on"] + timedelta(days=1), Metric.CLOSURES, -1))
    done: defaultdict[tuple[UUID, date], dict[int, int]] = defaultdict(dict)
    for row in await work.sql.fetch(_DONE, *arguments):
        done[row["site_id"], row["day"]][row["unit_code"]] = row["done"]
    if moment is not None:
        today = local_day(moment, work.township.zone)
        over = await work.sql.fetch(_OVER, work.township_code, *where, today)
        changes += [(row["unit_code"], row["ends_on"], Metric.ORDERS_ACTIVE, -1) for row in over]
    return changes + list(_sites(await work.sql.fetch(_SITES, *arguments), done))


class _Here(NamedTuple):
    """A site in one unit."""

    site_id: UUID
    unit_code: int


def _sites(
    rows: Iterable[asyncpg.Record], done: defaultdict[tuple[UUID, date], dict[int, int]]
) -> Iterable[Amount]:
    """Yield what sites add to the disinfections that are due (see `app.services.site_stock`).

    On a day of change, also back and forth, a site owes what it wants at the day's end, less what another unit did of
    it, and at least what was done here; the rest of the change follows on the next day.
    """
    wants: defaultdict[_Here, dict[date, int]] = defaultdict(dict)
    for row in rows:
        wants[_Here(row["id"], row["unit_code"])][row["day"]] = row["wanted"]
    for here, by_day in wants.items():
        before = 0
        for day, wanted in sorted(by_day.items()):
            of_day = done[here.site_id, day]
            own = of_day.get(here.unit_code, 0)
            owed = max(wanted - (sum(of_day.values()) - own if before == 0 else 0), own)
            yield here.unit_code, day, Metric.SITES_DUE, owed - before
            yield here.unit_code, day + timedelta(days=1), Metric.SITES_DUE, wanted - owed
            before = wanted
