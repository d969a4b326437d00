"""What became of a sheet."""

import csv
import io
import re
from dataclasses import dataclass, field
from itertools import islice

from app.schemas.imports import ImportView, RejectedRow, RowFault
from app.services.imports.columns import label_of
from app.services.imports.faults import Fault, Faults
from app.services.imports.sheet import Sheet

ROW_NUMBER, REASON = "行号", "原因"
LISTED = 1_000
"""Rejected rows that JSON lists; the file has all."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LONG_NUMBER = re.compile(r"[0-9]{12,}[Xx]?")


@dataclass(slots=True)
class Imported:
    """The sheet, how many of its rows were new, changed something, or were known, and what is wrong with the rest."""

    sheet: Sheet
    faults: Faults = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def settled(self) -> int:
        """How many rows have met their fate."""
        return self.created + self.updated + self.unchanged + len(self.faults)


def import_view(done: Imported, language: str) -> ImportView:
    """Return the answer in JSON; it names places and reasons, and repeats no cell."""
    listed = [
        RejectedRow(row=number, errors=[_fault(fault, language) for fault in faults])
        for number, faults in islice(sorted(done.faults.items()), LISTED)
    ]
    return ImportView(
        kind=done.sheet.kind,
        rows=len(done.sheet.lines),
        created=done.created,
        updated=done.updated,
        unchanged=done.unchanged,
        rejected=len(done.faults),
        rejects=listed,
        rejects_omitted=len(done.faults) - len(listed),
    )


def rejects_csv(done: Imported) -> bytes:
    """Return the rejected rows as a file that a spreadsheet opens: the columns as they came, 行号 and 原因.

    Corrected, it can be imported as it is. UTF-8 with BOM, by which Excel knows the encoding.
    """
    header = done.sheet.header
    width = max([len(header), *(len(line.cells) for line in done.sheet.lines)])
    # A file that comes from here already has the two columns.
    kept = [n for n in range(width) if n >= len(header) or header[n].strip() not in (ROW_NUMBER, REASON)]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([*_chosen(header, kept), ROW_NUMBER, REASON])
    for line in done.sheet.lines:
        faults = done.faults.get(line.number)
        if faults:
            reason = " ".join(_reason(done.sheet, fault) for fault in faults)
            writer.writerow([*_chosen(line.cells, kept), line.number, reason])
    return buffer.getvalue().encode("utf-8-sig")


def _chosen(cells: list[str], kept: list[int]) -> list[str]:
    return [_inert(cells[n]) if n < len(cells) else "" for n in kept]


def _inert(cell: str) -> str:
    """Return a cell that a spreadsheet shows and neither runs as a formula nor rounds as a number."""
    guarded = cell.lstrip().startswith(_FORMULA) or cell.startswith(_FORMULA)
    return "'" + cell if guarded or _LONG_NUMBER.fullmatch(cell.strip()) else cell


def _reason(sheet: Sheet, fault: Fault) -> str:
    label = label_of(sheet.kind, fault.column)
    return f"{label}:{fault.words.zh}" if label else fault.words.zh


def _fault(fault: Fault, language: str) -> RowFault:
    return RowFault(column=fault.column, code=fault.code, message=fault.words.say(language))
