"""Pairing lists (结对台账): one row a household, by its number or its head; paired once."""

from typing import Any

import pytest

from app.services.imports import pairings
from tests.register import household
from tests.sheets import as_csv, fate, load
from tests.staffing import cadre_named
from tests.supplies import made
from tests.town import Town

HEADERS = ["村(社区)", "党员姓名", "户号", "户主姓名"]


async def home(town: Town, head: str, number: str | None = None, unit: int = 0) -> str:
    more: dict[str, Any] = {} if number is None else {"register_no": number}
    body = household(town, unit, head={"name": head}, **more)
    return str((await made(await town.township(), "/v1/households", body))["id"])


async def pairs(town: Town) -> set[tuple[str, str]]:
    found = (await (await town.township()).get("/v1/pairings?limit=200")).json()["items"]
    return {(p["staff_id"], home) for p in found if not p["ended"] for home in p["household_ids"]}


async def test_whoever_is_paired_stays_and_the_rest_is_added(town: Town) -> None:
    zhang, wang = await cadre_named(town, "张三"), await cadre_named(town, "王五", 1)
    one, two, three = (
        await home(town, "李一", "001"),
        await home(town, "李二"),
        await home(town, "李三", "001", 1),
    )
    rows = [
        HEADERS,
        ["试验村201", "张三", "001", ""],
        ["试验村201", "张三", "", "李二"],
        ["试验村202", "王五", "001", "别人"],
    ]
    expected = {(str(zhang), one), (str(zhang), two), (str(wang), three)}
    assert fate(await load(town, "pairings", as_csv(rows[:2]))) == (1, 0, 0, {})
    assert fate(await load(town, "pairings", as_csv(rows))) == (2, 0, 1, {})
    assert await pairs(town) == expected
    assert fate(await load(town, "pairings", as_csv(rows))) == (0, 0, 3, {})
    coverage = (await (await town.township()).get("/v1/pairings/coverage")).json()["totals"]
    assert (coverage["paired"], coverage["unpaired"]) == (3, 0)


async def test_bad_rows_come_back_alone(town: Town) -> None:
    await cadre_named(town, "张三")
    await cadre_named(town, "王五", 1)
    for number in ("001", "001", "002"):
        await home(town, "李一", number)
    rows = [
        HEADERS,
        ["试验村201", "张三", "001", ""],
        ["试验村201", "张三", "", "李一"],
        ["试验村201", "张三", "009", ""],
        ["试验村201", "王五", "002", ""],
        ["试验村201", "", "", ""],
        ["试验村201", "张三", "002", ""],
        ["试验村201", "张三", "002", "李一"],
    ]
    bad = {
        2: [("register_no", "household-namesake")],
        3: [("head", "household-namesake")],
        4: [("register_no", "household-unknown")],
        5: [("carer", "staff-unknown")],
        6: [("carer", "required"), ("register_no", "required")],
        8: [("register_no", "repeated-row")],
    }
    assert fate(await load(town, "pairings", as_csv(rows))) == (1, 0, 0, bad)
    assert len(await pairs(town)) == 1


async def test_whoever_looks_after_many_has_several_pairings(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairings, "MOST_HOMES", 2)
    await cadre_named(town, "张三")
    homes = {await home(town, f"李{n}", f"{n:03d}") for n in range(5)}
    rows = [HEADERS, *(["试验村201", "张三", f"{n:03d}", ""] for n in range(5))]
    assert fate(await load(town, "pairings", as_csv(rows))) == (5, 0, 0, {})
    assert {id_ for _, id_ in await pairs(town)} == homes
    assert len((await (await town.township()).get("/v1/pairings")).json()["items"]) == 3
