"""CSV files in the encodings and with the separators that offices use."""

import codecs
import csv
import io
from collections.abc import Iterator

from app.services.imports.faults import (
    SHEET_ENCODING,
    SHEET_FORMAT,
    SHEET_QUOTES,
    SHEET_TOO_LONG,
    SheetUnreadable,
)

SEPARATORS = (",", ";", "\t")

Row = list[str]


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8 with or without BOM, UTF-16 with BOM, else GB18030 (国标).

    Raises:
        SheetUnreadable: it is none of these, or no text.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise SheetUnreadable(SHEET_FORMAT)
        return text
    raise SheetUnreadable(SHEET_ENCODING)


def csv_rows(text: str, separator: str, max_rows: int) -> Iterator[Row]:
    """Yield the rows; a row of several lines (in quotation marks) is one, as in a spreadsheet.

    Raises:
        SheetUnreadable: quotation marks are astray, so that rows would run together; or there are too many rows.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for number, row in enumerate(rows, 1):
            if number > max_rows:
                raise SheetUnreadable(SHEET_TOO_LONG)
            yield row
    except csv.Error:
        raise SheetUnreadable(SHEET_QUOTES) from None
