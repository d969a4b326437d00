"""Report layouts: one entry, many forms; numbers in full only for a purpose, and every look is logged."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response
from openpyxl import load_workbook

from tests.duty import a_shift
from tests.register import check, id_number, line, register
from tests.town import Town

PEOPLE = [
    {"header": "村", "field": "unit_name"},
    {"header": "姓名", "field": "name"},
    {"header": "身份证号", "field": "id_number", "format": "spaced"},
    {"header": "电话", "field": "phone", "format": "full"},
    {"header": "出生", "field": "birth_date", "format": "chinese"},
    {"header": "隔离", "field": "quarantined"},
]
UNITS = [
    {"header": "村", "field": "unit_name"},
    {"header": "户数", "metric": "households"},
    {"header": "当日排查", "metric": "households_checked"},
    {"header": "累计排查", "metric": "households_checked", "total": True},
    {"header": "日报", "field": "report_status"},
]


def layout(group_by: str, columns: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"title": "表", "group_by": group_by, "file": "csv", "columns": columns, **more}


async def make(office: AsyncClient, body: dict[str, Any]) -> str:
    made = await office.post("/v1/report-layouts", json=body)
    assert made.status_code == 201, made.text
    id_: str = made.json()["id"]
    return id_


async def rows(client: AsyncClient, id_: str, **query: str) -> list[dict[str, str]]:
    answer = await client.get(f"/v1/report-layouts/{id_}/render", params=query)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_units_of_a_day_and_of_all_days(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    homes = [await register(office, town, unit) for unit in (0, 0, 1)]
    for home, days in ((homes[0], 1), (homes[0], 0), (homes[1], 1), (homes[2], 0)):
        at = (now - timedelta(days=days)).isoformat()
        await check(office, home["id"], at, line(home["head"]["id"]))
    id_ = await make(office, layout("unit", UNITS))
    told = [tuple(row.values()) for row in await rows(office, id_)]
    names = [f"试验村{code[-3:]}" for code in town.units]
    assert told == [
        (names[0], "2", "1", "3", "missing"),
        (names[1], "1", "1", "1", "missing"),
        (names[2], "0", "0", "0", "missing"),
    ]
    cadre = await town.village()
    assert [row["村"] for row in await rows(cadre, id_)] == names[:1]
    assert (await cadre.get(f"/v1/report-layouts/{id_}/render?code={town.units[1]}")).status_code == 404


async def test_the_file_is_the_layouts_unless_the_other_is_preferred(town: Town) -> None:
    office = await town.township()
    id_, xlsx = await make(office, layout("unit", UNITS)), "application/vnd.openxmlformats-officedocument"
    for accept, media_type, begins in (
        ("*/*", "text/csv", "村".encode()),
        ("application/json", "text/csv", "村".encode()),
        (f"{xlsx}.spreadsheetml.sheet", f"{xlsx}.spreadsheetml.sheet", b"PK"),
        (f"text/csv;q=0.5, {xlsx}.spreadsheetml.sheet", f"{xlsx}.spreadsheetml.sheet", b"PK"),
    ):
        told = await office.get(f"/v1/report-layouts/{id_}/render", headers={"Accept": accept})
        assert (told.status_code, told.headers["content-type"].partition(";")[0]) == (200, media_type), accept
        assert told.content.startswith(begins), accept


async def test_a_townships_row_sums_or_shows_the_least(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    for unit in (0, 0, 1, 2, 2, 2):
        await register(office, town, unit)
    turns = [a_shift(town.units[0], now, await town.account("village", [town.units[0]]))]
    turns.append(a_shift(town.units[1], now, await town.account("village", [town.units[1]])) | {"group": "B"})
    for turn in turns:
        assert (await office.post("/v1/shifts", json=turn)).status_code == 201
    for name, kind, size in (("城管", "patrol", 1), ("社区", "patrol", 2), ("一队", "strike", 0)):
        staff = [str(await town.account("village", [town.units[0]])) for _ in range(size)]
        squad = {"name": name, "kind": kind, "staff_ids": staff}
        assert (await office.post("/v1/squads", json=squad)).status_code == 201
    columns = [
        {"header": "单元", "field": "units"},
        {"header": "户数", "metric": "households"},
        {"header": "最少", "metric": "households", "across": "least"},
        {"header": "最多", "metric": "households", "across": "most"},
        *(
            {"header": f, "field": f}
            for f in ("staff", "group_a", "group_b", "strike_squads", "patrol_squads")
        ),
    ]
    (row,) = await rows(office, await make(office, layout("township", columns)))
    assert list(row.values()) == ["3", "6", "1", "3", "6", "1", "1", "1", "1+2"]


async def test_numbers_are_masked_unless_somebody_says_what_for(town: Town) -> None:
    office, number = await town.township(), id_number("19900307")
    head = {"name": "李春花", "id_number": number, "phone": "13900001234"}
    home = await register(office, town, 0, head=head, members=[{"name": "=1+1"}])
    id_ = await make(office, layout("person", PEOPLE))
    masked, formula = await rows(office, id_)
    assert masked["身份证号"] == f"511303********{number[-4:]}"
    assert (masked["电话"], masked["出生"], masked["隔离"]) == ("139******34", "1990年3月7日", "否")
    assert (formula["姓名"], formula["身份证号"]) == ("'=1+1", "")
    assert (await office.get(f"/v1/people/{home['head']['id']}/reveals")).json()["items"] == []
    whole, _ = await rows(office, id_, purpose="核对名册")
    assert (whole["身份证号"], whole["电话"]) == (f"511303 19900307 {number[-4:]}", "13900001234")
    (look,) = (await office.get(f"/v1/people/{home['head']['id']}/reveals")).json()["items"]
    assert (look["purpose"], look["author_id"]) == ("核对名册", str(town.accounts["township"]))


async def test_a_cadre_renders_the_own_people_only(town: Town) -> None:
    office, cadre = await town.township(), await town.village()
    for unit, name in ((0, "甲"), (1, "乙")):
        await register(office, town, unit, head={"name": name})
    id_ = await make(office, layout("person", PEOPLE))
    assert [row["姓名"] for row in await rows(cadre, id_)] == ["甲"]
    for role in ("checkpoint", "clinic"):
        caller = await town.login(role, [town.units[0] if role == "checkpoint" else str(town.code)])
        assert (await caller.get(f"/v1/report-layouts/{id_}/render")).status_code == 403
    assert (await cadre.post("/v1/report-layouts", json=layout("unit", UNITS))).status_code == 403


async def test_households_stand_in_the_order_of_the_register(town: Town) -> None:
    office = await town.township()
    for number in ("0002", "0001"):
        await register(office, town, 0, register_no=number, members=[{"name": "子"}])
    columns = [{"header": f, "field": f} for f in ("register_no", "head_name", "people")]
    found = await rows(office, await make(office, layout("household", columns)))
    assert [tuple(row.values()) for row in found] == [("0001", "李春花", "2"), ("0002", "李春花", "2")]


async def test_what_comes_with_wangge_stands_behind_what_the_township_made(town: Town) -> None:
    office = await town.township()
    made = [await make(office, layout("unit", UNITS)) for _ in range(2)]
    listed = (await office.get("/v1/report-layouts")).json()["items"]
    assert [one["id"] for one in listed[:2]] == made[::-1]
    assert [one["built_in"] for one in listed] == [False, False, True, True]
    paged, after = [], ""
    while True:
        page = (await office.get(f"/v1/report-layouts?limit=1{after}")).json()
        paged += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert paged == listed
    sheet = next(one for one in listed if one["title"] == "村(社区)疫情防控日报表")
    answer = await office.get(f"/v1/report-layouts/{sheet['id']}/render", params={"day": "2020-02-03"})
    table = list(load_workbook(io.BytesIO(answer.content)).active.values)
    assert table[0][:4] == ("村(社区)", "日期", "户数", "排查户数")
    assert [row[1] for row in table[1:]] == ["2020年2月3日"] * 3


async def test_a_layout_takes_no_id_of_those_that_come_with_wangge(town: Town) -> None:
    office = await town.township()
    own = (await office.get("/v1/report-layouts")).json()["items"][0]
    taken = await office.post("/v1/report-layouts", json=layout("unit", UNITS, id=own["id"]))
    assert (taken.status_code, taken.json()["code"]) == (409, "id-reused")
    assert len((await office.get("/v1/report-layouts")).json()["items"]) == 2


@pytest.mark.parametrize("file", ["csv", "xlsx"])
async def test_nothing_in_a_sheet_is_a_formula_and_every_sheet_can_be_opened(town: Town, file: str) -> None:
    office = await town.township()
    addresses = ["\t=1+1", "\uff1d1+1", "\uffff甲", "一组"]
    for number, address in enumerate(addresses):
        await register(office, town, 0, register_no=f"000{number}", address=address)
    columns = [{"header": '=HYPERLINK("http://example.com")', "field": "address"}]
    id_ = await make(office, layout("household", columns, file=file))
    answer = await office.get(f"/v1/report-layouts/{id_}/render")
    assert answer.status_code == 200
    if file == "csv":
        told = [row[0] for row in csv.reader(io.StringIO(answer.text, newline=""))]
        unwritten = "\uffff甲"
    else:
        cells = list(load_workbook(io.BytesIO(answer.content)).active.iter_rows())
        assert {row[0].data_type for row in cells} == {"s"}
        told, unwritten = [row[0].value for row in cells], "甲"
    assert told == ['\'=HYPERLINK("http://example.com")', "'\t=1+1", "'\uff1d1+1", unwritten, "一组"]


async def test_a_townships_row_of_one_unit_is_that_units(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    people = [await town.account("village", [code]) for code in (town.units[0], *town.units[1:2] * 2)]
    for n, (unit, who) in enumerate(zip((0, 1, 1), people, strict=True)):
        starts = now + timedelta(hours=1 + 30 * n)
        await office.post("/v1/shifts", json=a_shift(town.units[unit], starts, who))
    fields = [{"header": name, "field": name} for name in ("units", "staff", "group_a")]
    id_, day = await make(office, layout("township", fields)), str((now + timedelta(days=4)).date())
    (one,), (other,) = [await rows(office, id_, day=day, code=code) for code in town.units[:2]]
    assert (one, other) == (
        {"units": "1", "staff": "1", "group_a": "1"},
        {"units": "1", "staff": "2", "group_a": "2"},
    )
    (whole,) = await rows(office, id_, day=day)
    assert (whole["units"], whole["group_a"]) == ("3", "3")


def fault(answer: Response) -> tuple[int, list[str]]:
    return answer.status_code, [error["code"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("group_by", "column", "code"),
    [
        ("unit", {"header": "x"}, "metric-or-field"),
        ("unit", {"header": "x", "field": "unit_name", "metric": "fevers"}, "metric-or-field"),
        ("unit", {"header": "x", "metric": "people_killed"}, "unknown-metric"),
        ("unit", {"header": "x", "field": "id_number"}, "unknown-field"),
        ("person", {"header": "x", "metric": "fevers"}, "no-metrics-here"),
        ("person", {"header": "x", "field": "name", "format": "full"}, "format-unsuited"),
        ("person", {"header": "x", "field": "phone", "format": "spaced"}, "format-unsuited"),
        ("person", {"header": "姓名", "field": "phone"}, "same-header"),
    ],
)
async def test_a_layout_that_cannot_be_filled_is_refused(
    town: Town, group_by: str, column: dict[str, Any], code: str
) -> None:
    office = await town.township()
    known = {"header": "姓名", "field": "name" if group_by == "person" else "unit_name"}
    body = layout(group_by, [known, column])
    assert fault(await office.post("/v1/report-layouts", json=body)) == (422, [code])
