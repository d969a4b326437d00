"""The page of the daily meeting (18:00 碰头会): today against yesterday, who is silent, what is open, who leads."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from app.core.ids import uuid7
from app.core.outcome import Outcome
from app.core.problems import IdReused, NotFound
from app.core.work import Work
from app.domain.daily_reports import Timing
from app.domain.days import local_instant
from app.domain.enums import Role
from app.domain.permissions import Permission, holds
from app.schemas.briefings import BriefingView, MinutesBody, MinutesView
from app.schemas.command_orders import CommandOrderBody
from app.services.claims import content_hash, settle
from app.services.command_orders import create_order
from app.services.daily_reports import list_reports
from app.services.order_views import progress_of, status_of_orders
from app.services.reports import daily
from app.services.township_settings import settings_of

_ALERTS = """
SELECT kind, count(*)::int AS n FROM alerts
WHERE township_code = $1 AND status = 'open' AND ($2::uuid[] IS NULL OR checkpoint_id = ANY($2))
GROUP BY kind ORDER BY kind
"""
_OPEN = """
SELECT o.id, o.title, o.issued_at, o.due_at FROM command_orders o
WHERE o.township_code = $1 AND o.issued_at IS NOT NULL AND o.withdrawn_at IS NULL AND o.issued_at < $2
    AND EXISTS (SELECT 1 FROM order_units n WHERE n.township_code = $1 AND n.order_id = o.id
        AND n.acknowledged_at IS NULL)
ORDER BY o.issued_at DESC, o.id LIMIT 50
"""
_SHOWN = (
    "SELECT id, day, text, order_ids, author_id, recorded_at FROM briefing_minutes WHERE township_code = $1"
)
_MINUTES = f"{_SHOWN} AND day = $2 ORDER BY recorded_at, id"
_INSERT = """
INSERT INTO briefing_minutes (township_code, unit_code, id, content_hash, author_id, recorded_at, day, text, order_ids)
VALUES ($1, $1::bigint * 1000, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id
"""
_ONE = f"{_SHOWN} AND id = $2"


async def briefing(work: Work, day: date) -> BriefingView:
    """Return the meeting's page of a day, without the ranking, which is among all units.

    Raises:
        NotFound: a day to come.
    """
    if day > work.today:
        raise NotFound
    today, before = await daily(work, day, None), await daily(work, day - timedelta(days=1), None)
    totals, earlier = today.totals(), before.totals()
    meeting = time.fromisoformat(settings_of(work).meeting)
    known: dict[str, Any] = {
        "day": day,
        "meeting_at": local_instant(day, meeting, work.township.zone),
        "as_of": today.as_of,
        "totals": totals,
        "yesterday": earlier,
        "change": {name: n - earlier[name] for name, n in totals.items() if isinstance(n, int)},
        "alerts_open": await _alerts(work),
        "orders_not_acknowledged": await _open_orders(work, day),
        "minutes": [dict(row) for row in await work.sql.fetch(_MINUTES, work.township_code, day)],
    }
    if holds(Role(work.caller.role), Permission.DAILY_REPORTS_READ):
        known["reports"] = await _reports(work, day)
    return BriefingView.model_validate(known)


async def _reports(work: Work, day: date) -> Mapping[str, Any]:
    listed = await list_reports(work, day)
    missing = [head for head in listed.items if head.status is Timing.MISSING]
    counts = listed.model_dump(include={"due_at", *(one.value for one in Timing)})
    return counts | {"missing_units": [{"unit_code": m.unit_code, "name": m.name} for m in missing]}


async def _alerts(work: Work) -> dict[str, int]:
    places = None if work.caller.places is None else sorted(work.caller.places)
    return {row["kind"]: row["n"] for row in await work.sql.fetch(_ALERTS, work.township_code, places)}


async def _open_orders(work: Work, day: date) -> list[dict[str, Any]]:
    """Return the orders up to that day that some unit of the caller has not acknowledged."""
    end = local_instant(day + timedelta(days=1), time(0), work.township.zone)
    orders = await work.sql.fetch(_OPEN, work.township_code, end)
    units: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in await status_of_orders(work, [order["id"] for order in orders]):
        units[row["order_id"]].append(row)
    return [
        {
            **dict(order),
            "progress": progress_of(units[order["id"]]),
            "silent_units": [
                {"unit_code": row["unit_code"], "name": row["name"]}
                for row in units[order["id"]]
                if row["acknowledged_at"] is None
            ],
        }
        for order in orders
    ]


async def write_minutes(work: Work, day: date, body: MinutesBody) -> Outcome[MinutesView]:
    """Store the minutes of a day's meeting; its decisions become orders that go out at their hour.

    The outcome's problem is NotFound for a day to come, IdReused, or whatever refuses one of the orders.
    """
    id_ = body.id or uuid7()
    hash_ = content_hash(work, "minutes", body, day)
    known = await settle(work, "briefing_minutes", {id_: hash_})
    if known.reused:
        return Outcome(id_, problem=IdReused())
    if day > work.today:
        return Outcome(id_, problem=NotFound())
    if not known.replayed:
        orders = await _decide(work, day, id_, body)
        row = (id_, hash_, work.account_id, work.now, day, body.text, orders)
        if await work.sql.fetchval(_INSERT, work.township_code, *row) is None:
            return Outcome(id_, problem=IdReused())
    row_ = await work.sql.fetchrow(_ONE, work.township_code, id_)
    return Outcome(id_, MinutesView.model_validate(dict(row_ or {})), replayed=bool(known.replayed))


async def _decide(work: Work, day: date, minutes_id: UUID, body: MinutesBody) -> Sequence[UUID]:
    issued = time.fromisoformat(settings_of(work).orders_issued)
    issue_at = local_instant(day, issued, work.township.zone)
    made = []
    for number, decision in enumerate(body.decisions):
        order = CommandOrderBody(
            id=uuid5(minutes_id, str(number)), issue_at=issue_at, **decision.model_dump()
        )
        made.append((await create_order(work, order)).take().id)
    return made
