"""Files as offices send them: encodings, separators, workbooks; and files made to do harm."""

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.schemas.imports import ImportKind
from app.services.imports import sheet as sheets
from app.services.imports import xlsx
from app.services.imports.faults import SheetUnreadable
from app.services.imports.sheet import Sheet, read_sheet
from tests.sheets import SHEET, STRINGS, altered, as_csv, as_excel, as_xlsx

ROWS = [
    ["区划代码", "名称", "类型"],
    ["511303106243", "黄溪村", "村"],
    [],
    ["511303106244", "黄岭沟村, 东", "村"],
]


def read(data: bytes) -> Sheet:
    return read_sheet(ImportKind.UNITS, data)


def lines(data: bytes) -> list[tuple[int, list[str]]]:
    return [(line.number, line.cells) for line in read(data).lines]


def refusal(data: bytes) -> list[tuple[str, str]]:
    with pytest.raises(SheetUnreadable) as refused:
        read(data)
    return [(error.pointer, error.code) for error in refused.value.errors]


GOOD = [(2, ["511303106243", "黄溪村", "村"]), (4, ["511303106244", "黄岭沟村, 东", "村"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_of_every_encoding_and_separator(encoding: str, separator: str) -> None:
    assert lines(as_csv(ROWS, separator, encoding)) == GOOD


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_csv_with_every_line_end(end: bytes) -> None:
    assert lines(as_csv(ROWS).replace(b"\r\n", end)) == GOOD


def test_a_row_of_several_lines_is_one_row_as_in_a_spreadsheet() -> None:
    data = as_csv([["代码", "名称"], ["1", "黄溪\n村"], ["2", "x"]])
    assert lines(data) == [(2, ["1", "黄溪\n村"]), (3, ["2", "x"])]


@pytest.mark.parametrize("write", [as_xlsx, as_excel])
def test_xlsx_gives_what_csv_gives(write: Callable[[list[list[str]]], bytes]) -> None:
    assert lines(write(ROWS)) == GOOD


def test_a_text_in_several_styles_is_one_text_without_its_pronunciation() -> None:
    rich = '<r><t>黄</t></r><r><rPr><b/></rPr><t>溪村</t></r><rPh sb="0" eb="1"><t>huang</t></rPh>'
    data = with_part(STRINGS, lambda xml: xml.replace("<t>黄溪村</t>".encode(), rich.encode()))
    assert lines(data) == GOOD


def test_values_of_xlsx_that_are_no_texts() -> None:
    day = datetime(1980, 1, 2)  # noqa: DTZ001 (a spreadsheet's days have no zone)
    data = as_xlsx([["代码", "名称", "类型"], [511303106243, day, 5.11303196203051e17]])
    assert lines(data) == [(2, ["511303106243", "1980-01-02", "5.11303E+17"])]


def test_the_worksheet_with_headers_is_read_and_notes_and_empty_ones_are_not() -> None:
    assert lines(as_xlsx([["填表说明"]], ROWS, [])) == GOOD


def test_a_hidden_worksheet_is_not_read() -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(ROWS, ROWS)))
    book.worksheets[1].sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    assert lines(buffer.getvalue()) == GOOD


def test_two_worksheets_with_headers_are_not_half_read() -> None:
    assert refusal(as_xlsx(ROWS, ROWS)) == [("", "sheet-several")]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", [("", "sheet-empty")]),
        (b" \r\n ", [("", "sheet-empty")]),
        (as_csv(ROWS[:1]), [("", "sheet-empty")]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old excel", [("", "sheet-xls")]),
        (b"PK\x03\x04 and nothing more", [("", "sheet-format")]),
        (b"\xff\xd8\xff\xe0 a photo", [("", "sheet-encoding")]),
        (b"a,b\0c", [("", "sheet-format")]),
        (as_csv([["甲", "乙"], ["1", "2"]]), [("", "sheet-header")]),
        (as_csv([["名称", "类型"], ["黄溪村", "村"]]), [("/unit_code", "column-missing")]),
        ('代码,名称\r\n1,"黄溪村\r\n2,黄岭沟村\r\n'.encode(), [("", "sheet-quotes")]),
        (as_xlsx([["甲"]]), [("", "sheet-header")]),
    ],
)
def test_what_is_no_sheet_is_refused_with_the_reason(data: bytes, found: list[tuple[str, str]]) -> None:
    assert refusal(data) == found


