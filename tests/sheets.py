"""Sheets for the tests of imports: the hand-made ones, and rows as CSV or XLSX."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import openpyxl

from app.access import in_townships_name
from app.schemas.imports import ImportKind
from app.services.imports.importing import import_sheet
from app.services.imports.result import Imported
from tests.town import Town

FOLDER = Path(__file__).parent / "data" / "sheets"
HEADERS = ("户号", "村(社区)", "住址", "姓名", "与户主关系", "身份证号", "电话")

Row = Sequence[object]


def wide(text: str) -> str:
    """A text as it comes from a keyboard that was left in full-width mode."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def as_csv(rows: Iterable[Row], separator: str = ",", encoding: str = "utf-8") -> bytes:
    """Rows as a CSV file."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator).writerows(rows)
    return buffer.getvalue().encode(encoding)


def as_xlsx(*sheets: Iterable[Row]) -> bytes:
    """Each list of rows as a worksheet of a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        worksheet = book.create_sheet()
        for row in rows:
            worksheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
_MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_INLINE = re.compile(rb' t="inlineStr"><is>(.*?)</is></c>', re.DOTALL)
_STRINGS_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType='
    b'"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" /></Types>'
)


def altered(data: bytes, changes: Mapping[str, Callable[[bytes], bytes]], **more: bytes) -> bytes:
    """A workbook with parts of its archive changed, and others added."""
    source = zipfile.ZipFile(io.BytesIO(data))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            change = changes.get(info.filename, bytes)
            target.writestr(info.filename, change(source.read(info)))
        for name, content in more.items():
            target.writestr(name, content)
    return buffer.getvalue()


def as_excel(rows: Iterable[Row]) -> bytes:
    """Rows as Excel stores them: every text once, in a part of its own, and the cells point there."""
    texts: list[bytes] = []

    def share(match: re.Match[bytes]) -> bytes:
        texts.append(match[1])
        return b' t="s"><v>%d</v></c>' % (len(texts) - 1)

    data = as_xlsx(rows)
    sheet = _INLINE.sub(share, zipfile.ZipFile(io.BytesIO(data)).read(SHEET))
    strings = b'<sst xmlns="%s">%s</sst>' % (_MAIN, b"".join(b"<si>%s</si>" % text for text in texts))
    types = {"[Content_Types].xml": lambda xml: xml.replace(b"</Types>", _STRINGS_TYPE)}
    return altered(data, {SHEET: lambda _: sheet, **types}, **{STRINGS: strings})


async def load(town: Town, kind: str, data: bytes, default_unit: int | None = None) -> Imported:
    """Import a sheet into a town as its office does."""
    return await import_sheet(
        lambda: in_townships_name(town.kit, town.code), ImportKind(kind), data, default_unit
    )


def fate(done: Imported) -> tuple[int, int, int, dict[int, list[tuple[str, str]]]]:
    """How many rows were created, updated and unchanged, and the faults of the others."""
    faults = {row: [(f.column, f.code) for f in found] for row, found in sorted(done.faults.items())}
    assert done.settled == len(done.sheet.lines), "every row has exactly one fate"
    return done.created, done.updated, done.unchanged, faults


async def snapshot(town: Town) -> list[asyncpg.Record]:
    """Every stored byte that an import may touch."""
    tables = ("households", "people", "staff", "units", "daily_counters", "accounts")
    return [
        row
        for table in tables
        for row in await town.owner.fetch(f"SELECT * FROM {table} WHERE township_code = $1 ORDER BY 1, 2, 3", town.code)
    ]  # fmt: skip


async def counted(town: Town, metric: str) -> dict[int, int]:
    rows = await town.owner.fetch(
        f"SELECT unit_code, sum({metric})::int AS n FROM daily_counters WHERE township_code = $1 GROUP BY 1", town.code
    )  # fmt: skip
    return {row["unit_code"] % 1000: row["n"] for row in rows if row["n"]}


def sheet(town: Town, *people: tuple[Any, ...], unit: str = "试验村201") -> bytes:
    """People as (户号, 姓名, 与户主关系, 身份证号)."""
    return as_csv([HEADERS, *((no, unit, "一组1号", name, rel, id_, "") for no, name, rel, id_ in people)])
