"""Duty rosters (值班表): one row a shift, or one a person on it. A shift that is planned already is left as it is.

A shift is known by its unit, day, hours, kind, group and team. If one of its rows is bad, or somebody cannot serve, all
of its rows come back together: half a shift would be taken for the whole one the next time.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from app.core.ids import uuid8
from app.core.problems import IdReused
from app.core.scope import township_row
from app.core.work import Work
from app.domain.duty import ShiftKind
from app.schemas.duty import ShiftBody
from app.schemas.fields import YEAR_MAX, YEAR_MIN
from app.services.imports.cells import code_text, day_of, tidy, time_of
from app.services.imports.faults import (
    CHANGED_SINCE,
    PEOPLE_TOO_MANY,
    SHIFT_REJECTED,
    BadCell,
    Faults,
    blame,
)
from app.services.imports.ground import SEPARATORS, Ground, unit_of
from app.services.imports.people import StaffNames
from app.services.imports.result import Imported
from app.services.imports.rows import LineReader
from app.services.imports.sheet import Line, Sheet
from app.services.imports.words import GROUPS, SHIFT_KINDS, TEAMS, read_word
from app.services.shifts import store_shifts

_STORED = """
SELECT unit_code, starts_at, ends_at, kind, turn, team FROM shifts
WHERE township_code = $1 AND unit_code = ANY($2) AND starts_at >= $3 AND starts_at <= $4
"""
_MERGED = ("unit_code", "unit", "day", "starts", "ends")
"""Columns of which an empty cell means the one above: rosters merge them. The others do so only where the day is such a
cell: then the row belongs to the shift above."""
_OF_SHIFT = ("kind", "group", "team")
MOST_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """By what a shift is known: where, when by the township's clock, and whose."""

    unit_code: int
    day: date
    starts: time
    ends: time
    kind: str
    group: str
    team: str | None

    def body(self, work: Work, people: Sequence[UUID]) -> ShiftBody:
        """Return the shift; one that ends when it starts, or earlier, ends on the next day."""
        days = int(self.ends <= self.starts)
        starts_at, ends_at = (
            datetime.combine(day, hour, work.township.zone).astimezone(UTC)
            for day, hour in ((self.day, self.starts), (self.day + timedelta(days=days), self.ends))
        )
        own = {"unit_code": str(self.unit_code), "kind": self.kind, "group": self.group, "team": self.team}
        times = {"starts_at": starts_at, "ends_at": ends_at}
        # Nobody can foretell it: an id that is taken elsewhere would keep the shift out.
        id_ = uuid8(work.vault.fingerprint("import-shift", f"{own} {starts_at} {ends_at}"))
        return ShiftBody.model_validate({**own, **times, "id": id_, "staff_ids": list(people)})


@dataclass(slots=True)
class Roster:
    """A shift as the sheet has it: its rows, and whom they name."""

    turn: Turn
    people: dict[int, list[str]] = field(default_factory=dict)
    """By row."""


def list_rosters(sheet: Sheet, ground: Ground, faults: Faults) -> list[Roster]:
    """Return the shifts of a sheet, in its order; bad rows, and those of their shifts, are noted as faults."""
    rosters: dict[Turn, Roster] = {}
    bad: set[Turn] = set()
    above: dict[str, str] = {}
    for line in sheet.lines:
        reader = LineReader(sheet, _filled(sheet, line, above))
        turn, people = _read(reader, ground), reader.read("people", _names) or []
        if turn is not None:
            rosters.setdefault(turn, Roster(turn)).people[line.number] = people
        if reader.report(faults) and turn is not None:
            bad.add(turn)
    for turn in bad:
        _reject(rosters.pop(turn), faults)
    return list(rosters.values())


def _filled(sheet: Sheet, line: Line, above: dict[str, str]) -> Line:
    """Return the line with what it takes from the one above; a place that is named anew is named as a whole."""
    own = {name: sheet.cell(line, name).strip() for name in (*_MERGED, *_OF_SHIFT) if name in sheet.columns}
    anew = {"unit", "unit_code"} if own.get("unit") or own.get("unit_code") else set()
    for name in anew | set(_OF_SHIFT if own.get("day") else ()):
        above.pop(name, None)
    above.update({name: cell for name, cell in own.items() if cell})
    cells = list(line.cells) + [""] * (max(sheet.columns.values()) + 1 - len(line.cells))
    for name, cell in above.items():
        cells[sheet.columns[name]] = cell
    return Line(line.number, cells)


