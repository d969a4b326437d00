"""Sheets into the register: who gets in, who comes back with which reason, and that a second time changes nothing."""

import asyncio

import pytest

from app.access import in_townships_name
from app.core.problems import NotFound
from app.services.imports import ground, importing
from app.services.sealing import unseal
from app.services.townships import UnitRow, put_units
from tests.register import id_number
from tests.sheets import FOLDER, as_csv, as_xlsx, counted, fate, load, sheet, snapshot
from tests.town import Town

HOUSEHOLDS = (FOLDER / "households.csv").read_bytes()


async def people_of(town: Town) -> list[tuple[str, str | None, str, str | None, int]]:
    """Name, relation, address, phone and unit of everybody, in the clear."""
    rows = await town.owner.fetch(
        "SELECT p.*, h.address FROM people p JOIN households h ON h.township_code = $1 AND h.id = p.household_id "
        "WHERE p.township_code = $1 ORDER BY p.unit_code, h.register_no, p.name",
        town.code,
    )
    async with in_townships_name(town.kit, town.code) as work:
        return [
            (
                row["name"],
                row["relation"],
                row["address"],
                unseal(work, "people.phone", row["id"], row["phone_sealed"]),
                row["unit_code"],
            )
            for row in rows
        ]


async def test_a_sheet_as_an_office_keeps_it(town: Town) -> None:
    done = await load(town, "households", HOUSEHOLDS)
    assert fate(done) == (
        4,
        0,
        0,
        {
            8: [("id_number", "id-check-digit")],
            9: [("", "head-rejected")],
            10: [("unit", "unit-unknown")],
            12: [("id_number", "digits-lost")],
        },
    )
    assert await people_of(town) == [
        ("张三", "户主", "一组1号", "13900000001", town.code * 1000 + 201),
        ("张小宝", "子", "一组1号", None, town.code * 1000 + 201),
        ("李四妹", "配偶", "一组1号", None, town.code * 1000 + 201),
        ("孙八", "户主", "二组1号", "0817-1234567", town.code * 1000 + 202),
    ]
    assert await counted(town, "people") == {201: 3, 202: 1}
    assert await counted(town, "households") == {201: 1, 202: 1}
    heads = await town.owner.fetch(
        "SELECT p.name, p.sex, p.birth_date::text AS born FROM households h JOIN people p ON p.id = h.head_id "
        "WHERE h.township_code = $1 ORDER BY h.register_no",
        town.code,
    )
    assert [tuple(head) for head in heads] == [
        ("张三", "male", "1962-03-05"),
        ("孙八", "female", "1955-09-09"),
    ]


async def test_the_same_file_again_changes_nothing(town: Town) -> None:
    first = await load(town, "households", HOUSEHOLDS)
    stored = await snapshot(town)
    again = await load(town, "households", HOUSEHOLDS)
    assert again.faults == first.faults
    assert (again.created, again.unchanged) == (0, first.created)
    assert first.created > 0
    assert await snapshot(town) == stored


async def test_a_household_that_grew_gets_its_new_members(town: Town) -> None:
    head, wife, child = id_number(), id_number(female=True), id_number("20190506")
    await load(town, "households", sheet(town, ("7", "张三", "户主", head)))
    (before,) = await town.owner.fetch("SELECT id, rev FROM households WHERE township_code = $1", town.code)
    grown = sheet(
        town, ("7", "张三", "户主", head), ("7", "李四", "配偶", wife), ("7", "张小宝", "子", child)
    )
    assert fate(await load(town, "households", grown)) == (2, 0, 1, {})
    alone = sheet(town, ("7", "张老", "父", ""))  # a sheet of the newcomers only
    assert fate(await load(town, "households", alone)) == (1, 0, 0, {})
    (after,) = await town.owner.fetch("SELECT id, rev FROM households WHERE township_code = $1", town.code)
    assert after["id"] == before["id"]
    assert [person[0] for person in await people_of(town)] == ["张三", "张小宝", "张老", "李四"]
    assert await counted(town, "people") == {201: 4}


