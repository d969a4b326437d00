"""Visits to quarantined persons: the cadres' services and the temperatures (每日2次上门服务,每日上门检测2次体温).

Every visit is kept; the first for a slot makes it done. A visit may arrive days after it took place, and after the
order's release, but it must have taken place within the order: from its first day until its end or release.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from app.core.field_texts import declare
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import Forbidden, NotFound, Problem, at
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import AlertKind, HalfDay, PhotoKind, Role, VisitKind
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.domain.permissions import Permission, holds
from app.domain.quarantine import slot_of, visit_alerts
from app.schemas.visits import VisitBody, VisitView
from app.services import batch, photos
from app.services.alerts import NewAlert, raise_alerts
from app.services.moments import in_the_future
from app.services.quarantine_slots import SlotKey, book_visits
from app.services.quarantine_views import per_day
from app.services.township_settings import settings_of

declare(
    "outside-order",
    "上门时间不在隔离期内。",
    "The visit did not take place between the order's first day and its end or release.",
)

_LOCK_ORDERS = """
SELECT id, unit_code, person_id, starts_on, ends_on, released_at, service_per_day, temperature_per_day
FROM quarantine_orders WHERE township_code = $1 AND id = ANY($2) ORDER BY id FOR SHARE
"""


def _list(name: str) -> str:
    """Return a list among `lists` as SQL: most visits have none of them, and then nothing is to be unpacked."""
    unpacked = f"ARRAY(SELECT jsonb_array_elements_text(n.lists -> '{name}'))"
    return f"CASE WHEN n.lists IS NULL THEN '{{}}' ELSE {unpacked} END"


_INSERT = f"""
INSERT INTO visits (township_code, author_id, recorded_at, id, unit_code, fact_unit_code, content_hash, order_id, kind,
    occurred_at, claimed_at, time_quality, day, slot, temperature_c, at_home, note, symptoms, alerts, purchases, needs,
    photo_ids)
SELECT $1, $2, $3, n.id, n.unit_code, n.unit_code, n.content_hash, n.order_id, n.kind, n.occurred_at, n.claimed_at,
    n.time_quality, n.day, n.slot, n.temperature_c, n.at_home, n.note,
    {_list("symptoms")}, {_list("alerts")}, coalesce(n.lists -> 'purchases', '[]'), {_list("needs")},
    {_list("photo_ids")}
FROM unnest($4::uuid[], $5::bigint[], $6::bytea[], $7::uuid[], $8::text[], $9::timestamptz[], $10::date[], $11::text[],
    $12::numeric[], $13::bool[], $14::text[], $15::jsonb[], $16::timestamptz[], $17::text[]) AS n(id, unit_code,
    content_hash, order_id, kind, occurred_at, day, slot, temperature_c, at_home, note, lists, claimed_at, time_quality)
ORDER BY n.id
ON CONFLICT DO NOTHING RETURNING id
"""

_SHOWN = f"""
id, order_id, unit_code, kind, occurred_at, claimed_at, time_quality, day, slot, temperature_c, symptoms, at_home,
purchases, needs, note, photo_ids, alerts, author_id, recorded_at, {photos.pending("visits")}
"""

_BY_ID = f"SELECT {_SHOWN} FROM visits WHERE township_code = $1 AND id = ANY($2)"

_PAGE = f"""
SELECT {_SHOWN} FROM visits
WHERE township_code = $1 AND order_id = $2 AND ($3::date IS NULL OR day = $3)
    AND ($4::timestamptz IS NULL OR (occurred_at, id) < ($4, $5::uuid))