def _read(line: LineReader, ground: Ground) -> Turn | None:
    unit = _place(line, ground)
    day = line.read("day", day_of)
    starts, ends = (line.read(name, time_of) for name in ("starts", "ends"))
    kind = line.read("kind", lambda cell: read_word(SHIFT_KINDS, cell)) or ShiftKind.NIGHT.value
    group = line.read("group", lambda cell: read_word(GROUPS, cell))
    team = line.read("team", lambda cell: read_word(TEAMS, cell))
    needed: Mapping[str, Any] = {"day": day, "starts": starts, "ends": ends, "group": group}
    if day is not None and not YEAR_MIN <= day.year < YEAR_MAX:
        line.fault("day", "out-of-range")
    for column, value in needed.items():
        if value is None:
            line.fault(column, "required")
    if unit is None or line.faults or day is None or starts is None or ends is None or group is None:
        return None
    return Turn(unit, day, starts, ends, kind, group, team)


def _names(cell: str) -> list[str]:
    """Return the names in a cell. Blanks part them (张三 李四), unless they spread one (张 三)."""
    parts = (part.split() for part in SEPARATORS.split(unicodedata.normalize("NFKC", tidy(cell))))
    names = ([*part] if all(len(name) > 1 for name in part) else ["".join(part)] for part in parts)
    return [code_text(name) for some in names for name in some if name]


def _place(line: LineReader, ground: Ground) -> int | None:
    """Return the unit of a row; for the township's office its own row."""
    own = township_row(ground.township_code)
    if line.attempt("unit", lambda: _is_office(line, ground, own)):
        return own
    unit = None if line.has_fault("unit") else unit_of(line, ground)
    return None if unit is None else int(unit)


def _is_office(line: LineReader, ground: Ground, own: int) -> bool:
    names = [name for name in map(code_text, (line.raw("unit_code"), line.raw("unit"))) if name]
    codes = (str(own), str(ground.township_code))
    return bool(names) and all(name in codes or ground.units.is_township(name) for name in names)


def _reject(roster: Roster, faults: Faults) -> None:
    blame(faults, [row for row in roster.people if row not in faults], "", SHIFT_REJECTED)


async def load_rosters(work: Work, rosters: Sequence[Roster], done: Imported) -> None:
    """Plan those shifts that are not planned yet, in this transaction."""
    staff = await StaffNames.of(work)
    found = [(roster, _people(roster, staff, done.faults)) for roster in rosters]
    bodies = [(roster, roster.turn.body(work, people)) for roster, people in found if people is not None]
    planned = await _planned(work, [body for _, body in bodies])
    new = [(roster, body) for roster, body in bodies if _key(body) not in planned]
    done.unchanged += sum(len(roster.people) for roster, body in bodies if _key(body) in planned)
    for (roster, _), item in zip(new, await store_shifts(work, [body for _, body in new]), strict=True):
        if item.problem is None:
            done.unchanged += len(roster.people) * item.replayed
            done.created += len(roster.people) * (not item.replayed)
        else:
            code = CHANGED_SINCE if isinstance(item.problem, IdReused) else item.problem.code
            blame(done.faults, roster.people, "people", code)


def _people(roster: Roster, staff: StaffNames, faults: Faults) -> list[UUID] | None:
    """Return who is posted; None where somebody is not known, which is noted."""
    people: dict[UUID, None] = {}
    good = True
    for row, names in roster.people.items():
        for name in names:
            try:
                people[staff.find(name, roster.turn.unit_code)] = None
            except BadCell as bad:
                good = False
                blame(faults, [row], "people", bad.code)
                break
    if len(people) > MOST_PEOPLE:
        good = False
        blame(faults, roster.people, "people", PEOPLE_TOO_MANY)
    if good:
        return list(people)
    _reject(roster, faults)
    return None


def _key(body: ShiftBody) -> tuple[Any, ...]:
    return int(body.unit_code), body.starts_at, body.ends_at, body.kind, body.group, body.team


async def _planned(work: Work, bodies: Sequence[ShiftBody]) -> set[tuple[Any, ...]]:
    if not bodies:
        return set()
    units, starts = {int(body.unit_code) for body in bodies}, [body.starts_at for body in bodies]
    rows = await work.sql.fetch(_STORED, work.township_code, list(units), min(starts), max(starts))
    return {tuple(row) for row in rows}
