"""Units of the township (村、社区): created, or given the name and kind that the sheet says."""

from collections.abc import Sequence

from app.core.scope import UNIT_DIGITS, township_of, township_row
from app.core.work import Work
from app.domain.enums import UnitKind
from app.services.imports.cells import code_text, tidy
from app.services.imports.faults import REPEATED_ROW, UNIT_OUTSIDE, BadCell, Faults
from app.services.imports.ground import Ground
from app.services.imports.result import Imported
from app.services.imports.rows import LineReader
from app.services.imports.sheet import Sheet
from app.services.imports.words import UNIT_KINDS, read_word
from app.services.townships import UnitRow, hold_units, put_units

_NAME_LENGTH = 100

_STORED = """
SELECT unit_code, name, kind FROM units WHERE township_code = $1 AND unit_code = ANY($2) FOR NO KEY UPDATE
"""


def list_units(sheet: Sheet, ground: Ground, faults: Faults) -> list[UnitRow]:
    """Return the units of a sheet, by code; bad rows are noted as faults."""
    units: dict[int, UnitRow] = {}
    for line in sheet.lines:
        reader = LineReader(sheet, line)
        unit = _read(reader, ground)
        if unit is not None and unit.unit_code in units:
            reader.fault("unit_code", REPEATED_ROW)
        if not reader.report(faults) and unit is not None:
            units[unit.unit_code] = unit
    return [units[code] for code in sorted(units)]


async def load_units(work: Work, units: Sequence[UnitRow], done: Imported) -> None:
    """Store units in this transaction."""
    await hold_units(work, to_add=True)
    codes = [unit.unit_code for unit in units]
    rows = await work.sql.fetch(_STORED, work.township_code, codes)
    stored = {row["unit_code"]: UnitRow(row["unit_code"], row["name"], row["kind"]) for row in rows}
    changed = [unit for unit in units if stored.get(unit.unit_code) != unit]
    await put_units(work, changed)
    done.created += sum(unit.unit_code not in stored for unit in changed)
    done.updated += sum(unit.unit_code in stored for unit in changed)
    done.unchanged += len(units) - len(changed)


def _read(line: LineReader, ground: Ground) -> UnitRow | None:
    code = line.read("unit_code", lambda cell: _code(cell, ground))
    name = line.read("name", _name)
    kind = line.read("kind", lambda cell: read_word(UNIT_KINDS, cell))
    if line.faults or code is None or name is None:
        return None
    return UnitRow(code, name, kind or _kind_of(name))


def _code(cell: str, ground: Ground) -> int:
    code = code_text(cell)
    if not code:
        raise BadCell("required")
    if len(code) != UNIT_DIGITS or not (code.isascii() and code.isdigit()):
        raise BadCell(UNIT_OUTSIDE)
    unit = int(code)
    if township_of(unit) != ground.township_code or unit == township_row(ground.township_code):
        raise BadCell(UNIT_OUTSIDE)
    return unit


def _name(cell: str) -> str:
    name = tidy(cell)
    if not name:
        raise BadCell("required")
    if len(name) > _NAME_LENGTH:
        raise BadCell("too-long")
    if not name.isprintable():
        raise BadCell("invalid-format")
    return name


def _kind_of(name: str) -> str:
    """Return the kind that a name tells: a community's committee is 居民委员会, a village's 村民委员会."""
    community = "社区" in name or "居委会" in name or "居民" in name
    return (UnitKind.COMMUNITY if community else UnitKind.VILLAGE).value