async def test_a_household_of_the_api_is_found_by_its_number(town: Town) -> None:
    client = await town.village()
    number = id_number()
    made = await client.post(
        "/v1/households",
        json={
            "unit_code": town.units[0],
            "address": "一组1号",
            "register_no": "7",
            "head": {"name": "张三", "id_number": number},
            "members": [{"name": "李四"}],
        },
    )
    done = await load(
        town, "households", sheet(town, ("7", "张三", "户主", number), ("7", "李四", "妻", ""), ("7", "王五", "子", ""))
    )  # fmt: skip
    assert fate(done) == (1, 0, 2, {})
    shown = (await client.get(f"/v1/households/{made.json()['id']}")).json()
    assert [member["name"] for member in shown["members"]] == ["李四", "王五"]


async def test_a_person_registered_elsewhere_comes_back_and_the_rest_load(town: Town) -> None:
    here, there = id_number(), id_number()
    await load(town, "households", sheet(town, ("1", "张三", "户主", there), unit="试验村202"))
    done = await load(
        town, "households", sheet(town, ("1", "李四", "户主", here), ("1", "张三", "弟", there))
    )
    assert fate(done) == (1, 0, 0, {3: [("id_number", "registered-elsewhere")]})
    done = await load(town, "households", sheet(town, ("2", "张三", "户主", there), ("2", "王五", "妻", "")))
    assert fate(done) == (0, 0, 0, {2: [("id_number", "registered-elsewhere")], 3: [("", "head-rejected")]})


async def test_rows_that_repeat_rows_come_back(town: Town) -> None:
    number = id_number()
    done = await load(
        town,
        "households",
        sheet(
            town,
            ("1", "张三", "户主", number),
            ("1", "张三", "户主", number),
            ("1", "李四", "妻", ""),
            ("1", "李四", "妻", ""),
            ("1", "李四", "姐", ""),
            ("2", "张三", "", number),
        ),
    )
    assert fate(done) == (
        3,
        0,
        0,
        {
            3: [("relation", "head-taken")],
            5: [("", "repeated-row")],
            7: [("id_number", "repeated-row")],
        },
    )


async def test_who_is_the_head(town: Town) -> None:
    done = await load(
        town,
        "households",
        sheet(
            town,
            ("1", "甲一", "妻", ""),
            ("1", "甲二", "本人", ""),
            ("2", "乙一", "", ""),  # where nobody's relation is given, the first is the head
            ("2", "乙二", "", ""),
            ("3", "丙一", "妻", ""),
            ("3", "丙二", "子", ""),
            ("4", "丁一", "户主", ""),
            ("4", "丁二", "户主", ""),
            ("5", "", "", ""),
            ("5", "戊二", "", ""),
        ),
    )
    assert fate(done)[3] == {
        6: [("", "head-missing")],
        7: [("", "head-missing")],
        9: [("relation", "head-taken")],
        10: [("name", "required")],
        11: [("", "head-rejected")],
    }
    heads = await town.owner.fetch(
        "SELECT p.name FROM households h JOIN people p ON p.id = h.head_id WHERE h.township_code = $1 ORDER BY 1",
        town.code,
    )
    assert [head["name"] for head in heads] == ["丁一", "乙一", "甲二"]
    done = await load(town, "households", sheet(town, ("1", "甲三", "户主", ""), ("1", "甲四", "", "")))
    assert fate(done) == (1, 0, 0, {2: [("relation", "head-taken")]})


async def test_a_number_for_somebody_registered_without_one_is_not_a_second_person(town: Town) -> None:
    await load(town, "households", sheet(town, ("1", "张三", "户主", "")))
    done = await load(town, "households", sheet(town, ("1", "张三", "户主", id_number())))
    assert fate(done) == (0, 0, 0, {2: [("id_number", "number-not-registered")]})


async def test_what_contradicts_the_number_or_the_calendar_comes_back(town: Town) -> None:
    header = ["户号", "单位", "住址", "姓名", "身份证号", "性别", "出生日期", "电话"]
    rows = [
        ["1", "试验村201", "1号", "甲", id_number("19850412"), "女", "1985.4.12", "1234"],
        ["2", "试验村201", "1号", "乙", id_number("19850412"), "男", "1985年4月12日", ""],
        ["3", "试验村201", "1号", "丙", "", "不男", "2999-1-1", "1"],
        ["4", "试验村201", "", "丁", "", "", "2190-1-1", ""],
        ["5", "试验村201", "", "戊", "", "", "", ""],
        ["6", "试验村201", "x" * 201, "己" * 101, "", "", "", ""],
    ]
    done = await load(town, "households", as_xlsx([header, *rows]))
    assert fate(done) == (
        1,
        0,
        0,
        {
            2: [("sex", "contradicts-id-number")],
            4: [("sex", "word-unknown")],
            5: [("birth_date", "out-of-range")],
            6: [("address", "required")],
            7: [("address", "too-long")],
        },
    )


