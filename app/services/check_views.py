"""Checks as they are shown: one by one and in lists, with their lines and the orders that they opened."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import asyncpg

from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound
from app.core.work import Work
from app.schemas.household_checks import CheckView, LineView
from app.schemas.households import WarningView
from app.services.persons import moved, warnings_of
from app.services.quarantine_views import order_views
from app.services.sealing import unseal

_CHECKS = """
SELECT id, household_id, unit_code, occurred_at, claimed_at, time_quality, day, register_seen, note, unaccounted,
    author_id, recorded_at
FROM household_checks WHERE township_code = $1 AND id = ANY($2)
"""

_LINES = """
SELECT l.check_id, l.person_id, p.name, l.id_seen, l.whereabouts, l.away_to, l.returned_from, l.returned_on,
    l.exposure, l.temperature_c, l.symptoms, l.order_id AS quarantine_order_id, l.line_no,
    CASE WHEN p.content_hash = c.content_hash THEN p.id_sealed END AS registered
FROM check_lines l
JOIN household_checks c ON c.township_code = $1 AND c.id = l.check_id
JOIN people p ON p.township_code = $1 AND p.id = l.person_id
WHERE l.township_code = $1 AND l.check_id = ANY($2) ORDER BY l.check_id, l.line_no
"""

_PAGE = """
SELECT id, occurred_at FROM household_checks
WHERE township_code = $1
    AND ($2::uuid IS NULL OR household_id = $2)
    AND ($3::bigint IS NULL OR unit_code = $3)
    AND ($4::date IS NULL OR day = $4)
    AND ($5::timestamptz IS NULL OR (occurred_at, id) < ($5, $6::uuid))
ORDER BY occurred_at DESC, id DESC LIMIT $7
"""


async def check_views(work: Work, ids: Iterable[UUID]) -> dict[UUID, CheckView]:
    """Return the checks among these ids that the caller may see."""
    checks = await work.sql.fetch(_CHECKS, work.township_code, list(ids))
    found = [check["id"] for check in checks]
    lines: dict[UUID, list[asyncpg.Record]] = {id_: [] for id_ in found}
    for line in await work.sql.fetch(_LINES, work.township_code, found):
        lines[line["check_id"]].append(line)
    opened = {
        line["quarantine_order_id"]
        for check in lines.values()
        for line in check
        if line["quarantine_order_id"]
    }
    orders = await order_views(work, opened) if opened else {}
    return {
        check["id"]: CheckView(
            **dict(check),
            members=[LineView.model_validate(dict(line)) for line in lines[check["id"]]],
            quarantine_orders=[
                orders[line["quarantine_order_id"]]
                for line in lines[check["id"]]
                if line["quarantine_order_id"] in orders
            ],
            warnings=[w for line in lines[check["id"]] for w in _warnings(work, line)],
        )
        for check in checks
    }


async def show_check(work: Work, check_id: UUID) -> CheckView:
    """Return one check.

    Raises:
        NotFound: there is none, or not for this caller.
    """
    views = await check_views(work, [check_id])
    if check_id not in views:
        raise NotFound
    return views[check_id]


async def list_checks(
    work: Work, paging: Paging, household_id: UUID | None, unit_code: str | None, day: date | None
) -> Page[CheckView]:
    """Return a page of checks, the latest first."""
    key = paging.key(datetime, UUID) or (None, None)
    unit = int(unit_code) if unit_code else None
    rows = await work.sql.fetch(_PAGE, work.township_code, household_id, unit, day, *key, paging.limit + 1)
    shown = rows[: paging.limit]
    views = await check_views(work, [row["id"] for row in shown])
    more = mark(shown[-1]["occurred_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[views[row["id"]] for row in shown], next=more)


def _warnings(work: Work, line: asyncpg.Record) -> list[WarningView]:
    """Return what is odd about the number of somebody whom this check registered."""
    number = unseal(work, "people.id_number", line["person_id"], line["registered"])
    return moved(warnings_of(work, number), f"/members/{line['line_no']}/person")
