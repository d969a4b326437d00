"""Alerts: fevers, symptoms, absences, breaches at checkpoints, missed slots (contract, section 5).

An alert has a cause, and the same cause raises one alert only. Who may see which alert is the fence's business, and a
caller may raise one that they do not see: the clinic finds nobody at home, the checkpoint stops somebody of another
village. So nothing is read back after an insert.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from app.core.ids import uuid7
from app.core.language import Text
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, NotFound
from app.core.work import Work
from app.domain.enums import AlertKind, AlertStatus, Role
from app.domain.feed import RecordKind
from app.domain.metrics import Metric
from app.schemas.alerts import AlertView, ResolveBody


class AlreadyResolved(Conflict):
    """Somebody was quicker, and noted something else."""

    code = "already-resolved"
    title = Text("该预警已处理", "Already resolved")
    detail_text = Text("该预警已由他人处理。", "This alert was resolved before.")


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert to raise. `unit_code` is the person's; `gate_unit_code` the one in which the checkpoint stands."""

    kind: AlertKind
    cause: str
    unit_code: int
    at: datetime
    order_id: UUID | None = None
    person_id: UUID | None = None
    visit_id: UUID | None = None
    checkpoint_id: UUID | None = None
    gate_unit_code: int | None = None
    decision_id: UUID | None = None


_INSERT = """
INSERT INTO alerts (township_code, unit_code, opened_at, status, rev, id, kind, cause, at, order_id, person_id,
    visit_id, checkpoint_id, gate_unit_code, decision_id)
SELECT $1, $2, $3, 'open', 1, n.* FROM unnest($4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[],
    $9::uuid[], $10::uuid[], $11::uuid[], $12::bigint[], $13::uuid[]) AS n
ON CONFLICT DO NOTHING
"""

_SHOWN = """
id, kind, unit_code, order_id, person_id, visit_id, checkpoint_id, decision_id, status, at, opened_at, resolved_at,
resolved_by, note, rev
"""

_PAGE = f"""
SELECT {_SHOWN} FROM alerts
WHERE township_code = $1
    AND ($2::text IS NULL OR status = $2)
    AND ($3::text IS NULL OR kind = $3)
    AND ($4::bigint IS NULL OR unit_code = $4)
    AND ($5::uuid[] IS NULL OR checkpoint_id = ANY($5))
    AND ($6::uuid IS NULL OR id < $6)
ORDER BY id DESC LIMIT $7
"""

_LOCKED = f"SELECT {_SHOWN} FROM alerts WHERE township_code = $1 AND id = $2 FOR NO KEY UPDATE"

_RESOLVE = f"""
UPDATE alerts SET status = 'resolved', resolved_at = $3, resolved_by = $4, note = $5, rev = rev + 1
WHERE township_code = $1 AND id = $2 RETURNING {_SHOWN}
"""

_LOCK_CAUSES = """
SELECT id FROM alerts WHERE township_code = $1 AND cause = ANY($2) AND status = 'open' ORDER BY id FOR NO KEY UPDATE
"""

_RESOLVE_IDS = """
UPDATE alerts SET status = 'resolved', resolved_at = $3, resolved_by = $4, rev = rev + 1
WHERE township_code = $1 AND id = ANY($2) AND status = 'open' RETURNING unit_code
"""

_PROGRAM = UUID(int=0)


async def raise_alerts(work: Work, alerts: Sequence[NewAlert]) -> None:
    """Raise those alerts whose cause has raised none yet, and count them."""
    ordered = sorted(alerts, key=lambda alert: (alert.unit_code, alert.cause))
    for unit_code, group in groupby(ordered, key=lambda alert: alert.unit_code):
        columns = _columns(list(group))
        inserted = await work.sql.execute(_INSERT, work.township_code, unit_code, work.now, *columns)
        work.touch(RecordKind.ALERT, columns[0])
        work.count(unit_code, work.today, Metric.ALERTS_OPEN, int(inserted.rpartition(" ")[2]))


def _columns(alerts: Sequence[NewAlert]) -> tuple[list[Any], ...]:
    return (
        [uuid7() for _ in alerts],
        [a.kind for a in alerts],
        [a.cause for a in alerts],
        [a.at for a in alerts],
        [a.order_id for a in alerts],
        [a.person_id for a in alerts],
        [a.visit_id for a in alerts],
        [a.checkpoint_id for a in alerts],
        [a.gate_unit_code for a in alerts],
        [a.decision_id for a in alerts],
    )


async def list_alerts(
    work: Work, paging: Paging, status: AlertStatus | None, kind: AlertKind | None, unit_code: str | None
) -> Page[AlertView]:
    """Return a page of the alerts that the caller may see, the latest raised first."""
    key = paging.key(UUID) or (None,)
    places = None if work.caller.places is None else list(work.caller.places)
    rows = await work.sql.fetch(
        _PAGE,
        work.township_code,
        status,
        kind,
        unit_code and int(unit_code),
        places,
        *key,
        paging.limit + 1,
    )
    shown = [_view(work, row) for row in rows[: paging.limit]]
    return Page(items=shown, next=mark(shown[-1].id) if len(rows) > paging.limit else None)


async def resolve_alert(work: Work, alert_id: UUID, body: ResolveBody) -> AlertView:
    """Resolve an alert; the same again answers what is stored.

    Raises:
        NotFound: it does not exist, or the caller may not see it.
        AlreadyResolved: it was resolved before, with another note.
    """
    row = await work.sql.fetchrow(_LOCKED, work.township_code, alert_id)
    if row is None:
        raise NotFound
    if row["status"] == AlertStatus.RESOLVED:
        if row["note"] != body.note:
            raise AlreadyResolved
        return _view(work, row)
    work.count(row["unit_code"], work.today, Metric.ALERTS_OPEN, -1)
    work.touch(RecordKind.ALERT, [alert_id])
    done = await work.sql.fetchrow(
        _RESOLVE, work.township_code, alert_id, work.now, work.account_id, body.note
    )
    return _view(work, done)


async def resolve_by_program(work: Work, causes: Iterable[str]) -> frozenset[str]:
    """Resolve the open alerts of these causes, because what they warned of has been made good.

    Returns the causes that are settled now, whether or not an alert was still open; none where the caller may not
    see such alerts.
    """
    wanted = frozenset(causes)
    if work.caller.role == Role.CLINIC or not wanted:
        return frozenset()
    ids = [row["id"] for row in await work.sql.fetch(_LOCK_CAUSES, work.township_code, list(wanted))]
    for row in await work.sql.fetch(_RESOLVE_IDS, work.township_code, ids, work.now, _PROGRAM):
        work.count(row["unit_code"], work.today, Metric.ALERTS_OPEN, -1)
    work.touch(RecordKind.ALERT, ids)
    return wanted


def _view(work: Work, row: Any) -> AlertView:
    view = AlertView.model_validate(dict(row))
    if work.caller.places is not None:
        view.order_id = view.person_id = view.visit_id = None
    return view
