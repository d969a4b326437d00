"""The rows that did not load: as a file to correct and import again, and as JSON."""

import csv
import io

import pytest

from app.services.imports.result import import_view, rejects_csv
from tests.register import id_number
from tests.sheets import FOLDER, HEADERS, as_csv, counted, fate, load, sheet
from tests.town import Town

HOUSEHOLDS = (FOLDER / "households.csv").read_bytes()


async def test_the_rejects_come_back_as_a_file_that_can_be_corrected_and_imported(town: Town) -> None:
    done = await load(town, "households", HOUSEHOLDS)
    file = rejects_csv(done)
    assert file.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(file.decode("utf-8-sig")))
    assert ",".join(head) == (
        "序号,户号,村(社区)*,家庭住址,姓名,与户主关系,身份证号码(18位),联系电话,行号,原因"
    )
    assert [row[-2:] for row in rows] == [
        ["8", "身份证号:身份证号码校验位不符,请核对。"],
        ["9", "本户户主行有误,改正户主行后再导入本户。"],
        ["10", "村(社区):本乡镇没有此村(社区)。"],
        ["12", "身份证号:数字已被表格软件改成科学计数,末尾数字丢失,请将该列设为文本后重新填写。"],
    ]
    assert rows[3][4] == '\'=HYPERLINK("http://x")'  # does not run
    assert rows[0][6].startswith("'5113")  # is not rounded
    rows[0][6] = id_number()
    rows[2][2] = "试验村203"
    again = await load(town, "households", as_csv([head, *rows[:3]]))
    assert fate(again) == (3, 0, 0, {})
    assert await counted(town, "people") == {201: 5, 202: 1, 203: 1}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", " =", "\uff1d"])
async def test_no_cell_of_the_rejects_runs_in_a_spreadsheet(town: Town, start: str) -> None:
    cell = start + "cmd|' /C calc'!A0"
    done = await load(town, "households", sheet(town, ("1", cell, "户主", "x")))
    _, row = csv.reader(io.StringIO(rejects_csv(done).decode("utf-8-sig"), newline=""))
    assert row[3] == "'" + cell


async def test_rejects_of_rejects_have_one_number_and_one_reason(town: Town) -> None:
    first = rejects_csv(await load(town, "households", HOUSEHOLDS))
    head, *rows = csv.reader(
        io.StringIO(rejects_csv(await load(town, "households", first)).decode("utf-8-sig"))
    )
    assert (head.count("行号"), head.count("原因")) == (1, 1)
    assert [row[-2] for row in rows] == ["2", "3", "4", "5"]


async def test_json_lists_reasons_in_the_callers_language_and_repeats_no_cell(town: Town) -> None:
    view = import_view(await load(town, "households", HOUSEHOLDS), "en")
    assert (view.rows, view.created, view.updated, view.unchanged, view.rejected) == (8, 4, 0, 0, 4)
    assert view.rejects[0].model_dump() == {
        "row": 8,
        "errors": [
            {
                "column": "id_number",
                "code": "id-check-digit",
                "message": "The ID number's check digit does not fit.",
            }
        ],
    }
    assert view.rejects_omitted == 0
    for cell in ("王五", "5113", "不存在", "HYPERLINK", "13900000002"):
        assert cell not in view.model_dump_json()


async def test_json_lists_at_most_a_thousand_rows(town: Town) -> None:
    rows = [("", "", "", "", "", "", f"{n}") for n in range(1003)]
    view = import_view(await load(town, "households", as_csv([HEADERS, *rows])), "zh")
    assert (view.rejected, len(view.rejects), view.rejects_omitted) == (1003, 1000, 3)
    assert [(e.column, e.code) for e in view.rejects[0].errors] == [
        ("unit", "required"),
        ("register_no", "required"),
        ("name", "required"),
    ]
