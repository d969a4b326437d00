"""What the clock does to orders: it issues them at their hour, reminds the silent, and raises alerts (催办、督办)."""

from datetime import timedelta

import asyncpg

from app.core.work import Work
from app.domain.enums import AlertKind
from app.domain.feed import RecordKind
from app.services.alerts import NewAlert, raise_alerts
from app.services.command_orders import issue_due
from app.services.order_views import order_alerts
from app.services.township_settings import settings_of

_REMIND = """
UPDATE order_units SET reminded_at = $2, rev = rev + 1
WHERE township_code = $1 AND fulfilled_at IS NULL AND NOT over AND acknowledged_at IS NULL AND reminded_at IS NULL
    AND issued_at <= $3
RETURNING id
"""
# Locked, so that whoever answers meanwhile waits, and then finds the alert to settle. An order that is due before
# silence would speak up is silent as well when it is due; then both are raised, and it is over.
_SILENT = """
SELECT n.id, n.unit_code, n.order_id, n.issued_at, o.due_at,
    n.acknowledged_at IS NULL AND (n.issued_at <= $3 OR o.due_at <= $2) AS silent, o.due_at <= $2 AS overdue
FROM order_units n JOIN command_orders o ON o.township_code = n.township_code AND o.id = n.order_id
WHERE n.township_code = $1 AND n.fulfilled_at IS NULL AND NOT n.over
    AND ((n.acknowledged_at IS NULL AND n.issued_at <= $3) OR o.due_at <= $2)
FOR NO KEY UPDATE OF n SKIP LOCKED
"""
_KNOWN = "SELECT cause FROM alerts WHERE township_code = $1 AND cause = ANY($2)"
_OVER = "UPDATE order_units SET over = true WHERE township_code = $1 AND id = ANY($2)"


async def run_orders(work: Work) -> None:
    """Do what has come due of orders."""
    await issue_due(work)
    settings = settings_of(work)
    remind = work.now - timedelta(minutes=settings.order_reminder_minutes)
    reminded = await work.sql.fetch(_REMIND, work.township_code, work.now, remind)
    work.touch(RecordKind.ORDER, [row["id"] for row in reminded])
    await _raise(work, work.now - timedelta(minutes=settings.order_silence_minutes))


async def _raise(work: Work, silent_since: object) -> None:
    rows = await work.sql.fetch(_SILENT, work.township_code, work.now, silent_since)
    wanted = [alert for row in rows for alert in _alerts(row)]
    causes = [alert.cause for alert in wanted]
    known = (
        {row["cause"] for row in await work.sql.fetch(_KNOWN, work.township_code, causes)}
        if wanted
        else set()
    )
    await raise_alerts(work, [alert for alert in wanted if alert.cause not in known])
    over = [row["id"] for row in rows if row["overdue"]]
    if over:
        await work.sql.execute(_OVER, work.township_code, over)


def _alerts(row: asyncpg.Record) -> list[NewAlert]:
    silent, overdue = order_alerts(row["id"])
    found = []
    if row["silent"]:
        found.append(
            NewAlert(
                AlertKind.ORDER_UNANSWERED,
                silent,
                row["unit_code"],
                row["issued_at"],
                order_id=row["order_id"],
            )
        )
    if row["overdue"]:
        found.append(
            NewAlert(
                AlertKind.ORDER_OVERDUE, overdue, row["unit_code"], row["due_at"], order_id=row["order_id"]
            )
        )
    return found
