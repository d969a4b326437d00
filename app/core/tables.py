"""Tables that leave, as CSV and as XLSX: the same rows give the same bytes, so that a strong ETag can name them."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.writer.excel import ExcelWriter

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOMENT = datetime(2020, 2, 3)  # noqa: DTZ001 - an office document's own, without a zone
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a text begins that some program or other takes for a formula."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTRY = (1980, 1, 1, 0, 0, 0)


def to_csv(heads: list[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a table as CSV in UTF-8 (RFC 4180)."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(map(_harmless, heads))
    writer.writerows([_harmless(row.get(head)) for head in heads] for row in rows)
    return buffer.getvalue().encode()


def to_xlsx(title: str, heads: list[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a table as a workbook of one sheet, with a heading that stays in sight."""
    book = Workbook()
    book.properties.creator, book.properties.created, book.properties.modified = "wangge", _MOMENT, _MOMENT
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(title)
    sheet.append(list(map(_cell, heads)))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_cell(row.get(head)) for head in heads])
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        ExcelWriter(book, archive).write_data()  # Workbook.save() would write down when it was called
    return _timeless(raw)


def _cell(value: Any) -> Any:
    value = _harmless(value)
    if value is None or isinstance(value, int | float):
        return value
    return _NOT_IN_XML.sub("", str(value))


def _harmless(value: Any) -> Any:
    """Return a value so that a text which begins like a formula stays a text, in whatever opens the file."""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _timeless(raw: io.BytesIO) -> bytes:
    """Return an archive without the moment at which it was packed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            content = old.read(name)
            entry = zipfile.ZipInfo(name, _ENTRY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return packed.getvalue()
