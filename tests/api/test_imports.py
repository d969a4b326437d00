"""Imports over HTTP: the file itself or a form, JSON or the file of rejects, and who may."""

import asyncio
import csv
import io

import pytest

from app.core.settings import get_settings
from app.services.imports import importing
from tests.register import id_number
from tests.sheets import FOLDER, HEADERS, as_csv, as_excel, as_xlsx, counted, sheet
from tests.town import Town

HOUSEHOLDS = (FOLDER / "households.csv").read_bytes()
CSV = {"Content-Type": "text/csv"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


async def test_a_csv_file_as_the_body(town: Town) -> None:
    office = await town.township()
    answer = await office.post("/v1/imports/households", content=HOUSEHOLDS, headers=CSV)
    assert answer.status_code == 200
    assert answer.json() == {
        "kind": "households",
        "rows": 8,
        "created": 4,
        "updated": 0,
        "unchanged": 0,
        "rejected": 4,
        "rejects": [
            {
                "row": 8,
                "errors": [
                    {
                        "column": "id_number",
                        "code": "id-check-digit",
                        "message": "身份证号码校验位不符,请核对。",
                    }
                ],
            },
            {
                "row": 9,
                "errors": [
                    {
                        "column": "",
                        "code": "head-rejected",
                        "message": "本户户主行有误,改正户主行后再导入本户。",
                    }
                ],
            },
            {
                "row": 10,
                "errors": [{"column": "unit", "code": "unit-unknown", "message": "本乡镇没有此村(社区)。"}],
            },
            {
                "row": 12,
                "errors": [
                    {
                        "column": "id_number",
                        "code": "digits-lost",
                        "message": "数字已被表格软件改成科学计数,末尾数字丢失,请将该列设为文本后重新填写。",
                    }
                ],
            },
        ],
        "rejects_omitted": 0,
    }
    found = (await office.get("/v1/households")).json()["items"]
    assert sorted(household["head"]["name"] for household in found) == ["孙八", "张三"]


@pytest.mark.parametrize("write", [as_xlsx, as_excel])
async def test_an_xlsx_file_as_the_body_and_then_again(town: Town, write) -> None:
    office = await town.township()
    rows = [HEADERS, ["1", "试验村201", "一组1号", "张三", "户主", id_number(), 13900000001]]
    first = await office.post("/v1/imports/households", content=write(rows), headers=XLSX)
    assert (first.status_code, first.json()["created"], first.json()["rejected"]) == (200, 1, 0)
    second = await office.post("/v1/imports/households", content=write(rows), headers=XLSX)
    assert (second.json()["created"], second.json()["unchanged"]) == (0, 1)


async def test_a_form_with_one_file(town: Town) -> None:
    office = await town.township()
    data = as_csv([["区划代码", "名称"], [f"{town.code}301", "新桥社区居民委员会"]], encoding="gb18030")
    answer = await office.post(
        "/v1/imports/units", files={"file": ("村社.csv", data, "application/vnd.ms-excel")}
    )
    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    unit = (await office.get(f"/v1/units/{town.code}301")).json()
    assert (unit["name"], unit["kind"]) == ("新桥社区居民委员会", "community")
    for form in ({"files": {}, "data": {"note": "x"}}, {"files": [("a", b"1"), ("b", b"2")]}):
        refused = await office.post("/v1/imports/units", **form)
        assert refused.status_code in (400, 415), refused.text


async def test_the_rejects_as_a_file(town: Town) -> None:
    office = await town.township()
    answer = await office.post(
        "/v1/imports/households", content=HOUSEHOLDS, headers={**CSV, "Accept": "text/csv"}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="households-rejects.csv"'
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[-2:] == ["行号", "原因"]
    assert [row[-2] for row in rows] == ["8", "9", "10", "12"]
    assert await counted(town, "people") == {201: 3, 202: 1}


async def test_messages_in_english(town: Town) -> None:
    office = await town.township()
    answer = await office.post(
        "/v1/imports/households", content=HOUSEHOLDS, headers={**CSV, "Accept-Language": "en"}
    )
    messages = [row["errors"][0]["message"] for row in answer.json()["rejects"]]
    assert messages[2] == "The township has no such village or community."


async def test_no_answer_in_json_repeats_a_cell(town: Town) -> None:
    office = await town.township()
    answer = await office.post("/v1/imports/households", content=HOUSEHOLDS, headers=CSV)
    assert not [
        cell for cell in ("王五", "5113", "不存在", "HYPERLINK", "13900000002") if cell in answer.text
    ]


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        (b"", [("", "sheet-empty")]),
        (b"\xd0\xcf\x11\xe0...", [("", "sheet-xls")]),
        (as_csv([["a", "b"], ["1", "2"]]), [("", "sheet-header")]),
        (as_csv([["户号", "姓名"], ["1", "张三"]]), [("/unit", "column-missing")]),
    ],
)
async def test_a_file_that_is_no_sheet(town: Town, content: bytes, errors: list[tuple[str, str]]) -> None:
    office = await town.township()
    answer = await office.post("/v1/imports/households", content=content, headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (422, "sheet-unreadable")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == errors
    assert await counted(town, "people") == {}


async def test_what_is_refused_before_the_file_is_looked_at(town: Town) -> None:
    office = await town.township()
    url = "/v1/imports/households"
    assert (await office.post(url, json={"rows": []})).status_code == 415
    assert (await office.post(url, content=b"x")).status_code == 415
    assert (await office.post("/v1/imports/people", content=b"x", headers=CSV)).status_code == 422
    refused = await office.post(url, content=HOUSEHOLDS, headers={**CSV, "Accept": "image/png"})
    assert refused.status_code == 406
    foreign = await office.post(f"{url}?unit_code=511303106243", content=HOUSEHOLDS, headers=CSV)
    assert foreign.status_code == 404
    assert await counted(town, "people") == {}


async def test_a_file_above_the_limit(town: Town) -> None:
    office = await town.township()
    limit = get_settings().import_limit
    assert limit == 32 * 1024 * 1024
    answer = await office.post("/v1/imports/units", content=b"x" * (limit + 1), headers=CSV)
    assert answer.status_code == 413
    remarks = [[f"{town.code}{n}", "新桥村", "备" * 30_000] for n in range(301, 321)]
    larger = as_csv([["代码", "名称", "备注"], *remarks])
    assert len(larger) > get_settings().body_limit
    assert (await office.post("/v1/imports/units", content=larger, headers=CSV)).json()["created"] == 20


async def test_only_the_township_imports(town: Town) -> None:
    for client in (await town.village(), await town.clinic()):
        answer = await client.post("/v1/imports/households", content=HOUSEHOLDS, headers=CSV)
        assert answer.status_code == 403
        assert (await client.get("/v1/imports/households/template")).status_code == 403
    assert (await town.client().post("/v1/imports/units", content=b"x", headers=CSV)).status_code == 401
    assert await counted(town, "people") == {}


async def test_a_township_imports_into_itself_only(town: Town, other_town: Town) -> None:
    office = await town.township()
    rows = [["代码", "名称"], [other_town.units[0], "别镇的村"]]
    answer = await office.post("/v1/imports/units", content=as_csv(rows), headers=CSV)
    assert answer.json()["rejects"][0]["errors"][0]["code"] == "unit-outside"
    people = as_csv([HEADERS, ["1", other_town.units[0], "一组1号", "张三", "户主", "", ""]])
    answer = await office.post("/v1/imports/households", content=people, headers=CSV)
    assert answer.json()["rejects"][0]["errors"][0]["code"] == "unit-unknown"
    assert await counted(other_town, "people") == {}


async def test_the_unit_of_a_sheet_without_units(town: Town) -> None:
    office = await town.township()
    rows = as_csv([["户号", "住址", "姓名"], ["1", "一组1号", "张三"], ["1", "", "李四"]])
    answer = await office.post(f"/v1/imports/households?unit_code={town.units[2]}", content=rows, headers=CSV)
    assert answer.json()["created"] == 2
    assert await counted(town, "people") == {203: 2}


@pytest.mark.parametrize("kind", ["units", "staff", "households"])
async def test_a_template_is_read_and_its_example_refused(town: Town, kind: str) -> None:
    office = await town.township()
    template = await office.get(f"/v1/imports/{kind}/template")
    assert (template.status_code, template.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    answer = await office.post(f"/v1/imports/{kind}", content=template.content, headers=CSV)
    assert (answer.status_code, answer.json()["rows"], answer.json()["rejected"]) == (200, 1, 1)


async def test_an_account_that_is_closed_meanwhile_imports_no_further(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 1)
    office = await town.township()
    data = sheet(town, *((str(n), f"人{n}", "户主", "") for n in range(300)))
    sent = asyncio.ensure_future(office.post("/v1/imports/households", content=data, headers=CSV))
    while not await counted(town, "people"):
        assert not sent.done()
    await town.owner.execute("UPDATE accounts SET active = false WHERE id = $1", town.accounts["township"])
    assert (await sent).status_code == 401
    assert 0 < (await counted(town, "people"))[201] < 300
