"""XLSX files, which are archives of XML made by anybody: bounded before and while they are read.

openpyxl reads them row by row, so that a sheet with one cell at its far corner costs nothing; a reader that makes a
table of the whole sheet first can be killed with two cells. What openpyxl leaves to us: how much an archive may hold
when inflated, XML that declares entities, and when to stop.
"""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

import openpyxl

from app.services.imports.cells import cell_text
from app.services.imports.faults import SHEET_FORMAT, SHEET_TOO_LONG, SHEET_UNSAFE, SheetUnreadable

MAX_PARTS = 1_000
MAX_INFLATED = 128 * 1024 * 1024
"""Bytes that all parts of an archive may have; a sheet of 200,000 people has about 100 MiB."""
MAX_TAGS = 10_000_000
MAX_COLUMNS = 64
_PIECE = 1024 * 1024

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    expat.ExpatError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
)
"""What zipfile, expat and openpyxl raise on files that are damaged, encrypted or made up."""

# It remarks on what it leaves out of a workbook (validation lists, odd dates), sometimes with a cell's value.
warnings.filterwarnings("ignore", category=UserWarning, module=r"openpyxl\.")

Row = list[str]


def xlsx_sheets(data: bytes, max_rows: int) -> Iterator[Iterator[Row]]:
    """Yield the rows of each visible worksheet, as texts.

    Raises:
        SheetUnreadable: the file is damaged, unsafe or too large.
    """
    try:
        _inspect(data)
        with closing(openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)) as book:
            for sheet in book.worksheets:
                if sheet.sheet_state == "visible":
                    yield _rows(sheet, max_rows)
    except _BROKEN:
        raise SheetUnreadable(SHEET_FORMAT) from None


def _rows(sheet: Any, max_rows: int) -> Iterator[Row]:
    # The dimension that a file announces may be wrong, and would cut rows off.
    sheet.reset_dimensions()
    try:
        for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), 1):
            if number > max_rows:
                raise SheetUnreadable(SHEET_TOO_LONG)
            filled = next((n for n in range(len(cells), 0, -1) if cells[n - 1] is not None), 0)
            yield [cell_text(value) for value in cells[:filled]]
    except _BROKEN:
        raise SheetUnreadable(SHEET_FORMAT) from None


def _inspect(data: bytes) -> None:
    """Refuse an archive that inflates too far, or whose XML has a document type (which no such file has).

    Python's zipfile never gives out more of a part than the directory announces, so the announced sizes are the bound.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_INFLATED:
            raise SheetUnreadable(SHEET_TOO_LONG)
        tags = 0
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                tags += _inspect_xml(archive, part)
        if tags > MAX_TAGS:
            raise SheetUnreadable(SHEET_TOO_LONG)


def _inspect_xml(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """Return about how many tags a part has; a document type stands before the first of them, and is refused."""
    prolog = _Prolog()
    tags = 0
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            prolog.feed(piece)
            tags += piece.count(b"<")
    return tags


class _Begun(Exception):
    """The first element was met."""


class _Prolog:
    """What stands before the first element, read by the parser that openpyxl uses."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._begin
        self._over = False

    def feed(self, piece: bytes) -> None:
        if self._over:
            return
        try:
            self._parser.Parse(piece, False)
        except _Begun:
            self._over = True

    def _begin(self, *_: object) -> None:
        raise _Begun

    def _refuse(self, *_: object) -> None:
        raise SheetUnreadable(SHEET_UNSAFE)