async def test_rows_without_a_unit_take_the_one_above_or_the_default(town: Town) -> None:
    rows = [
        ["", "", "1号", "零", "户主"],
        ["1", "试验村202", "1号", "甲", "户主"],
        ["2", "", "2号", "乙", "户主"],
    ]
    header = ["户号", "村", "住址", "姓名", "与户主关系"]
    done = await load(
        town, "households", as_csv([header, ["9", *rows[0][1:]], *rows[1:]]), int(town.units[2])
    )
    assert fate(done) == (3, 0, 0, {})
    assert await counted(town, "people") == {202: 2, 203: 1}
    without = as_csv([["户号", "住址", "姓名"], ["5", "1号", "丙"]])
    assert fate(await load(town, "households", without, int(town.units[1]))) == (1, 0, 0, {})
    with pytest.raises(NotFound):
        await load(town, "households", without, 511303106243)


async def test_a_household_of_more_than_a_hundred(town: Town) -> None:
    people = [("集体1", f"员工{n}", "户主" if n == 0 else "其他", "") for n in range(230)]
    data = sheet(town, *people)
    assert fate(await load(town, "households", data)) == (230, 0, 0, {})
    assert fate(await load(town, "households", data)) == (0, 0, 230, {})
    assert await counted(town, "people") == {201: 230}


async def test_two_imports_of_one_file_at_once_load_it_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    people = [
        (f"{n // 3}", f"人{n}", "户主" if n % 3 == 0 else "子", id_number() if n % 2 else "")
        for n in range(60)
    ]
    data = sheet(town, *people)
    results = await asyncio.gather(*(load(town, "households", data) for _ in range(4)))
    assert [done.faults for done in results] == [{}] * 4
    assert sum(done.created for done in results) == 60
    assert sum(done.unchanged for done in results) == 180
    assert await counted(town, "people") == {201: 60}
    assert await counted(town, "households") == {201: 20}


async def test_a_household_that_moved_is_still_known(town: Town) -> None:
    data = sheet(town, ("1", "张三", "户主", ""))
    await load(town, "households", data)
    office = await town.township()
    (row,) = await town.owner.fetch("SELECT id FROM households WHERE township_code = $1", town.code)
    moved = await office.patch(
        f"/v1/households/{row['id']}", json={"base_rev": 1, "unit_code": town.units[2]}
    )
    assert moved.status_code == 200, moved.text
    assert fate(await load(town, "households", data)) == (0, 0, 1, {})


async def test_what_changed_since_the_import_is_not_overwritten(town: Town) -> None:
    number = id_number()
    data = sheet(town, ("1", "张三", "户主", number))
    await load(town, "households", data)
    office = await town.township()
    (row,) = await town.owner.fetch("SELECT id FROM people WHERE township_code = $1", town.code)
    edit = {"base_rev": 1, "id_number": id_number(), "phone": "13911111111"}
    assert (await office.patch(f"/v1/people/{row['id']}", json=edit)).status_code == 200
    stored = await people_of(town)
    done = await load(town, "households", data)
    assert fate(done) == (0, 0, 0, {2: [("relation", "head-taken")]})
    assert await people_of(town) == stored


async def test_one_name_of_two_units_is_not_guessed(town: Town) -> None:
    async with in_townships_name(town.kit, town.code) as work:
        await put_units(
            work,
            [
                UnitRow(int(town.units[0]), "新桥村村民委员会", "village"),
                UnitRow(int(town.units[1]), "新桥社区居民委员会", "community"),
            ],
        )
    done = await load(town, "households", sheet(town, ("1", "张三", "户主", ""), unit="新桥"))
    assert fate(done)[3] == {2: [("unit", "unit-ambiguous")]}


def test_ids_of_imported_rows_never_change() -> None:
    """What was imported with one version must be known to the next."""
    assert str(ground.NAMESPACE) == "6d1f4c52-0b53-5d0e-9a57-1d2f4f1c7e11"
