"""What a sheet is read against: the township, its day, and its units by the names that people use for them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from app.core.problems import NotFound
from app.core.scope import UNIT_DIGITS
from app.core.work import Work
from app.services.imports.cells import code_text
from app.services.imports.faults import UNIT_AMBIGUOUS, UNIT_CONTRADICTS, UNIT_UNKNOWN, BadCell
from app.services.imports.rows import LineReader

NAMESPACE = UUID("6d1f4c52-0b53-5d0e-9a57-1d2f4f1c7e11")
"""Ids of imported rows are UUIDv5 in it, so that the same row has the same id whenever it is imported."""

_UNITS = "SELECT unit_code, name FROM units WHERE township_code = $1 ORDER BY unit_code"
_CHECKPOINTS = "SELECT id, number, name FROM checkpoints WHERE township_code = $1 ORDER BY number"
_COMMITTEE = re.compile(r"(村民|居民)?委员会$|[村居]委会$")
SEPARATORS = re.compile(r"[、,;/|]+")


class UnitNames:
    """The units of a township by code, by full name (黄溪村村民委员会), by short name (黄溪村) and shorter (黄溪)."""

    def __init__(self, township_name: str, units: Iterable[tuple[int, str]]) -> None:
        self._township = code_text(township_name)
        self.codes: set[int] = set()
        self._found: dict[tuple[str, str], int | None] = {}
        self._names: list[dict[str, set[int]]] = [{}, {}, {}]
        for unit_code, name in units:
            self.codes.add(unit_code)
            for names, key in zip(self._names, self._keys(name), strict=True):
                names.setdefault(key, set()).add(unit_code)

    def find(self, code_cell: str, name_cell: str) -> int | None:
        """Return the unit that a code, a name or both mean; None where both cells are empty.

        Raises:
            BadCell: there is none, several have the name, or the two mean different units.
        """
        cells = (code_cell, name_cell)
        if cells not in self._found:
            self._found[cells] = self._find(*cells)
        return self._found[cells]

    def _find(self, code_cell: str, name_cell: str) -> int | None:
        by_code, by_name = self._by_code(code_text(code_cell)), self._by_name(code_text(name_cell))
        if by_code is not None and by_name is not None and by_code != by_name:
            raise BadCell(UNIT_CONTRADICTS)
        return by_name if by_code is None else by_code

    def is_township(self, name: str) -> bool:
        """Tell whether a name means the township as a whole."""
        return name in (self._township, self._township + "人民政府", self._township + "政府")

    def _by_code(self, code: str) -> int | None:
        if not code:
            return None
        if len(code) != UNIT_DIGITS or not (code.isascii() and code.isdigit()) or int(code) not in self.codes:
            raise BadCell(UNIT_UNKNOWN)
        return int(code)

    def _by_name(self, name: str) -> int | None:
        if not name:
            return None
        if name.isascii() and name.isdigit():
            return self._by_code(name)
        for names, key in zip(self._names, self._keys(name), strict=True):
            units = names.get(key, set())
            if len(units) == 1:
                return min(units)
            if units:
                raise BadCell(UNIT_AMBIGUOUS)
        raise BadCell(UNIT_UNKNOWN)

    def _keys(self, name: str) -> tuple[str, str, str]:
        """Return the name in full, without its committee, and without 村 or 社区."""
        full = code_text(name)
        if len(full) > len(self._township):
            full = full.removeprefix(self._township)
        short = full.removesuffix("村民委员会") if full.endswith("村村民委员会") else _COMMITTEE.sub("", full)
        return full, short, short.removesuffix("社区").removesuffix("村") or short


class Checkpoint(NamedTuple):
    """A checkpoint, as a roster may name it."""

    id: UUID
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Ground:
    """The township as a sheet finds it."""

    township_code: int
    today: date
    units: UnitNames
    default_unit: int | None
    """The unit of rows that name none."""
    checkpoints: tuple[Checkpoint, ...]

    @property
    def given(self) -> frozenset[str]:
        """The columns that a sheet may lack, because the caller has said what would stand there."""
        return frozenset() if self.default_unit is None else frozenset({"unit"})


async def survey(work: Work, default_unit: int | None) -> Ground:
    """Return what the work's township is made of.

    Raises:
        NotFound: the default unit is none of its units.
    """
    rows = await work.sql.fetch(_UNITS, work.township_code)
    units = UnitNames(work.township.name, ((row["unit_code"], row["name"]) for row in rows))
    if default_unit is not None and default_unit not in units.codes:
        raise NotFound
    gates = await work.sql.fetch(_CHECKPOINTS, work.township_code)
    checkpoints = tuple(Checkpoint(row["id"], row["number"], row["name"]) for row in gates)
    return Ground(work.township_code, work.today, units, default_unit, checkpoints)


def unit_of(line: LineReader, ground: Ground) -> str | None:
    """Return the code of the unit that a row names, by code or by name, else the default; no unit is a fault."""
    column = "unit_code" if line.raw("unit_code").strip() else "unit"
    return line.attempt(column, lambda: _find_unit(line, ground))


def _find_unit(line: LineReader, ground: Ground) -> str:
    unit = ground.units.find(code_text(line.raw("unit_code")), line.raw("unit")) or ground.default_unit
    if unit is None:
        raise BadCell("required")
    return str(unit)


def several(cell: str) -> list[str]:
    """Return the parts of a cell that lists several things (黄溪村、黄岭沟村)."""
    return [part for part in map(code_text, SEPARATORS.split(unicodedata.normalize("NFKC", cell))) if part]
