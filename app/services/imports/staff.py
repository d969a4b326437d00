"""Staff: one row a person. Who is on the staff already is left as they are.

A row without a user name gets one: its unit's code, a hyphen, and a number (511303106243-7). It is known by its unit
and name when the sheet is imported again, so two people of one name in a unit need user names of their own.
"""

from dataclasses import dataclass
from uuid import UUID

from app.core.scope import township_row
from app.domain.enums import Health, Role
from app.schemas.staff import StaffBody
from app.services.imports.cells import code_text, person_name, phone_text
from app.services.imports.faults import (
    CHECKPOINT_UNKNOWN,
    REPEATED_ROW,
    STAFF_NAMESAKE,
    UNIT_CONTRADICTS,
    BadCell,
    Faults,
)
from app.services.imports.ground import Ground, several
from app.services.imports.rows import LineReader
from app.services.imports.sheet import Sheet
from app.services.imports.words import HEALTHS, POSITIONS, ROLES, TEAMS, read_word

_NAMED_LATER = "0"
"""Stands for the user name while a row that has none is checked."""


@dataclass(frozen=True, slots=True)
class Recruit:
    """A row in order."""

    row: int
    unit_code: int
    named: bool
    """Whether the sheet gives the user name."""
    body: StaffBody

    @property
    def place(self) -> tuple[int, str]:
        """By what a row without a user name is known."""
        return self.unit_code, self.body.name


def list_staff(sheet: Sheet, ground: Ground, faults: Faults) -> list[Recruit]:
    """Return the staff of a sheet, in its order; bad rows are noted as faults."""
    recruits: list[Recruit] = []
    names: set[str] = set()
    places: set[tuple[int, str]] = set()
    for line in sheet.lines:
        reader = LineReader(sheet, line)
        recruit = _read(reader, ground)
        if recruit is not None and recruit.named and recruit.body.username in names:
            reader.fault("username", REPEATED_ROW)
        elif recruit is not None and not recruit.named and recruit.place in places:
            reader.fault("username", STAFF_NAMESAKE)
        if not reader.report(faults) and recruit is not None:
            names.add(recruit.body.username)
            places.add(recruit.place)
            recruits.append(recruit)
    return recruits


def _read(line: LineReader, ground: Ground) -> Recruit | None:
    name = line.read("name", person_name)
    if not name:
        line.fault("name", "required")
    gates = line.read("checkpoint", lambda cell: [_checkpoint(part, ground) for part in several(cell)]) or []
    said = line.read("role", lambda cell: read_word(ROLES, cell)) or (Role.CHECKPOINT if gates else None)
    units = _units(line, ground) if said in (None, Role.VILLAGE) else []
    role = said or (Role.VILLAGE if units else None)
    if role is None and not line.has_fault("role", "checkpoint", "unit", "unit_code"):
        line.fault("role", "required")
    elif role == Role.VILLAGE and not units:
        line.fault("unit", "units-required")
    username = line.read("username", code_text)
    content: dict[str, object] = {
        "username": username or _NAMED_LATER,
        "name": name,
        "phone": line.read("phone", phone_text) or None,
        "role": role,
        "codes": [str(unit) for unit in units],
        "checkpoint_ids": gates,
        "team": line.read("team", lambda cell: read_word(TEAMS, cell)),
        "position": line.read("position", lambda cell: read_word(POSITIONS, cell)),
        "health": line.read("health", lambda cell: read_word(HEALTHS, cell)) or Health.FIT,
    }
    body = None if line.faults else line.build(StaffBody, content)
    place = units[0] if units else township_row(ground.township_code)
    return None if body is None else Recruit(line.number, place, bool(username), body)


def _units(line: LineReader, ground: Ground) -> list[int]:
    """Return the units that a row names, or the default; none where it names the township."""
    column = "unit_code" if line.raw("unit_code").strip() else "unit"
    return line.attempt(column, lambda: _find_units(line.raw("unit_code"), line.raw("unit"), ground)) or []


def _find_units(code_cell: str, name_cell: str, ground: Ground) -> list[int]:
    code, names = code_text(code_cell), several(name_cell)
    if code in (str(ground.township_code), str(township_row(ground.township_code))):
        return []
    if not code and not names:
        return [] if ground.default_unit is None else [ground.default_unit]
    if code and len(names) > 1:
        raise BadCell(UNIT_CONTRADICTS)
    places = [name for name in names if not ground.units.is_township(name)] or ([""] if code else [])
    found = (ground.units.find(code, name) for name in places)
    return [unit for unit in dict.fromkeys(found) if unit is not None]


def _checkpoint(part: str, ground: Ground) -> UUID:
    found = [c.id for c in ground.checkpoints if part in (str(c.number), c.name)]
    if len(found) != 1:
        raise BadCell(CHECKPOINT_UNKNOWN)
    return found[0]
