"""Townships: made by an operator, changed by their own office."""

import json
from collections.abc import Iterable
from typing import NamedTuple

import asyncpg

from app.core.field_texts import declare
from app.core.paging import Page, Paging
from app.core.problems import NotFound, at
from app.core.scope import township_of
from app.core.work import Work
from app.domain.feed import RecordKind
from app.schemas.townships import TownshipPatch, TownshipView
from app.services.township_settings import complete

declare(
    "timezone-fixed",
    "时区在建立乡镇时确定,不能通过接口修改。",
    "The zone was fixed when the township was created; no request changes it.",
)


class UnitRow(NamedTuple):
    """A unit as the statistical division codes list it."""

    unit_code: int
    name: str
    kind: str


_CREATE = """
INSERT INTO townships (code, name, timezone, settings, rev, created_at, clock_at)
VALUES ($1, $2, $3, '{}', 1, $4, $4) ON CONFLICT (code) DO NOTHING
"""

_UNITS = """
INSERT INTO units (township_code, unit_code, name, kind)
SELECT $1, u.* FROM unnest($2::bigint[], $3::text[], $4::text[]) AS u
ON CONFLICT (township_code, unit_code) DO UPDATE SET name = excluded.name, kind = excluded.kind
"""

_HOLD = "SELECT code FROM townships WHERE code = $1 FOR {strength}"
_KNOWN = "SELECT unit_code FROM units WHERE township_code = $1"
_SAID = "SELECT kind, id FROM feed_records WHERE township_code = $1 AND unit_code = ANY($2)"
_SHOW = "SELECT code, name, timezone, settings FROM townships WHERE code = $1"

_CHANGE = """
UPDATE townships SET name = coalesce($2, name), settings = settings || $3::jsonb, rev = rev + 1
WHERE code = $1 RETURNING code, name, timezone, settings
"""


async def list_townships(work: Work, paging: Paging) -> Page[TownshipView]:
    """Return the one township that the caller belongs to."""
    (behind,) = paging.key(int) or (0,)
    return Page(items=[await show_township(work, work.township_code)] if work.township_code > behind else [])


async def show_township(work: Work, code: int) -> TownshipView:
    """Return the caller's township.

    Raises:
        NotFound: any other township, whether it exists or not.
    """
    if code != work.township_code:
        raise NotFound
    row = await work.sql.fetchrow(_SHOW, code)
    assert row is not None
    return _view(row)


async def change_township(work: Work, code: int, body: TownshipPatch) -> TownshipView:
    """Change the name and those settings that were sent.

    Raises:
        NotFound: not the caller's township.
        Invalid: another zone than the stored one.
    """
    shown = await show_township(work, code)
    sent = body.model_fields_set
    if "timezone" in sent and body.timezone != shown.timezone:
        raise at("/timezone", "timezone-fixed")
    chosen = body.settings.model_dump(mode="json", exclude_unset=True) if "settings" in sent else {}
    if not chosen and "name" not in sent:
        return shown
    name = body.name if "name" in sent else None
    row = await work.sql.fetchrow(_CHANGE, code, name, json.dumps(chosen))
    assert row is not None
    return _view(row)


def _view(row: asyncpg.Record) -> TownshipView:
    return TownshipView(
        code=row["code"], name=row["name"], timezone=row["timezone"], settings=complete(row["settings"])
    )


async def create_township(work: Work, code: int, name: str, timezone: str) -> bool:
    """Create a township (an operator's act); answer False where it exists already."""
    return await work.sql.execute(_CREATE, code, name, timezone, work.now) == "INSERT 0 1"


async def hold_units(work: Work, to_add: bool = False) -> None:
    """Let nobody add units until the end of the transaction, which says something to all of them.

    To add some, let nobody say anything to all either; before any row of a unit is locked.
    """
    strength = "UPDATE" if to_add else "KEY SHARE"
    await work.sql.execute(_HOLD.format(strength=strength), work.township_code)


async def put_units(work: Work, units: Iterable[UnitRow]) -> None:
    """Create or rename units of the work's township.

    What was said to all units is told to new ones too. The others hear it once more, as it stands: they hold it.
    """
    rows = [u for u in units if township_of(u.unit_code) == work.township_code]
    await hold_units(work, to_add=True)
    known = {row["unit_code"] for row in await work.sql.fetch(_KNOWN, work.township_code)}
    await work.sql.execute(
        _UNITS,
        work.township_code,
        [u.unit_code for u in rows],
        [u.name for u in rows],
        [u.kind for u in rows],
    )
    added = list({u.unit_code for u in rows} - known)
    for row in await work.sql.fetch(_SAID, work.township_code, added) if added else ():
        work.touch(RecordKind(row["kind"]), [row["id"]])
