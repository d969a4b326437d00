"""A sheet as it came: bytes to lines, each with the number that a spreadsheet shows beside it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from app.schemas.imports import ImportKind
from app.services.imports.columns import HEADER_WITHIN, find_header, require
from app.services.imports.csv_text import SEPARATORS, csv_rows, decode
from app.services.imports.faults import (
    SHEET_EMPTY,
    SHEET_HEADER,
    SHEET_SEVERAL,
    SHEET_XLS,
    SheetUnreadable,
)
from app.services.imports.xlsx import xlsx_sheets

MAX_ROWS = 200_000

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"

Row = list[str]


class Line(NamedTuple):
    """One row of data."""

    number: int
    cells: Row


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of data under the headers; `columns` says in which position each known column stands."""

    kind: ImportKind
    header: Row
    columns: dict[str, int]
    lines: list[Line]

    def cell(self, line: Line, column: str) -> str:
        """Return a line's cell as it came; "" where the column or the cell is not there."""
        position = self.columns.get(column)
        return line.cells[position] if position is not None and position < len(line.cells) else ""


def read_sheet(kind: ImportKind, data: bytes, given: frozenset[str] = frozenset()) -> Sheet:
    """Read a CSV or XLSX file; `given` are columns that the caller supplies and the sheet may lack. Takes seconds for
    a long sheet: call it in a thread.

    Raises:
        SheetUnreadable: it is no such file, too large, or lacks the headers.
    """
    if not data.strip():
        raise SheetUnreadable(SHEET_EMPTY)
    if data.startswith(_OLE):
        raise SheetUnreadable(SHEET_XLS)
    rows = _worksheet(kind, data, given) if data.startswith(_ZIP) else _csv(kind, data, given)
    found = find_header(kind, rows[:HEADER_WITHIN], given)
    require(kind, found and found[1], given)
    assert found is not None
    at, columns = found
    lines = [Line(at + n, row) for n, row in enumerate(rows[at + 1 :], 2) if any(map(str.strip, row))]
    if not lines:
        raise SheetUnreadable(SHEET_EMPTY)
    return Sheet(kind, rows[at], columns, lines)


def _csv(kind: ImportKind, data: bytes, given: frozenset[str]) -> list[Row]:
    """Return the rows by the separator that makes the most of the headers."""
    text = decode(data)
    known = {separator: _known(kind, csv_rows(text, separator, MAX_ROWS), given) for separator in SEPARATORS}
    separator = max(known, key=lambda s: known[s])
    return list(csv_rows(text, separator, MAX_ROWS))


def _known(kind: ImportKind, rows: Iterator[Row], given: frozenset[str]) -> int:
    """Return how many columns the headers name; 0 where they cannot even be read."""
    try:
        found = find_header(kind, islice(rows, HEADER_WITHIN), given)
    except SheetUnreadable:
        return 0
    return len(found[1]) if found else 0


def _worksheet(kind: ImportKind, data: bytes, given: frozenset[str]) -> list[Row]:
    """Return the rows of the one worksheet that has headers; the others (notes, the empty Sheet2) do not matter."""
    chosen: list[Row] | None = None
    for rows in xlsx_sheets(data, MAX_ROWS):
        top = list(islice(rows, HEADER_WITHIN))
        if find_header(kind, top, given) is None:
            continue
        if chosen is not None:
            raise SheetUnreadable(SHEET_SEVERAL)
        chosen = top + list(_trimmed(rows))
    if chosen is None:
        raise SheetUnreadable(SHEET_HEADER)
    return chosen


def _trimmed(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows without the empty ones at the end, of which formatted sheets may have thousands."""
    empty = 0
    for row in rows:
        if any(row):
            yield from ([] for _ in range(empty))
            empty = 0
            yield row
        else:
            empty += 1
