"""The rows of a sheet: units and townships from the counters, households and people from the register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import asyncpg

from app.core.field_texts import declare
from app.core.ids import uuid7
from app.core.problems import NotFound, at
from app.core.work import Work
from app.domain.layouts import PERSONAL, Across, Format, GroupBy, across, cell
from app.schemas.report_layouts import METRICS, ColumnBody, LayoutView
from app.services.daily_reports import list_reports
from app.services.layout_figures import township_figures, unit_figures
from app.services.reports import Reach, daily, reach, within
from app.services.sealing import unseal

MOST_ROWS = 20_000
MOST_CELLS = 400_000
"""What a sheet has at most; it takes some seconds to build."""

declare(
    "too-many-rows",
    "行数过多,请按村(社区)分别导出,或减少列数。",
    "Too many rows: ask for one unit at a time, or for fewer columns.",
)

_PEOPLE = f"""
SELECT p.id, p.unit_code, u.name AS unit_name, h.register_no, h.address, p.name, p.relation, p.sex, p.birth_date,
    p.id_sealed, p.phone_sealed, p.whereabouts, p.away_to, p.returned_from, p.returned_on, p.exposure, p.checked_at,
    p.quarantine_order_id IS NOT NULL AS quarantined
FROM people p JOIN households h ON h.township_code = p.township_code AND h.id = p.household_id
JOIN units u ON u.township_code = p.township_code AND u.unit_code = p.unit_code
WHERE {within("p")} ORDER BY p.unit_code, h.register_no NULLS LAST, h.id, p.id <> h.head_id, p.id LIMIT {MOST_ROWS + 1}
"""
_HOUSEHOLDS = f"""
SELECT h.id, h.unit_code, u.name AS unit_name, h.register_no, h.address, h.checked_at, p.name AS head_name,
    (SELECT count(*)::int FROM people m WHERE m.township_code = h.township_code AND m.household_id = h.id) AS people
FROM households h LEFT JOIN people p ON p.township_code = h.township_code AND p.id = h.head_id
JOIN units u ON u.township_code = h.township_code AND u.unit_code = h.unit_code
WHERE {within("h")} ORDER BY h.unit_code, h.register_no NULLS LAST, h.id LIMIT {MOST_ROWS + 1}
"""
_LOOKS = """
INSERT INTO reveals (township_code, unit_code, id, content_hash, author_id, recorded_at, person_id, purpose)
SELECT $1, n.unit_code, n.id, $2, $3, $4, n.person_id, $5 FROM unnest($6::bigint[], $7::uuid[], $8::uuid[])
    AS n(unit_code, id, person_id)
