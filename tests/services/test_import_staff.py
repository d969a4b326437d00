"""Sheets of staff and of units."""

from tests.sheets import FOLDER, as_csv, as_xlsx, fate, load, snapshot
from tests.town import Town

STAFF = (FOLDER / "staff.csv").read_text("utf-8")


def staff_sheet(town: Town) -> bytes:
    """The staff under user names of their own: no two townships share one."""
    text = STAFF
    for name in ("chen", "zhou", "feng"):
        text = text.replace(f";{name};", f";{name}{town.code};")
    return text.encode()


async def test_the_same_staff_again_change_nothing(town: Town) -> None:
    first = await load(town, "staff", staff_sheet(town))
    stored = await snapshot(town)
    again = await load(town, "staff", staff_sheet(town))
    assert again.faults == first.faults
    assert (again.created, again.unchanged) == (0, first.created)
    assert first.created > 0
    assert await snapshot(town) == stored


async def test_staff(town: Town) -> None:
    assert fate(await load(town, "staff", staff_sheet(town))) == (
        5,
        0,
        0,
        {
            7: [("role", "word-unknown")],
            8: [("unit", "unit-unknown")],
            9: [("role", "required")],
        },
    )
    office = await town.township()
    staff = {s["name"]: s for s in (await office.get("/v1/staff")).json()["items"]}
    one, two, three = town.units
    shown = {
        name: (s["username"], s["role"], s["codes"], s["phone"], s["team"], s["position"], s["health"])
        for name, s in staff.items()
        if name != "王township"
    }
    town_code = str(town.code)
    assert shown == {
        "陈镇长": (f"chen{town.code}", "township", [town_code], "13800000001", None, None, "fit"),
        "周书记": (f"zhou{town.code}", "village", [one, two], "13800000002", "household", "leader", "fit"),
        "吴干部": (f"{one}-1", "village", [one], "13800000003", "emergency", "village_cadre", "fit"),
        "郑干部": (f"{one}-2", "village", [one], None, "checkpoint", "village_cadre", "unfit"),
        "冯医生": (f"feng{town.code}", "clinic", [town_code], "13800000005", None, None, "fit"),
    }
    assert three not in str(shown)


STAFF_HEADER = ["姓名", "用户名", "电话", "单位", "卡点"]


async def test_staff_of_a_checkpoint_are_found_by_its_number_or_name(town: Town) -> None:
    office = await town.township()
    body = {"unit_code": town.units[1], "name": "村口卡点", "kind": "village", "number": 7}
    gate = (await office.post("/v1/checkpoints", json=body)).json()["id"]
    names = [f"{name}{town.code}" for name in "abc"]
    rows = [
        ["甲", names[0], "", "", "7"],
        ["乙", names[1], "", "", "村口卡点"],
        ["丙", names[2], "", "", "8"],
    ]
    done = await load(town, "staff", as_csv([STAFF_HEADER, *rows]))
    assert fate(done) == (2, 0, 0, {4: [("checkpoint", "checkpoint-unknown")]})
    found = (await office.get("/v1/staff?role=checkpoint")).json()["items"]
    assert [(s["name"], s["checkpoint_ids"]) for s in sorted(found, key=lambda s: s["username"])] == [
        ("甲", [gate]),
        ("乙", [gate]),
    ]


async def test_namesakes_on_the_staff_need_user_names(town: Town, other_town: Town) -> None:
    unit, taken = "试验村201", f"lisi{town.code}"
    first = as_csv(
        [
            STAFF_HEADER,
            ["张三", "", "13800000001", unit],
            ["李四", taken, "", unit],
            ["张三", "", "", "试验村202"],
        ]
    )
    assert fate(await load(town, "staff", first)) == (3, 0, 0, {})
    second = [
        ["张三", "", "", unit],  # the same person, without the phone
        ["张三", "", "13899999999", "试验村202"],  # the phone is new: still the one of that name there
        ["张三", "", "13877777777", unit],  # another phone than the registered one
        ["王五", taken, "", unit],  # somebody else's user name
    ]
    assert fate(await load(town, "staff", as_csv([STAFF_HEADER, *second]))) == (
        0,
        0,
        2,
        {4: [("username", "staff-namesake")], 5: [("username", "username-taken")]},
    )
    third = as_csv([STAFF_HEADER, ["张三", "", "13877777777", unit], ["赵六", "", "", unit]])
    assert fate(await load(town, "staff", third)) == (1, 0, 0, {2: [("username", "staff-namesake")]})
    elsewhere = as_csv([STAFF_HEADER, ["李四", taken, "", unit]])
    assert fate(await load(other_town, "staff", elsewhere)) == (
        0,
        0,
        0,
        {2: [("username", "username-taken")]},
    )


async def test_units(town: Town) -> None:
    new, renamed, known = (f"{town.code}{n}" for n in (301, 202, 203))
    rows = [
        ["代码", "村名"],
        [int(new), "新桥社区居民委员会"],
        [renamed, "新名村"],
        [f" {known}", "试验村203"],
        [known, "试验村203"],
        ["511303106243", "黄溪村"],
        [f"{town.code}000", "全镇"],
        ["5.11303E+11", "x"],
        [f"{town.code}302", ""],
    ]
    done = await load(town, "units", as_xlsx(rows))
    assert fate(done) == (
        1,
        1,
        1,
        {
            5: [("unit_code", "repeated-row")],
            6: [("unit_code", "unit-outside")],
            7: [("unit_code", "unit-outside")],
            8: [("unit_code", "digits-lost")],
            9: [("name", "required")],
        },
    )
    stored = await town.owner.fetch(
        "SELECT unit_code, name, kind FROM units WHERE township_code = $1 ORDER BY 1", town.code
    )
    assert [tuple(unit) for unit in stored] == [
        (int(town.units[0]), "试验村201", "village"),
        (int(renamed), "新名村", "village"),
        (int(known), "试验村203", "village"),
        (int(new), "新桥社区居民委员会", "community"),
    ]
    assert fate(await load(town, "units", as_xlsx(rows)))[:3] == (0, 0, 3)
