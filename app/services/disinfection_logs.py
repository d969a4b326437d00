"""Disinfections done: every one is kept, and as many count as the site requires on its day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound, Problem, at
from app.core.work import Work
from app.domain.days import day_bounds, local_day
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.schemas.disinfection import LogBody, LogView
from app.services import batch, photos
from app.services.moments import in_the_future
from app.services.site_stock import count_logs

_LOCK_SITES = """
SELECT id, unit_code FROM disinfection_sites WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE
"""

_INSERT = """
INSERT INTO disinfection_logs (township_code, author_id, recorded_at, counted,
    id, unit_code, content_hash, site_id, occurred_at, claimed_at, time_quality, day, agent, litres, note, photo_ids)
SELECT $1, $2, $3, false,
    n.id, n.unit_code, n.content_hash, n.site_id, n.occurred_at, n.claimed_at, n.time_quality, n.day, n.agent,
    n.litres, n.note, string_to_array(n.photo_ids, ',')
FROM unnest($4::uuid[], $5::bigint[], $6::bytea[], $7::uuid[], $8::timestamptz[], $9::date[], $10::text[],
    $11::numeric[], $12::text[], $13::text[], $14::timestamptz[], $15::text[])
    AS n(id, unit_code, content_hash, site_id, occurred_at, day, agent, litres, note, photo_ids, claimed_at,
        time_quality)
ON CONFLICT DO NOTHING RETURNING id
"""

_SHOWN = f"""
id, site_id, unit_code, occurred_at, claimed_at, time_quality, recorded_at, day, agent, litres, photo_ids, note,
counted, author_id,
{photos.pending("disinfection_logs")}
"""

_BY_IDS = f"SELECT {_SHOWN} FROM disinfection_logs WHERE township_code = $1 AND id = ANY($2)"

_LIST = f"""
SELECT {_SHOWN} FROM disinfection_logs
WHERE township_code = $1 AND site_id = coalesce($2, site_id)
    AND occurred_at >= coalesce($3, '-infinity'::timestamptz) AND occurred_at < coalesce($4, 'infinity'::timestamptz)
    AND (occurred_at, id) < (coalesce($5, 'infinity'::timestamptz), coalesce($6, id))
ORDER BY occurred_at DESC, id DESC LIMIT $7
"""


@dataclass(frozen=True, slots=True)
class _Log:
    """A disinfection that may be stored: what was sent, where it stands and on which day it counts."""

    item: batch.Item[LogBody]
    unit_code: int
    day: date


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs are asked for; None is no limit."""

    site_id: UUID | None = None
    day: date | None = None


async def record_logs(
    work: Work, bodies: Sequence[LogBody], moments: batch.Moments = None
) -> list[Outcome[LogView]]:
    """Record disinfections.

    An outcome's problem is NotFound for a site that the caller does not see, IdReused, or Invalid for a time in the
    future. A log for a day on which the place was no site is kept and counts nothing.
    """
    items = await store_logs(work, bodies, moments)
    return batch.outcomes(items, await _views(work, [item.id for item in items if item.problem is None]))


async def store_logs(
    work: Work, bodies: Sequence[LogBody], moments: batch.Moments = None
) -> list[batch.Item[LogBody]]:
    """Record disinfections and show nothing."""
    items = await batch.begin(work, "disinfection_logs", "disinfection.log", bodies, moments)
    units = await _lock_sites(work, {item.body.site_id for item in items if item.fresh})
    logs = {}
    for item in items:
        if item.fresh:
            item.problem = _refusal(work, item, units)
        if item.fresh:
            day = local_day(item.moment.occurred_at, work.township.zone)
            logs[item.id] = _Log(item, units[item.body.site_id], day)
    stored = await _insert(work, list(logs.values()))
    await batch.follow_winners(
        work, "disinfection_logs", [log.item for id_, log in logs.items() if id_ not in stored]
    )
    work.touch(RecordKind.LOG, stored)
    named = (photos.Named(id_, logs[id_].unit_code, logs[id_].item.body.photo_ids) for id_ in stored)
    await photos.name_photos(work, PhotoKind.LOG, named)
    await count_logs(work, {(log.item.body.site_id, log.day) for id_, log in logs.items() if id_ in stored})
    return batch.settle_repeats(items)


async def _lock_sites(work: Work, ids: Iterable[UUID]) -> dict[UUID, int]:
    """Lock the sites until their logs are counted, and return the unit of each that the caller may see."""
    wanted = list(ids)
    rows = await work.sql.fetch(_LOCK_SITES, work.township_code, wanted) if wanted else []
    return {row["id"]: row["unit_code"] for row in rows}


def _refusal(work: Work, item: batch.Item[LogBody], units: dict[UUID, int]) -> Problem | None:
    if item.body.site_id not in units:
        return NotFound()
    if in_the_future(work, item.moment.occurred_at):
        return at("/occurred_at", "in-the-future")
    return None


async def _insert(work: Work, logs: Sequence[_Log]) -> frozenset[UUID]:
    """Store the logs, not yet counted, and return the ids that were free."""
    if not logs:
        return frozenset()
    columns = zip(*(_row(log) for log in logs), strict=True)
    rows = await work.sql.fetch(_INSERT, work.township_code, work.account_id, work.now, *columns)
    return frozenset(row["id"] for row in rows)


def _row(log: _Log) -> tuple[object, ...]:
    item, body, moment = log.item, log.item.body, log.item.moment
    said = (body.agent, body.litres, body.note, ",".join(body.photo_ids), moment.claimed_at, moment.quality)
    return (item.id, log.unit_code, item.content_hash, body.site_id, moment.occurred_at, log.day, *said)


async def _views(work: Work, ids: Sequence[UUID]) -> dict[UUID, LogView]:
    rows = await work.sql.fetch(_BY_IDS, work.township_code, ids)
    return {row["id"]: _view(row) for row in rows}


async def list_logs(work: Work, wanted: LogFilter, paging: Paging) -> Page[LogView]:
    """Return a page of the disinfections that the caller may see, newest first."""
    bounds = day_bounds(wanted.day, work.township.zone) if wanted.day else (None, None)
    behind = paging.key(datetime, UUID) or (None, None)
    rows = await work.sql.fetch(_LIST, work.township_code, wanted.site_id, *bounds, *behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["occurred_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(row) for row in shown], next=more)


def _view(row: asyncpg.Record) -> LogView:
    return LogView.model_validate(dict(row))
