"""Households as disinfection sites (重点人员家中): an active quarantine order makes its household one.

The site's row is the lock: whoever opens or releases orders of a household takes it, and only then looks at which
orders are active, so that of two parallel changes the later one sees both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.core.ids import uuid7
from app.core.work import Work
from app.domain.enums import SiteKind
from app.domain.feed import RecordKind
from app.services.site_stock import change_due, count_logs

_ENSURE = """
INSERT INTO disinfection_sites (township_code, unit_code, id, content_hash, author_id, recorded_at, name, kind,
    times_per_day, priority, active, active_since, household_id, rev)
SELECT h.township_code, h.unit_code, wanted.site_id, ''::bytea, $4, $5, h.address, $6, 1, false, false, $7, h.id, 1
FROM unnest($2::uuid[], $3::uuid[]) AS wanted(household_id, site_id)
JOIN households h ON h.township_code = $1 AND h.id = wanted.household_id
WHERE EXISTS (SELECT 1 FROM quarantine_orders o
              WHERE o.township_code = $1 AND o.household_id = h.id AND o.status = 'active')
ORDER BY h.id
ON CONFLICT DO NOTHING
"""

_LOCK = """
SELECT id FROM disinfection_sites WHERE township_code = $1 AND household_id = ANY($2) ORDER BY id FOR NO KEY UPDATE
"""

_STATE = """
SELECT s.id, s.unit_code, s.times_per_day, s.active,
    EXISTS (SELECT 1 FROM quarantine_orders o WHERE o.township_code = $1 AND o.household_id = s.household_id
            AND o.status = 'active') AS needed,
    (SELECT count(*) FROM disinfection_logs l WHERE l.township_code = $1 AND l.site_id = s.id AND l.day = $3
     AND l.counted) AS done_today
FROM disinfection_sites s WHERE s.township_code = $1 AND s.household_id = ANY($2)
"""

# A site that goes and comes back on one day was never away: it keeps the day since when it is active.
_SWITCH = """
UPDATE disinfection_sites SET active = NOT active, rev = rev + 1,
    active_since = CASE WHEN active OR inactive_since = $3 THEN active_since ELSE $3 END,
    inactive_since = CASE WHEN active THEN $3::date END
WHERE township_code = $1 AND id = ANY($2)
"""


@dataclass(frozen=True, slots=True)
class _Switch:
    """A site that begins or ceases to be one."""

    site_id: UUID
    unit_code: int
    before: int
    after: int
    done_today: int


async def orders_changed(work: Work, household_ids: Iterable[UUID]) -> None:
    """Make each household an active site while it has an active order, and an inactive one otherwise.

    To be called after orders of these households were opened, released or moved; calling it again changes nothing.
    """
    households = sorted(set(household_ids))
    if not households:
        return
    await _ensure_sites(work, households)
    await work.sql.execute(_LOCK, work.township_code, households)
    switches = await _switches(work, households)
    if not switches:
        return
    switched = [switch.site_id for switch in switches]
    await work.sql.execute(_SWITCH, work.township_code, switched, work.today)
    work.touch(RecordKind.SITE, switched)
    for switch in switches:
        change_due(work, switch.unit_code, switch.before, switch.after, switch.done_today)
    await count_logs(work, {(switch.site_id, work.today) for switch in switches})


async def _ensure_sites(work: Work, households: list[UUID]) -> None:
    """Give each household with an active order its site, not yet active."""
    await work.sql.execute(
        _ENSURE,
        work.township_code,
        households,
        [uuid7() for _ in households],
        work.account_id,
        work.now,
        SiteKind.KEY_HOUSEHOLD,
        work.today,
    )


async def _switches(work: Work, households: list[UUID]) -> list[_Switch]:
    """Return the locked sites that are not as the orders want them."""
    rows = await work.sql.fetch(_STATE, work.township_code, households, work.today)
    return [
        _Switch(
            row["id"],
            row["unit_code"],
            before=row["times_per_day"] if row["active"] else 0,
            after=row["times_per_day"] if row["needed"] else 0,
            done_today=row["done_today"],
        )
        for row in rows
        if row["active"] != row["needed"]
    ]
