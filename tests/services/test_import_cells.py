"""What offices write in cells and headers, and what is made of it."""

import csv
import re
from datetime import date, datetime, time
from pathlib import Path

import pytest

import app
from app.schemas.imports import ImportKind
from app.services.imports import faults
from app.services.imports.cells import cell_text, code_text, day_of, person_name, phone_text, tidy
from app.services.imports.columns import COLUMNS, find_header
from app.services.imports.faults import BadCell
from app.services.imports.ground import UnitNames
from app.services.imports.words import POSITIONS, SEXES, read_word
from tests.sheets import wide


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  张三 ", "  张三 "),
        (True, "TRUE"),
        (13900000001, "13900000001"),
        (12.0, "12"),
        (12.5, "12.5"),
        (511303106243, "511303106243"),
        (511303196203051, "511303196203051"),  # an ID number of 15 digits is still exact
        (511303196203051012, "5.11303E+17"),
        (5.11303196203051e17, "5.11303E+17"),
        (datetime(1980, 1, 2), "1980-01-02"),  # noqa: DTZ001 (a spreadsheet's days have no zone)
        (datetime(1980, 1, 2, 3, 4), "1980-01-02 03:04:00"),  # noqa: DTZ001
        (date(1980, 1, 2), "1980-01-02"),
        (time(9, 30), "09:30:00"),
    ],
)
def test_values_of_a_spreadsheet_as_text(value: object, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("  一组\u3000 12号\n", "一组 12号"),
        (wide("A12号"), "A12号"),
        ("'=1+1", "=1+1"),
        ("’001", "001"),
        ("\ufeff张三\u200b", "张三"),
        ("无", ""),
        (" — ", ""),
        ("/", ""),
        ("无名巷3号", "无名巷3号"),
    ],
)
def test_texts_are_tidied(cell: str, text: str) -> None:
    assert tidy(cell) == text


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", " #value! ", "#NAME?"])
def test_the_error_of_a_formula_is_no_text(cell: str) -> None:
    with pytest.raises(BadCell) as bad:
        tidy(cell)
    assert bad.value.code == "cell-error"


def test_spread_chinese_names_close_up_and_latin_names_stay() -> None:
    assert person_name(" 张\u3000三 ") == "张三"
    assert person_name("阿依古丽·买买提") == "阿依古丽·买买提"
    assert person_name("Mary  Ann Li") == "Mary Ann Li"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("'511303 1962 0305 101x", "51130319620305101x"),
        (wide("511303X"), "511303X"),
        ("A-17", "A-17"),
        ("1E5", None),
        ("5.11303E+17", None),
        ("5.11303e17", None),
    ],
)
def test_codes_lose_spaces_and_never_digits(cell: str, code: str | None) -> None:
    if code is not None:
        assert code_text(cell) == code
        return
    with pytest.raises(BadCell) as bad:
        code_text(cell)
    assert bad.value.code == "digits-lost"


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("139 0000 0001", "13900000001"),
        ("0817—1234567", "0817-1234567"),
        ("(0817)1234567", "0817-1234567"),
        ("+86 13900000001", "+8613900000001"),
        (wide("(0817)1234567"), "0817-1234567"),
    ],
)
def test_phones(cell: str, phone: str) -> None:
    assert phone_text(cell) == phone


@pytest.mark.parametrize(
    "cell",
    [
        "1980-01-02",
        "1980-1-2",
        "1980/1/2",
        "1980.1.2",
        "1980年1月2日",
        "1980 年 01 月 02 日",
        "19800102",
        "1980/1/2 0:00:00",
        "1980-01-02 00:00:00",
        wide("1980年1月2日"),
        wide("1980-01-02"),
    ],
)
def test_days_in_every_way_that_offices_write_them(cell: str) -> None:
    assert day_of(cell) == date(1980, 1, 2)


@pytest.mark.parametrize(
    "cell", ["80-1-2", "1980年1月", "29222", "1980-2-30", "2-1-1980", "1980-1-2 09:30:00", "腊月"]
)
def test_a_day_is_never_guessed(cell: str) -> None:
    with pytest.raises(BadCell) as bad:
        day_of(cell)
    assert bad.value.code == "date-format"


def test_an_empty_day_is_none() -> None:
    assert day_of(" ") is None


def test_words_of_the_vocabularies() -> None:
    assert [read_word(SEXES, word) for word in ("男", "女性", "Female", "M", " ")] == [
        "male", "female", "female", "male", None,
    ]  # fmt: skip
    assert read_word(POSITIONS, "党政领导") == "leader"
    assert read_word(POSITIONS, "town_cadre") == "town_cadre"
    with pytest.raises(BadCell) as bad:
        read_word(SEXES, "不男不女")
    assert bad.value.code == "word-unknown"


