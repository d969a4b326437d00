"""The source as a script: each of its numbers is entered through the API for 东观镇, and comes back out of one report.

Source: 680名镇村干部、派出所民警; 58个作战单元; AB组; 58个作战单元分别下拨专项经费, 1支温度计、1桶消毒水、1瓶酒精;
29000余份, 标语420条, 每村标语不少于6条、宣传单不少于500份; 8名城管队员和25名社区干部; 3支党员突击小分队;
群众举报10余起, 销毁麻将机20余台, 制止筹备酒席1起.
"""

import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from openpyxl import load_workbook

from app.access import in_nobodys_name, in_townships_name
from app.cli.demo.places import NAME, TOWNSHIP, ZONE, units_of_township
from app.services.townships import UnitRow, create_township, put_units
from tests.conftest import TestClock
from tests.counting import assert_recounted
from tests.outcomes import a_tip, an_incident
from tests.publicity import a_publicity_log, make_material
from tests.pushing import op, push
from tests.supplies import a_fund, a_move, made, stocked
from tests.town import Town

EVENING = datetime.fromisoformat("2020-02-04T20:00:00+08:00")
UNITS = [str(unit.code) for unit in units_of_township()]
STAFF = 680


@pytest.fixture
async def dongguan(app: FastAPI, owner: asyncpg.Pool, clock: TestClock) -> AsyncIterator[Town]:
    """The real township, as an operator makes it."""
    clock.fixed = EVENING
    town = Town(app, owner, TOWNSHIP)
    async with in_nobodys_name(town.kit) as work:
        await create_township(work, TOWNSHIP, NAME, ZONE)
    async with in_townships_name(town.kit, TOWNSHIP) as work:
        await put_units(work, [UnitRow(unit.code, unit.name, unit.kind) for unit in units_of_township()])
    yield town
    for client in town.clients:
        await client.aclose()


async def enter_staff(office: AsyncClient) -> dict[str, list[str]]:
    """Enter all but the office's own login: two town cadres a unit, five village cadres or more, police and office."""
    bodies = [(code, "village_cadre", "village") for code in UNITS for _ in range(5)]
    bodies += [(code, "town_cadre", "village") for code in UNITS for _ in range(2)]
    bodies += [(UNITS[n % 58], None, "village") for n in range(STAFF - 1 - 40 - len(bodies))]
    bodies += [("", None, "township") for _ in range(40)]
    of_unit: dict[str, list[str]] = {code: [] for code in [*UNITS, ""]}
    for number, (code, position, role) in enumerate(bodies):
        body: dict[str, Any] = {"username": f"dg-{number}", "name": f"干部{number}", "role": role}
        body |= {"codes": [code]} if code else {}
        entered = await made(office, "/v1/staff", body | ({"position": position} if position else {}))
        of_unit[code].append(entered["id"])
    return of_unit


async def equip(office: AsyncClient) -> list[str]:
    """Give every unit its kit and its money; return the items."""
    items = [await stocked(office, EVENING, {}) for _ in range(3)]
    for item in items:
        await made(office, "/v1/supply-moves", a_move(item, "receive", 58, EVENING))
    ops = [
        op("supply.move", a_move(item, "issue", 1, EVENING, code), EVENING)
        for item in items
        for code in UNITS
    ]
    ops += [op("fund.record", a_fund(code, "grant", "2000.00", EVENING), EVENING) for code in UNITS]
    assert {result["status"] for result in await push(office, EVENING, *ops)} == {"applied"}
    return items