def test_more_rows_than_a_sheet_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 3)
    assert refusal(as_csv(ROWS)) == [("", "sheet-too-long")]
    assert refusal(as_xlsx(ROWS)) == [("", "sheet-too-long")]


def with_part(part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one part changed."""
    return altered(as_excel(ROWS), {part: change})


def test_a_wrong_dimension_cuts_no_rows_off() -> None:
    data = with_part(SHEET, lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', xml))
    assert lines(data) == GOOD


def test_a_cell_at_the_far_corner_costs_nothing() -> None:
    far = b'<row r="150000"><c r="XFD150000"><v>1</v></c></row></sheetData>'
    assert lines(with_part(SHEET, lambda xml: xml.replace(b"</sheetData>", far))) == GOOD


def test_a_row_beyond_every_sheet_is_refused_at_once() -> None:
    far = b'<row r="99999999999999"><c><v>1</v></c></row></sheetData>'
    assert refusal(with_part(SHEET, lambda xml: xml.replace(b"</sheetData>", far))) == [
        ("", "sheet-too-long")
    ]


def test_a_bomb_is_not_inflated() -> None:
    data = with_part(SHEET, lambda xml: xml + b" " * (xlsx.MAX_INFLATED + 1))
    assert len(data) < 1_000_000
    assert refusal(data) == [("", "sheet-too-long")]


def test_a_bomb_that_lies_about_its_size_gives_out_no_more_than_it_says() -> None:
    data = bytearray(with_part(SHEET, lambda xml: xml + b" " * 5_000_000))
    true = (zipfile.ZipFile(io.BytesIO(bytes(data))).getinfo(SHEET).file_size).to_bytes(4, "little")
    assert data.count(true) == 2  # in the part's own head, and in the directory
    assert refusal(bytes(data).replace(true, (2000).to_bytes(4, "little"))) == [("", "sheet-format")]


def test_too_many_tags_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_TAGS", 50)
    assert refusal(as_xlsx(ROWS)) == [("", "sheet-too-long")]


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", STRINGS, "xl/styles.xml"])
def test_xml_that_declares_entities_is_refused(part: str) -> None:
    data = with_part(part, lambda xml: LAUGHS + re.sub(rb"^<\?xml[^>]*>\s*", b"", xml))
    assert refusal(data) == [("", "sheet-unsafe")]


def test_entities_in_another_encoding_are_refused_too() -> None:
    def change(xml: bytes) -> bytes:
        text = re.sub(rb"^<\?xml[^>]*>\s*", b"", xml).decode()
        return ('<?xml version="1.0" encoding="utf-16"?>' + LAUGHS.decode() + text).encode("utf-16")

    assert refusal(with_part(SHEET, change)) == [("", "sheet-unsafe")]


WORKBOOK = as_xlsx(ROWS)


@pytest.mark.filterwarnings("ignore::UserWarning")  # openpyxl's remarks on parts that it leaves out
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    part=st.sampled_from([SHEET, "xl/workbook.xml", STRINGS, "xl/styles.xml", "[Content_Types].xml"]),
    place=st.integers(0, 5000),
    junk=st.sampled_from(
        [b"", b"<", b'"', b"-1", b"9" * 5000, b"A0", b"nan", b"\xff", b'r="x"', b"</c>", b"<c/>", b"="]
    ),
    length=st.integers(0, 30),
)
def test_damaged_workbooks_are_read_or_refused(part: str, place: int, junk: bytes, length: int) -> None:
    def change(xml: bytes) -> bytes:
        at = place % len(xml)
        return xml[:at] + junk + xml[at + length :]

    with suppress(SheetUnreadable):
        read(with_part(part, change))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3))
def test_any_bytes_are_read_or_refused(data: bytes, kind: int) -> None:
    head = (b"", b"PK\x03\x04", "代码,名称\n".encode(), WORKBOOK[:500])[kind]
    with suppress(SheetUnreadable):
        read(head + data)