ORDER BY occurred_at DESC, id DESC LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit that may be stored: what was sent, and what follows from it and its order."""

    item: batch.Item[VisitBody]
    order: asyncpg.Record
    day: date
    slot: HalfDay
    alerts: tuple[AlertKind, ...]

    @property
    def key(self) -> SlotKey:
        return SlotKey(self.order["id"], self.day, self.item.body.kind.value, self.slot.value)


async def record_visits(
    work: Work, bodies: Sequence[VisitBody], moments: batch.Moments = None
) -> list[Outcome[VisitView]]:
    """Record visits.

    An item's problems: NotFound (the order), Forbidden (services are not the clinic's), Invalid, IdReused.
    """
    items = await store_visits(work, bodies, moments)
    return batch.outcomes(items, await _views(work, [item.id for item in items if item.problem is None]))


async def store_visits(
    work: Work, bodies: Sequence[VisitBody], moments: batch.Moments = None
) -> list[batch.Item[VisitBody]]:
    """Record visits and show nothing."""
    items = await batch.begin(work, "visits", "visit.record", bodies, moments)
    orders = await _lock_orders(work, {item.body.order_id for item in items if item.fresh})
    visits: dict[UUID, _Visit] = {}
    for item in items:
        if item.fresh:
            item.problem = _refusal(work, item, orders.get(item.body.order_id))
        if item.fresh:
            visits[item.id] = _judge(work, item, orders[item.body.order_id])
    stored = await _insert(work, list(visits.values()))
    await batch.follow_winners(work, "visits", [v.item for id_, v in visits.items() if id_ not in stored])
    await _follow_up(work, [visit for id_, visit in visits.items() if id_ in stored])
    return batch.settle_repeats(items)


async def _lock_orders(work: Work, ids: Iterable[UUID]) -> Mapping[UUID, asyncpg.Record]:
    """Keep the orders as they are until the visits are stored: neither released nor moved meanwhile."""
    wanted = list(ids)
    rows = await work.sql.fetch(_LOCK_ORDERS, work.township_code, wanted) if wanted else []
    return {row["id"]: row for row in rows}


def _refusal(work: Work, item: batch.Item[VisitBody], order: asyncpg.Record | None) -> Problem | None:
    """Return why a visit cannot be recorded."""
    body, at_ = item.body, item.moment.occurred_at
    if body.kind is VisitKind.SERVICE and not holds(Role(work.caller.role), Permission.SERVICE_VISITS_WRITE):
        return Forbidden()
    if order is None:
        return NotFound()
    if body.kind is VisitKind.TEMPERATURE and body.temperature_c is None:
        return at("/temperature_c", "required")
    if in_the_future(work, at_):
        return at("/occurred_at", "in-the-future")
    if not _within(work, at_, order):
        return at("/occurred_at", "outside-order")
    return None


def _within(work: Work, occurred_at: datetime, order: asyncpg.Record) -> bool:
    day = local_day(occurred_at, work.township.zone)
    released_at = order["released_at"]
    return order["starts_on"] <= day < order["ends_on"] and (
        released_at is None or occurred_at <= released_at
    )


def _judge(work: Work, item: batch.Item[VisitBody], order: asyncpg.Record) -> _Visit:
    """Say which slot a visit is for, and what it raises."""
    body = item.body
    day, slot = slot_of(item.moment.occurred_at, per_day(order)[body.kind], work.township.zone, body.slot)
    limit = settings_of(work).temperature_limit_c
    raised = visit_alerts(body.kind, body.temperature_c, limit, body.symptoms, body.at_home)
    return _Visit(item, order, day, slot, tuple(raised))


async def _insert(work: Work, visits: Sequence[_Visit]) -> frozenset[UUID]:
    """Store the visits, and return the ids that were free."""
    if not visits:
        return frozenset()
    bodies = [visit.item.body for visit in visits]
    rows = await work.sql.fetch(
        _INSERT,
        work.township_code,
        work.account_id,
        work.now,
        [visit.item.id for visit in visits],
        [visit.order["unit_code"] for visit in visits],
        [visit.item.content_hash for visit in visits],
        [visit.order["id"] for visit in visits],
        [body.kind for body in bodies],
        [visit.item.moment.occurred_at for visit in visits],
        [visit.day for visit in visits],
        [visit.slot for visit in visits],
        [body.temperature_c for body in bodies],
        [body.at_home for body in bodies],
        [body.note for body in bodies],
        [_lists(visit) for visit in visits],
        [visit.item.moment.claimed_at for visit in visits],
        [visit.item.moment.quality for visit in visits],
    )
    return frozenset(row["id"] for row in rows)


def _lists(visit: _Visit) -> str | None:
    body = visit.item.body
    if not (body.symptoms or body.purchases or body.needs or body.photo_ids or visit.alerts):
        return None
    lists = body.model_dump(mode="json", include={"symptoms", "purchases", "needs", "photo_ids"})
    return json.dumps({**lists, "alerts": visit.alerts}, ensure_ascii=False)


async def _follow_up(work: Work, visits: Sequence[_Visit]) -> None:
    """Book stored visits: their slots, their fevers, their alerts."""
    if not visits:
        return
    work.touch(RecordKind.VISIT, (visit.item.id for visit in visits))
    named = (photos.Named(v.item.id, v.order["unit_code"], v.item.body.photo_ids) for v in visits)
    await photos.name_photos(work, PhotoKind.VISIT, named)
    await book_visits(work, Counter(visit.key for visit in visits))
    for visit in visits:
        if visit.item.body.kind is VisitKind.TEMPERATURE and AlertKind.FEVER in visit.alerts:
            work.count(visit.order["unit_code"], visit.day, Metric.FEVERS)
    await raise_alerts(work, [_alert(visit, kind) for visit in visits for kind in visit.alerts])


def _alert(visit: _Visit, kind: AlertKind) -> NewAlert:
    return NewAlert(
        kind,
        f"visit:{visit.item.id}:{kind}",
        visit.order["unit_code"],
        visit.item.moment.occurred_at,
        order_id=visit.order["id"],
        person_id=visit.order["person_id"],
        visit_id=visit.item.id,
    )


async def _views(work: Work, ids: Iterable[UUID]) -> dict[UUID, VisitView]:
    rows = await work.sql.fetch(_BY_ID, work.township_code, list(ids))
    return {row["id"]: _view(row) for row in rows}


def _view(row: asyncpg.Record) -> VisitView:
    return VisitView.model_validate(dict(row))


async def show_visit(work: Work, visit_id: UUID) -> VisitView:
    """Return a visit.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
    """
    view = (await _views(work, [visit_id])).get(visit_id)
    if view is None:
        raise NotFound
    return view


async def list_visits(work: Work, paging: Paging, order_id: UUID, day: date | None) -> Page[VisitView]:
    """Return a page of an order's visits, the latest first."""
    key = paging.key(datetime, UUID) or (None, None)
    rows = await work.sql.fetch(_PAGE, work.township_code, order_id, day, *key, paging.limit + 1)
    shown = [_view(row) for row in rows[: paging.limit]]
    after = mark(shown[-1].occurred_at, shown[-1].id) if len(rows) > paging.limit else None
    return Page(items=shown, next=after)