async def work_of(cadre: AsyncClient, number: int, items: list[str], leaflet: str, slogan: str) -> None:
    """Let a unit's phone send what its cadre did, and send it twice."""
    code = UNITS[number]
    ops = [op("supply.move", a_move(item, "confirm", 1, EVENING, code), EVENING) for item in items]
    slogans = 7 + (number < 14)
    for material, count in ((leaflet, 501), (slogan, slogans)):
        ops.append(op("publicity.log", a_publicity_log(code, material, EVENING, count), EVENING))
    if number < 12:
        ops.append(op("tip.record", a_tip(code), EVENING))
    if number < 8:
        ops.append(op("incident.record", an_incident(code, EVENING, count=3, publish=True), EVENING))
    if number == 8:
        banquet = {"kind": "banquet", "action": "stopped", "count": 1, "note": "制止筹备酒席"}
        ops.append(op("incident.record", an_incident(code, EVENING, **banquet), EVENING))
    assert {result["status"] for result in await push(cadre, EVENING, *ops)} == {"applied"}
    assert {result["status"] for result in await push(cadre, EVENING, *ops)} == {"duplicate"}


async def groups(office: AsyncClient) -> dict[str, int]:
    """Return how many people each group has, by the shifts that the API shows."""
    people: dict[str, set[str]] = {"A": set(), "B": set()}
    after = ""
    while True:
        page = (await office.get(f"/v1/shifts?limit=500{after}")).json()
        for shift in page["items"]:
            people[shift["group"]] |= set(shift["staff_ids"])
        if page["next"] is None:
            return {group: len(ids) for group, ids in people.items()}
        after = f"&after={page['next']}"


async def test_every_number_of_the_source_comes_back_out_of_one_report(dongguan: Town) -> None:
    office = await dongguan.township()
    staff = await enter_staff(office)
    nights = {
        "code": str(TOWNSHIP),
        "from": "2020-01-30",
        "to": "2020-02-04",
        "night": {"starts": "22:00", "ends": "06:00"},
    }
    assert (await office.post("/v1/shifts/generate", json=nights)).json() == {
        "created": 59 * 6,
        "existing": 0,
        "vacant": 0,
    }
    communities = [id_ for code in UNITS[:5] for id_ in staff[code]]
    for name, kind, members in (
        *((f"党员突击{n}小分队", "strike", staff[""][:5]) for n in "一二三"),
        ("城管队员", "patrol", staff[""][:8]),
        ("社区干部", "patrol", communities[:25]),
    ):
        await made(office, "/v1/squads", {"name": name, "kind": kind, "staff_ids": members})
    items = await equip(office)
    leaflet, slogan = await make_material(office), await make_material(office, "slogan")
    for number, code in enumerate(UNITS):
        cadre = await dongguan.client_of(UUID(staff[code][0]))
        await work_of(cadre, number, items, leaflet, slogan)
    await assert_recounted(dongguan)

    layouts = (await office.get("/v1/report-layouts")).json()["items"]
    (sheet,) = [layout for layout in layouts if layout["title"] == "疫情防控阻击战情况"]
    answer = await office.get(f"/v1/report-layouts/{sheet['id']}/render")
    heads, row = load_workbook(io.BytesIO(answer.content)).active.values
    told = dict(zip(heads, row, strict=True))
    of_group = await groups(office)
    assert min(of_group.values()) > 300
    assert told == {
        "乡镇": "东观镇",
        "截至": "2020年2月4日",
        "作战单元": 58,
        "投入干部民警": 680,
        "A组": of_group["A"],
        "B组": of_group["B"],
        "党员突击小分队": 3,
        "流动巡逻人员": "8+25",
        "宣传单": 29_058,
        "宣传单(各单元最少)": 501,
        "标语": 420,
        "标语(各单元最少)": 7,
        "物资签收次数": 174,
        "物资签收次数(各单元最少)": 3,
        "专项经费笔数": 58,
        "群众举报": 12,
        "销毁麻将机": 24,
        "制止酒席": 1,
        "巡逻": 0,
        "巡查商户": 0,
    }
    bulletins = (await (await dongguan.client_of(UUID(staff[UNITS[57]][0]))).get("/v1/bulletins")).json()
    assert len(bulletins["items"]) == 8