HEADER = {"register_no": 0, "unit": 1, "address": 2, "name": 3, "relation": 4, "id_number": 5, "phone": 6}


@pytest.mark.parametrize(
    "row",
    [
        ["户号", "村(社区)", "住址", "姓名", "与户主关系", "身份证号", "电话"],
        ["户 号", "所在村(社区)", "家庭住址*", "姓\u3000名", "与户主关系(必填)", "公民身份号码", "联系电话"],
        ["register_no", "Unit Name", "Address", "NAME", "relation", "ID Number", "mobile"],
        ["户号/register_no", "村/unit", "住址/address", "姓名/name", "关系", "身份证号码(18位)", "手机号码"],
    ],
)
def test_headers_in_many_spellings(row: list[str]) -> None:
    assert find_header(ImportKind.HOUSEHOLDS, [row]) == (0, HEADER)


def test_the_headers_stand_under_titles_and_notes() -> None:
    rows = [
        ["住户登记表"],
        [],
        ["单位", "姓名:王某"],
        ["户号", "村", "地址", "姓名"],
        ["1", "黄溪村", "一组", "张三"],
    ]
    assert find_header(ImportKind.HOUSEHOLDS, rows) == (
        3,
        {"register_no": 0, "unit": 1, "address": 2, "name": 3},
    )


def test_of_two_columns_of_one_meaning_the_first_counts() -> None:
    found = find_header(ImportKind.STAFF, [["姓名", "电话", "手机"]])
    assert found == (0, {"name": 0, "phone": 1})


@pytest.fixture(scope="module")
def dongguan() -> UnitNames:
    file = Path(app.__file__).parent / "data" / "dongguan-units-2019.csv"
    with file.open(encoding="utf-8") as lines:
        units = [(int(row["unit_code"]), row["name"]) for row in csv.DictReader(lines)]
    return UnitNames("东观镇", units)


@pytest.mark.parametrize(
    ("code", "name", "unit"),
    [
        ("511303106243", "", 511303106243),
        ("", "511303106243", 511303106243),
        ("", "黄溪村村民委员会", 511303106243),
        ("", "黄溪村委会", 511303106243),
        ("", "黄溪村", 511303106243),
        ("", "黄 溪", 511303106243),
        (wide("511303106243"), "", 511303106243),
        ("", "东观镇黄溪村", 511303106243),
        ("511303106243", "黄溪村", 511303106243),
        ("", "东新路社区居委会", 511303106005),
        ("", "东新路", 511303106005),
        ("", "", None),
    ],
)
def test_units_by_the_names_that_people_use(
    dongguan: UnitNames, code: str, name: str, unit: int | None
) -> None:
    assert dongguan.find(code, name) == unit


@pytest.mark.parametrize(
    ("code", "name", "fault"),
    [
        ("511303106999", "", "unit-unknown"),
        ("5113031062", "", "unit-unknown"),
        ("", "黄河村", "unit-unknown"),
        ("511303106244", "黄溪村", "unit-contradicts"),
        ("5.11303E+11", "", "digits-lost"),
    ],
)
def test_units_that_are_none(dongguan: UnitNames, code: str, name: str, fault: str) -> None:
    with pytest.raises(BadCell) as bad:
        dongguan.find(code, name)
    assert bad.value.code == fault


def test_a_name_of_two_units_is_not_guessed() -> None:
    units = UnitNames("东观镇", [(511303106001, "新桥社区居民委员会"), (511303106201, "新桥村村民委员会")])
    assert units.find("", "新桥村") == 511303106201
    assert units.find("", "新桥社区") == 511303106001
    with pytest.raises(BadCell) as bad:
        units.find("", "新桥")
    assert bad.value.code == "unit-ambiguous"


@pytest.mark.parametrize("kind", list(ImportKind))
def test_the_documented_columns_are_those_that_are_read(kind: ImportKind) -> None:
    text = (Path(app.__file__).parents[1] / "docs" / "imports.md").read_text("utf-8")
    section = next(part for part in text.split("\n## ") if part.lower().startswith(kind.value))
    documented = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    assert documented == [(column.name, column.label) for column in COLUMNS[kind]]


def test_every_reason_is_documented() -> None:
    text = (Path(app.__file__).parents[1] / "docs" / "imports.md").read_text("utf-8")
    codes = [value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)]
    assert len(codes) == 33
    assert [code for code in codes if f"`{code}`" not in text] == []
