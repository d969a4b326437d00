"""Places that are disinfected every day (办公室、超市、市场、药房等), and what they still need."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from app.core.ids import uuid7
from app.core.language import Text
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, IdReused, NotFound
from app.core.work import Work
from app.domain.disinfection import site_due
from app.domain.feed import RecordKind
from app.schemas.disinfection import SiteBody, SitePatch, SiteView
from app.services.claims import content_hash, settle
from app.services.site_stock import change_due, count_logs
from app.services.units import known_units


class SiteFollowsOrders(Conflict):
    """A home in quarantine is a site by its orders, under its address; both are changed there."""

    code = "site-follows-orders"
    title = Text("重点人员家随隔离令变化", "This site follows its orders")
    detail_text = Text(
        "重点人员家的名称和启用状态由居家隔离令决定,不能手工修改。",
        "Name and activity of a home in quarantine follow from its orders and cannot be set by hand.",
    )


_INSERT = """
INSERT INTO disinfection_sites (township_code, id, unit_code, name, kind, times_per_day, priority, content_hash,
    author_id, recorded_at, active_since, active, rev)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, true, 1)
ON CONFLICT DO NOTHING
"""

# A site is one on a day from `active_since` until the day before `inactive_since`.
_SITES = """
SELECT s.id, s.unit_code, coalesce(h.address, s.name) AS name, s.kind, s.times_per_day, s.priority, s.active,
    s.household_id, s.active_since <= $2 AND (s.inactive_since IS NULL OR $2 < s.inactive_since) AS wanted,
    (SELECT count(*)::int FROM disinfection_logs l
     WHERE l.township_code = $1 AND l.site_id = s.id AND l.day = $2 AND l.counted) AS done
FROM disinfection_sites s LEFT JOIN households h ON h.township_code = $1 AND h.id = s.household_id
WHERE s.township_code = $1
"""

_ONE = f"{_SITES} AND s.id = $3"

_LIST = f"""
SELECT * FROM ({_SITES}) AS site
WHERE unit_code = coalesce($3, unit_code) AND active = coalesce($4, active)
    AND (wanted AND done < times_per_day) = coalesce($5, wanted AND done < times_per_day)
    AND (unit_code, id) > (coalesce($6::bigint, 0), coalesce($7::uuid, '00000000-0000-0000-0000-000000000000'))
ORDER BY unit_code, id LIMIT $8
"""

_LOCK = """
SELECT id, unit_code, name, times_per_day, priority, active, household_id FROM disinfection_sites
WHERE township_code = $1 AND id = $2 FOR NO KEY UPDATE
"""

_DONE = """
SELECT count(*) FROM disinfection_logs WHERE township_code = $1 AND site_id = $2 AND day = $3 AND counted
"""

_CHANGE = """
UPDATE disinfection_sites SET name = $3, times_per_day = $4, priority = $5, active = $6::bool, rev = rev + 1,
    active_since = CASE WHEN active OR NOT $6 OR inactive_since = $7 THEN active_since ELSE $7 END,
    inactive_since = CASE WHEN $6 THEN NULL ELSE coalesce(inactive_since, $7) END
WHERE township_code = $1 AND id = $2
"""


@dataclass(frozen=True, slots=True)
class SiteFilter:
    """Which sites are asked for; None is no limit. `due` speaks of `day`."""

    unit_code: int | None = None
    active: bool | None = None
    due: bool | None = None
    day: date | None = None


async def create_site(work: Work, body: SiteBody) -> Outcome[SiteView]:
    """Make a place a site from today on.

    The outcome's problem is NotFound for a unit that the caller does not see, or IdReused.
    """
    id_, unit_code = body.id or uuid7(), int(body.unit_code)
    wanted = {id_: content_hash(work, "disinfection-site", body)}
    known = await settle(work, "disinfection_sites", wanted)
    fresh = not known.replayed and not known.reused
    if fresh and not await known_units(work, [unit_code]):
        return Outcome(id_, problem=NotFound())
    made = fresh and await _insert(work, id_, body, wanted[id_])
    if made:
        work.touch(RecordKind.SITE, [id_])
        change_due(work, unit_code, 0, body.times_per_day, 0)
    elif fresh:
        known = await settle(work, "disinfection_sites", wanted)
    if not made and not known.replayed:
        return Outcome(id_, problem=IdReused())
    return Outcome(id_, await show_site(work, id_, None), replayed=not made)


async def _insert(work: Work, id_: UUID, body: SiteBody, hash_: bytes) -> bool:
    row = (int(body.unit_code), body.name, body.kind, body.times_per_day, body.priority, hash_)
    status: str = await work.sql.execute(
        _INSERT, work.township_code, id_, *row, work.account_id, work.now, work.today
    )
    return status == "INSERT 0 1"


async def list_sites(work: Work, wanted: SiteFilter, paging: Paging) -> Page[SiteView]:
    """Return a page of the sites that the caller may see, by unit, as they stand on the day asked for."""
    day = wanted.day or work.today
    behind = paging.key(int, UUID) or (None, None)
    limits = (wanted.unit_code, wanted.active, wanted.due)
    rows = await work.sql.fetch(_LIST, work.township_code, day, *limits, *behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["unit_code"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(row, day) for row in shown], next=more)


async def show_site(work: Work, site_id: UUID, day: date | None) -> SiteView:
    """Return one site as it stands on a day (today).

    Raises:
        NotFound: no such site, or not for this caller.
    """
    row = await work.sql.fetchrow(_ONE, work.township_code, day or work.today, site_id)
    if row is None:
        raise NotFound
    return _view(row, day or work.today)


async def change_site(work: Work, site_id: UUID, body: SitePatch) -> SiteView:
    """Change what is sent of a site; what it owes changes from today, save what was already done today.

    Raises:
        NotFound: no such site, or not for this caller.
        SiteFollowsOrders: the name or the activity of a home in quarantine.
    """
    site = await work.sql.fetchrow(_LOCK, work.township_code, site_id)
    if site is None:
        raise NotFound
    if site["household_id"] is not None and body.model_fields_set & {"name", "active"}:
        raise SiteFollowsOrders
    new = {**dict(site), **body.model_dump(include=body.model_fields_set)}
    if new != dict(site):
        await _change(work, site, new)
    return await show_site(work, site_id, None)


async def _change(work: Work, site: asyncpg.Record, new: dict[str, Any]) -> None:
    before = site["times_per_day"] if site["active"] else 0
    after = new["times_per_day"] if new["active"] else 0
    done = await work.sql.fetchval(_DONE, work.township_code, site["id"], work.today)
    change_due(work, site["unit_code"], before, after, done)
    row = (new["name"], new["times_per_day"], new["priority"], new["active"])
    await work.sql.execute(_CHANGE, work.township_code, site["id"], *row, work.today)
    work.touch(RecordKind.SITE, [site["id"]])
    if after > before:
        await count_logs(work, {(site["id"], work.today)})


def _view(row: asyncpg.Record, day: date) -> SiteView:
    due = row["wanted"] and site_due(row["done"], row["times_per_day"])
    return SiteView.model_validate({**dict(row), "day": day, "due": due})
