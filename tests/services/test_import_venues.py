"""The office's list of shops (商户台账): read, stored once, and left alone the next time."""

from app.core.ids import uuid7
from tests.publicity import a_venue
from tests.sheets import as_csv, fate, load
from tests.town import Town

HEADERS = ["序号", "商户名称", "所属村", "经营类别", "是否民生保供"]


async def listed(town: Town) -> list[tuple[str, str, str, bool]]:
    rows = await town.owner.fetch(
        "SELECT unit_code, name, kind, essential FROM venues WHERE township_code = $1 ORDER BY unit_code, name",
        town.code,
    )
    return [(str(row["unit_code"]), row["name"], row["kind"], row["essential"]) for row in rows]


async def test_shops_are_registered_once_and_bad_rows_come_back(town: Town) -> None:
    rows = [
        HEADERS,
        ["1", "平价超市", "试验村201", "超市", "是"],
        ["2", "春风茶馆", "试验村202", "茶馆", ""],
        ["3", "平价超市", "试验村202", "商铺", "否"],
        ["4", "平价超市", "试验村201", "商铺", "否"],
        ["5", "无", "试验村201", "商铺", "否"],
        ["6", "老街饭店", "别处村", "饭店", "也许"],
        ["7", "修车铺", "", "", "否"],
    ]
    bad = {
        5: [("name", "repeated-row")],
        6: [("name", "required")],
        7: [("unit", "unit-unknown"), ("essential", "word-unknown")],
        8: [("unit", "required")],
    }
    assert fate(await load(town, "venues", as_csv(rows))) == (3, 0, 0, bad)
    assert await listed(town) == [
        (town.units[0], "平价超市", "shop", True),
        (town.units[1], "平价超市", "shop", False),
        (town.units[1], "春风茶馆", "mahjong", False),
    ]
    assert fate(await load(town, "venues", as_csv(rows))) == (0, 0, 3, bad)
    filled = fate(await load(town, "venues", as_csv([HEADERS, rows[7]]), int(town.units[2])))
    assert filled == (1, 0, 0, {})
    assert (town.units[2], "修车铺", "other", False) in await listed(town)


async def test_a_venue_that_the_unit_has_registered_or_renamed_stays_as_it_is(town: Town) -> None:
    office, village = await town.township(), await town.village()
    body = a_venue(town.units[0], name="平价超市") | {"id": str(uuid7())}
    assert (await village.post("/v1/venues", json=body)).status_code == 201
    rows = [HEADERS, ["1", "平价超市", "试验村201", "超市", "是"], ["2", "药房", "试验村201", "药店", "是"]]
    assert fate(await load(town, "venues", as_csv(rows))) == (1, 0, 1, {})
    (pharmacy,) = [v for v in (await office.get("/v1/venues")).json()["items"] if v["name"] == "药房"]
    renamed = await office.patch(f"/v1/venues/{pharmacy['id']}", json={"name": "黄溪药房"})
    assert renamed.status_code == 200
    assert fate(await load(town, "venues", as_csv(rows))) == (0, 0, 2, {})
    names = {(name, essential) for _, name, _, essential in await listed(town)}
    assert names == {("平价超市", False), ("黄溪药房", True)}


async def test_only_the_township_imports_shops(town: Town) -> None:
    village, office = await town.village(), await town.township()
    data, headers = (
        as_csv([HEADERS, ["1", "平价超市", "试验村201", "超市", "是"]]),
        {"Content-Type": "text/csv"},
    )
    assert (await village.post("/v1/imports/venues", content=data, headers=headers)).status_code == 403
    answer = await office.post("/v1/imports/venues", content=data, headers=headers)
    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    template = await office.get("/v1/imports/venues/template")
    assert "商户名称" in template.content.decode("utf-8-sig")
