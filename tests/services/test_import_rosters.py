"""Duty rosters (值班表): planned once, merged cells and one row a person read alike, bad shifts back as a whole."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.services.imports.cells import time_of
from app.services.imports.faults import BadCell
from app.services.imports.rosters import _names
from tests.conftest import TestClock
from tests.sheets import as_csv, as_xlsx, fate, load
from tests.staffing import cadre_named
from tests.town import Town

ZONE = ZoneInfo("Asia/Shanghai")
HEADERS = ["日期", "村(社区)", "组别", "开始时间", "结束时间", "值班人员"]


async def planned(town: Town) -> list[tuple[str, str, str, str, list[str]]]:
    """Return the shifts as the office reads them: unit, day, group, hours, names."""
    found = (await (await town.township()).get("/v1/shifts?limit=200")).json()["items"]
    hours = [
        "-".join(
            datetime.fromisoformat(s[at]).astimezone(ZONE).strftime("%d %H:%M")
            for at in ("starts_at", "ends_at")
        )
        for s in found
    ]
    return [
        (s["unit_code"], s["day"], s["kind"] + s["group"], h, sorted(p["name"] for p in s["posts"]))
        for s, h in zip(found, hours, strict=True)
    ]


@pytest.fixture(autouse=True)
def _early(clock: TestClock) -> None:
    clock.fixed = datetime.fromisoformat("2020-02-01T08:00:00+08:00")


async def test_a_roster_is_planned_once(town: Town) -> None:
    for name in ("张三", "李四"):
        await cadre_named(town, name)
    await cadre_named(town, "王五", 1)
    village, other = "试验村201", "试验村202"
    rows: list[list[Any]] = [
        ["疫情防控值班表"],
        HEADERS,
        ["2020-2-3", village, "A", "22:00", "次日6:00", "张三、李四"],
        ["2020-2-4", "", "B组", "", "", ""],
        ["2020年2月3日", other, "A", "22点", "6时", "王五"],
        ["2020-2-5", f"{town.code}000", "B", "20:00", "24:00", ""],
    ]
    expected = [
        (town.units[0], "2020-02-03", "nightA", "03 22:00-04 06:00", ["张三", "李四"]),
        (town.units[1], "2020-02-03", "nightA", "03 22:00-04 06:00", ["王五"]),
        (town.units[0], "2020-02-04", "nightB", "04 22:00-05 06:00", []),
        (f"{town.code}000", "2020-02-05", "nightB", "05 20:00-06 00:00", []),
    ]
    assert fate(await load(town, "shifts", as_csv(rows))) == (4, 0, 0, {})
    assert await planned(town) == expected
    assert fate(await load(town, "shifts", as_csv(rows))) == (0, 0, 4, {})
    assert await planned(town) == expected


async def test_one_row_a_person_with_merged_cells(town: Town) -> None:
    for name in ("张三", "李四", "赵六"):
        await cadre_named(town, name)
    headers = [*HEADERS, "班次", "小组"]
    rows = [
        headers,
        ["2020-2-3", "试验村201", "A", time(22), time(6), "张三", "巡逻", "应急组"],
        ["", "", "", "", "", "李四", "", ""],
        ["2020-2-4", "", "B", "", "", "赵 六", "", ""],
    ]
    assert fate(await load(town, "shifts", as_xlsx(rows))) == (3, 0, 0, {})
    first, second = await planned(town)
    assert (first[2], first[4]) == ("patrolA", ["张三", "李四"])
    assert (second[2], second[4]) == ("nightB", ["赵六"]), (
        "another day's shift inherits neither kind nor team"
    )


async def test_a_shift_comes_back_whole_where_one_of_its_rows_is_bad(town: Town) -> None:
    for name in ("张三", "李四", "李四"):
        await cadre_named(town, name)
    away = await cadre_named(town, "周七")
    await town.owner.execute("UPDATE staff SET health = 'unfit' WHERE id = $1", away)
    await cadre_named(town, "外人", 1)
    night = ["试验村201", "A", "22:00", "6:00"]
    rows = [
        HEADERS,
        ["2020-2-3", *night, "张三"],
        ["2020-2-3", *night, "李四"],
        ["2020-2-4", *night, "外人"],
        ["2020-2-5", *night, "周七"],
        ["2020-2-6", *night, "张三"],
        ["2020-2-7", "试验村201", "C", "22", "6:00", "张三"],
        ["2020-2-6", "试验村201", "B", "23:00", "5:00", "张三"],
        ["2020-2-8", *night, "张三"],
        ["2020-2-8", *night, "#N/A"],
        ["0001-1-1", *night, "张三"],
        ["9999-12-31", *night, ""],
        ["2020-2-9", "5.1E+11", "A", "22:00", "6:00", "外人、另一外人"],
        ["2020-2-9", "#REF!", "A", "22:00", "6:00", ""],
        ["2020-2-9", "试验村201", "A", "22:00", "6:00", "外人、另一外人"],
    ]
    bad = {
        2: [("", "shift-rejected")],
        3: [("people", "staff-namesake")],
        4: [("people", "staff-unknown")],
        5: [("people", "staff-unfit")],
        7: [("starts", "time-format"), ("group", "word-unknown")],
        8: [("people", "shift-overlap")],
        9: [("", "shift-rejected")],
        10: [("people", "cell-error")],
        11: [("day", "out-of-range")],
        12: [("day", "out-of-range")],
        13: [("unit", "digits-lost")],
        14: [("unit", "cell-error")],
        15: [("people", "staff-unknown")],
    }
    assert fate(await load(town, "shifts", as_csv(rows))) == (1, 0, 0, bad)
    assert [(s[1], s[4]) for s in await planned(town)] == [("2020-02-06", ["张三"])]
    username = await town.owner.fetchval(
        "SELECT username FROM accounts WHERE id = (SELECT max(id::text)::uuid FROM staff WHERE name = '李四'"
        " AND township_code = $1)",
        town.code,
    )
    mended = [HEADERS, rows[1], ["2020-2-3", *night, username]]
    assert fate(await load(town, "shifts", as_csv(mended))) == (2, 0, 0, {})


async def test_what_was_changed_since_is_left_as_it_is(town: Town) -> None:
    await cadre_named(town, "张三")
    rows = [HEADERS, ["2020-2-3", "试验村201", "A", "22:00", "6:00", "张三"]]
    await load(town, "shifts", as_csv(rows))
    office = await town.township()
    (shift,) = (await office.get("/v1/shifts")).json()["items"]
    await office.patch(f"/v1/shifts/{shift['id']}", json={"staff_ids": [], "cancelled": True})
    assert fate(await load(town, "shifts", as_csv(rows))) == (0, 0, 1, {})
    (left,) = (await office.get("/v1/shifts")).json()["items"]
    assert (left["cancelled"], left["staff_ids"]) == (True, [])


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("张三、李四", ["张三", "李四"]),
        ("张三\uff0c李四\uff1b王五", ["张三", "李四", "王五"]),
        ("张三 李四\n王五", ["张三", "李四", "王五"]),
        ("张 三,李　四", ["张三", "李四"]),
        ("无", []),
        ("", []),
    ],
)
def test_names_in_a_cell(cell: str, names: list[str]) -> None:
    assert _names(cell) == names


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        ("22:00", time(22)),
        ("22:30", time(22, 30)),
        ("次日6:05", time(6, 5)),
        ("8点", time(8)),
        ("8时30分", time(8, 30)),
        ("22:00:00", time(22)),
        ("24:00", time(0)),
        ("", None),
    ],
)
def test_times_of_day(cell: str, hour: time | None) -> None:
    assert time_of(cell) == hour


@pytest.mark.parametrize("cell", ["24:01", "25:00", "8:60", "8", "早上", "0.916"])
def test_what_is_no_time_of_day(cell: str) -> None:
    with pytest.raises(BadCell, match="time-format"):
        time_of(cell)
