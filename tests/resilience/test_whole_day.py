"""The command cycle of one day, by the clock, over HTTP: 58 units, two servers, one of them started anew in between."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.access import in_nobodys_name, in_townships_name
from app.core.keys import KeyRing
from app.core.kit import make_kit
from app.core.migrations import migrate
from app.core.settings import Settings
from app.services.recount import compare
from app.services.townships import UnitRow, create_township, put_units
from tests.conftest import TestClock, _execute, _with_database
from tests.freezing import recomputed
from tests.register import line
from tests.resilience.whole_day import Day, Server, Unit, at, client_of, feed_of, new_id
from tests.town import Town

CODE, UNITS = 511303106, 58
DAY = "2026-03-02"
LATE, MISSING = {3, 30, 57}, {11, 12}


@pytest.fixture
async def day(server_url: str, tmp_path: Path, clock: TestClock) -> AsyncIterator[Day]:
    """A township that exists since that morning, with a listener in every unit."""
    name = f"wangge_day_{uuid.uuid4().hex[:12]}"
    await _execute(server_url, f"CREATE DATABASE {name}")
    url = _with_database(server_url, name)
    await asyncio.to_thread(migrate, url)
    KeyRing.create(tmp_path / "keys.json", 0)
    settings = Settings(database_url=url, data=tmp_path, clock_seconds=0.1, pool_size=8)
    clock.fixed = at("08:00:00")
    kit = make_kit(settings, clock)
    owner = await asyncpg.create_pool(url, min_size=1, max_size=2)
    town = Town(_Holder(kit), owner, CODE)  # type: ignore[arg-type]
    async with in_nobodys_name(kit) as work:
        await create_township(work, CODE, "东观镇", "Asia/Shanghai")
    codes = [f"{CODE}{201 + n}" for n in range(UNITS)]
    async with in_townships_name(kit, CODE) as work:
        await put_units(work, [UnitRow(int(code), f"{code[-3:]}村", "village") for code in codes])
    units = [Unit(code, n, await client_of(town, "village", [code])) for n, code in enumerate(codes)]
    made = Day(
        town,
        clock,
        [Server(settings, clock) for _ in range(2)],
        units,
        await client_of(town, "township", [str(CODE)]),
    )
    listening = [asyncio.create_task(unit.listen(made.url)) for unit in units]
    for unit in units:
        await asyncio.wait_for(unit.ready.wait(), 60)
    yield made
    for task in listening:
        task.cancel()
    await asyncio.wait(listening)
    for client in (made.office, *(unit.client for unit in units)):
        await client.aclose()
    for server in made.servers:
        await asyncio.to_thread(server.stop)
    await kit.database.close()
    await owner.close()
    await _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


class _Holder:
    """What `Town` needs of an application."""

    def __init__(self, kit: object) -> None:
        self.state = type("State", (), {"kit": kit})()


async def test_reports_at_four_meeting_at_six_orders_at_seven(day: Day) -> None:
    clock, office = day.clock, day.office

    async def visit(unit: Unit) -> None:
        family = {"id": new_id(), "unit_code": unit.code, "address": "一组1号", "head": {"name": "李四"}}
        home = await day.post(unit, "/v1/households", family)
        check = {
            "id": new_id(), "household_id": home["id"], "occurred_at": clock.now().isoformat(),
            "register_seen": True, "members": [line(home["head"]["id"])],
        }  # fmt: skip
        await day.post(unit, "/v1/household-checks", check)

    async def report(unit: Unit) -> None:
        await day.post(unit, f"/v1/units/{unit.code}/daily-reports/{DAY}/submit", {"id": new_id()})

    # The morning's work, then the reports: three late, two missing.
    clock.fixed = at("09:00:00")
    await day.each(visit)
    clock.fixed = at("15:59:59.9")
    await day.each(lambda unit: _nothing() if unit.number in LATE | MISSING else report(unit))
    assert (await day.get("/v1/reports/daily", day=DAY, revision=1)).status_code == 404
    clock.fixed = at("16:00:00")
    first = await day.until("/v1/reports/daily", lambda a: a.status_code == 200, day=DAY, revision=1)
    assert first["reports"] == {"on_time": 53, "late": 0, "missing": 5}
    assert first["totals"]["households_checked"] == UNITS == first["completeness"]["units_reported"]
    clock.fixed = at("16:30:00")
    await day.each(lambda unit: report(unit) if unit.number in LATE else _nothing())

    # One server goes and comes back while the others' work goes on.
    await asyncio.to_thread(day.servers[0].stop)
    clock.fixed = at("17:00:00")
    await day.each(lambda unit: visit(unit) if unit.number < 10 else _nothing())
    await asyncio.to_thread(day.servers[0].start)

    # The meeting, and its decision, which goes out at seven.
    clock.fixed = at("18:00:00")
    page = (await day.get(f"/v1/briefings/{DAY}")).json()
    assert {k: page["reports"][k] for k in ("on_time", "late", "missing")} == {
        "on_time": 53,
        "late": 3,
        "missing": 2,
    }
    assert page["totals"]["households_checked"] == UNITS + 10
    decision = {
        "title": "排查外来车辆", "body": "各路口完成排查。", "codes": [str(CODE)], "requires": "acknowledge",
        "due_at": at("23:00:00").isoformat(),
    }  # fmt: skip
    minutes = await office.post(
        day.url(1) + f"/v1/briefings/{DAY}/minutes", json={"text": "会议纪要", "decisions": [decision]}
    )
    assert minutes.status_code == 201, minutes.text
    (order_id,) = minutes.json()["order_ids"]
    clock.fixed = at("19:00:00")
    order = await day.until(f"/v1/orders/{order_id}", lambda a: a.json()["status"] == "issued")
    assert (len(order["units"]), order["issued_at"]) == (UNITS, "2026-03-02T11:00:00Z")

    # 58 units answer in step: the unit of number n after n minutes; the last two never.
    for number in range(UNITS - 2):
        clock.fixed = at("19:00:00") + timedelta(minutes=number)
        await day.post(day.units[number], f"/v1/orders/{order_id}/acknowledge", {"id": new_id()})
    clock.fixed = at("23:59:59")
    answered = (await day.get(f"/v1/orders/{order_id}")).json()
    assert [unit["minutes"] for unit in answered["units"]] == [*range(UNITS - 2), None, None]
    assert answered["progress"]["fulfilled"] == UNITS - 2
    silent = await day.until(
        "/v1/alerts", lambda a: len(a.json()["items"]) == 2, kind="order_overdue", status="open"
    )
    assert {alert["unit_code"] for alert in silent["items"]} == {unit.code for unit in day.units[-2:]}

    # Midnight freezes the day and its ranking.
    clock.fixed = at("00:00:00") + timedelta(days=1)
    final = await day.until("/v1/reports/daily", lambda a: a.status_code == 200, day=DAY, revision=2)
    assert final["totals"]["households_checked"] == UNITS + 10
    assert final["reports"] == {"on_time": 53, "late": 3, "missing": 2}
    assert await day.until("/v1/reports/daily", lambda a: a.status_code == 200, day=DAY, revision=1) == first
    ranking = await day.until("/v1/rankings", lambda a: a.json()["final"], day=DAY)
    places = {unit["unit_code"]: unit["rank"] for unit in ranking["units"]}
    assert [places[unit.code] for unit in day.units[:3]] == [1, 1, 1]
    assert [places[day.units[number].code] for number in (57, *sorted(MISSING))] == [58, 56, 57]

    # Everybody heard what was theirs, once; and the numbers are what the records say.
    feed = await feed_of(day.town.owner, CODE)
    async with asyncio.timeout(60):
        while any(len(u.heard) < len(feed[f"{u.code}/unit"]) for u in day.units):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    for unit in day.units:
        scope = f"{unit.code}/unit"
        assert Counter(unit.heard) == Counter((scope, seq) for seq in feed[scope]), unit.number
    assert sum(unit.breaks for unit in day.units) >= UNITS // 2
    async with in_townships_name(day.town.kit, CODE) as work:
        assert await compare(work) == []
    for revision in (1, 2):
        assert all(stored == again for stored, again in (await recomputed(day.town, revision)).values())


async def _nothing() -> None:
    """Do nothing."""
