"""Publicity against its quotas, unit by unit; the rule is `app.domain.publicity`."""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

import asyncpg

from app.core.problems import NotFound
from app.core.scope import code_range
from app.core.work import Work
from app.domain.publicity import Material, MaterialKind, lines
from app.schemas.publicity import PublicityReport, QuotaLine, UnitPublicity
from app.services.township_settings import settings_of

_UNITS = """
SELECT unit_code, name FROM units WHERE township_code = $1 AND unit_code >= $2 AND unit_code < $3 ORDER BY unit_code
"""
_MATERIALS = """
SELECT id, name, kind, quota_per_unit FROM publicity_materials WHERE township_code = $1 ORDER BY name, id
"""
_DONE = """
SELECT unit_code, material_id, kind, sum(count) AS done FROM publicity_logs
WHERE township_code = $1 AND unit_code >= $2 AND unit_code < $3 GROUP BY unit_code, material_id, kind
"""


async def publicity_report(work: Work, code: str | None) -> PublicityReport:
    """Return what each unit in a code (by default: of the caller's) has done against its quotas, of all days so far.

    Raises:
        NotFound: the code is not within the caller's scope, or names no unit.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    span = code_range(code or str(work.township_code))
    units = await work.sql.fetch(_UNITS, work.township_code, *span)
    if not units:
        raise NotFound
    catalogue = [_material(row) for row in await work.sql.fetch(_MATERIALS, work.township_code)]
    done: defaultdict[int, dict[UUID, int]] = defaultdict(dict)
    totals = Counter({kind.value: 0 for kind in MaterialKind})
    for row in await work.sql.fetch(_DONE, work.township_code, *span):
        done[row["unit_code"]][row["material_id"]] = int(row["done"])
        totals[row["kind"]] += int(row["done"])
    shown = [_unit(work, unit, catalogue, done[unit["unit_code"]]) for unit in units]
    return PublicityReport(
        code=code or ",".join(work.caller.scope.prefixes),
        units_expected=len(shown),
        units_complete=sum(unit.complete for unit in shown),
        totals=dict(totals),
        units=shown,
    )


def _material(row: asyncpg.Record) -> Material:
    return Material(row["id"], row["name"], MaterialKind(row["kind"]), row["quota_per_unit"])


def _unit(work: Work, unit: Any, catalogue: list[Material], done: dict[UUID, int]) -> UnitPublicity:
    chosen = settings_of(work)
    defaults = {
        MaterialKind.LEAFLET: chosen.leaflets_per_unit,
        MaterialKind.SLOGAN: chosen.slogans_per_unit,
    }
    measured = [QuotaLine.model_validate(line) for line in lines(catalogue, done, defaults)]
    return UnitPublicity(
        unit_code=unit["unit_code"],
        name=unit["name"],
        lines=measured,
        complete=not any(line.short for line in measured),
    )