"""


@dataclass(frozen=True)
class Wanted:
    """What is to be rendered: a layout, of a day and a scope; with a purpose, numbers that it writes in full."""

    layout: LayoutView
    day: date
    code: str | None
    purpose: str | None

    @cached_property
    def columns(self) -> list[ColumnBody]:
        """The columns of the layout."""
        return [ColumnBody.model_validate(column) for column in self.layout.columns]

    @property
    def of_people(self) -> bool:
        """Whether its rows are households or people."""
        return self.layout.group_by in (GroupBy.HOUSEHOLD, GroupBy.PERSON)

    @cached_property
    def in_full(self) -> bool:
        """Whether personal numbers are written in full: somebody said what for, and the layout has such a column."""
        return bool(self.fields_in_full)

    @cached_property
    def fields_in_full(self) -> frozenset[str]:
        """Which of the personal numbers those are."""
        full = (Format.FULL, Format.SPACED)
        named = (str(c.field) for c in self.columns if c.field in PERSONAL and c.format in full)
        return frozenset(named if self.purpose is not None else ())


async def rows_of(work: Work, wanted: Wanted) -> list[dict[str, Any]]:
    """Return the rows of a sheet, by header.

    Raises:
        NotFound: the code is not within the caller's scope, or names no unit.
        Invalid: more than 20,000 rows, or 400,000 cells.
    """
    covered = reach(work, wanted.code)
    found: Sequence[Mapping[str, Any]]
    match wanted.layout.group_by:
        case GroupBy.UNIT | GroupBy.TOWNSHIP:
            found = await _from_counters(work, wanted)
        case GroupBy.HOUSEHOLD:
            found = [dict(row) for row in await _register(work, _HOUSEHOLDS, wanted, covered)]
        case GroupBy.PERSON:
            found = await _people(work, wanted, covered)
    own = {"day": wanted.day, "township_code": work.township_code, "township_name": work.township.name}
    return [_written(wanted, {**own, **row}) for row in found]


def _written(wanted: Wanted, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        column.header: row[_key(column)]
        if column.metric
        else cell(str(column.field), row[str(column.field)], column.format, wanted.in_full)
        for column in wanted.columns
    }


def _key(column: ColumnBody) -> str:
    """Return under which name a row has a metric: of its day, or of all days."""
    assert column.metric is not None
    return f"{METRICS[column.metric]} {column.total} {column.across}"


async def _from_counters(work: Work, wanted: Wanted) -> Sequence[Mapping[str, Any]]:
    report = await daily(work, wanted.day, wanted.code)
    totals = await _totals(work, reach(work, wanted.code), wanted)
    columns = [column for column in wanted.columns if column.metric]

    def number(column: ColumnBody, unit: Mapping[str, Any]) -> int:
        source = totals.get(unit["unit_code"], {}) if column.total else unit
        return int(source.get(METRICS[str(column.metric)]) or 0)

    if wanted.layout.group_by is GroupBy.TOWNSHIP:
        own = {
            _key(column): across(Across(column.across), [number(column, unit) for unit in report.units])
            for column in columns
        }
        return [own | await township_figures(work, wanted.day, report, wanted.code)]
    statuses = {head.unit_code: head.status for head in (await list_reports(work, wanted.day)).items}
    staff = await unit_figures(work)
    return [
        {_key(column): number(column, unit) for column in columns}
        | {"unit_code": unit["unit_code"], "unit_name": unit["name"]}
        | {"staff": staff.get(unit["unit_code"], 0), "report_status": statuses[unit["unit_code"]]}
        for unit in report.units
    ]


async def _totals(work: Work, covered: Reach, wanted: Wanted) -> dict[int, asyncpg.Record]:
    """Return of each unit the metrics that are summed over all days up to the one asked for."""
    metrics = sorted({METRICS[column.metric] for column in wanted.columns if column.metric and column.total})
    if not metrics:
        return {}
    sums = ", ".join(f"sum(c.{metric})::bigint AS {metric}" for metric in metrics)
    statement = (
        f"SELECT c.unit_code, {sums} FROM daily_counters c WHERE c.day <= $5 AND {within('c')} GROUP BY 1"
    )
    rows = await work.sql.fetch(statement, *covered.arguments, wanted.day)
    return {row["unit_code"]: row for row in rows}


async def _register(work: Work, statement: str, wanted: Wanted, covered: Reach) -> list[asyncpg.Record]:
    rows = await work.sql.fetch(statement, *covered.arguments)
    if len(rows) > MOST_ROWS or len(rows) * len(wanted.columns) > MOST_CELLS:
        raise at("/code", "too-many-rows")
    if not rows and not await work.sql.fetchval(
        f"SELECT EXISTS (SELECT 1 FROM units u WHERE {within('u')})", *covered.arguments
    ):
        raise NotFound
    return rows


async def _people(work: Work, wanted: Wanted, covered: Reach) -> list[dict[str, Any]]:
    rows = await _register(work, _PEOPLE, wanted, covered)
    personal = PERSONAL & {column.field for column in wanted.columns}
    if wanted.in_full:
        await _log_looks(work, rows, wanted)
    return [{**row, **{name: _unsealed(work, name, row) for name in personal}} for row in rows]


def _sealed(row: asyncpg.Record, name: str) -> bytes | None:
    sealed: bytes | None = row["id_sealed" if name == "id_number" else "phone_sealed"]
    return sealed


def _unsealed(work: Work, name: str, row: asyncpg.Record) -> str | None:
    return unseal(work, f"people.{name}", row["id"], _sealed(row, name))


async def _log_looks(work: Work, rows: Sequence[asyncpg.Record], wanted: Wanted) -> None:
    """Log the look at each person of whom a number is written in full, as a single look is logged."""
    shown = (row for row in rows if any(_sealed(row, name) for name in wanted.fields_in_full))
    seen, purpose = [(row["unit_code"], uuid7(), row["id"]) for row in shown], str(wanted.purpose)
    if seen:
        hash_ = work.vault.fingerprint("sheet.reveal", purpose)
        columns = map(list, zip(*seen, strict=True))
        await work.sql.execute(
            _LOOKS, work.township_code, hash_, work.account_id, work.now, purpose, *columns
        )
