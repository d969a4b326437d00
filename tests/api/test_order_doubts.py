"""What a fresh reader doubted of the orders, kept as tests: races with the clock, other scopes, late issues."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app.access import in_townships_name
from app.services.order_clock import run_orders
from tests.conftest import TestClock
from tests.freezing import DUE, MINUTE, begin
from tests.orders import answer, write
from tests.pushing import op, push
from tests.scene import tick
from tests.town import Town

MORNING = DUE - timedelta(hours=6)
TOMORROW = (MORNING + timedelta(days=1)).isoformat()


@pytest.fixture
async def office(town: Town, clock: TestClock) -> httpx.AsyncClient:
    await begin(town, clock, MORNING)
    return await town.township()


async def open_alerts(town: Town, unit: str) -> list[str]:
    """Return the kinds of a unit's open alerts."""
    query = {"status": "open", "unit_code": unit}
    items = (await (await town.township()).get("/v1/alerts", params=query)).json()["items"]
    return sorted(item["kind"] for item in items)


@pytest.mark.parametrize("reminded", [False, True])
async def test_an_answer_while_the_clock_looks_leaves_no_alert_open(
    reminded: bool, town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    order = await write(office, town, due_at=TOMORROW, requires="acknowledge")
    if reminded:
        clock.fixed = MORNING + 16 * MINUTE
        await tick(town)
    clock.fixed = MORNING + timedelta(hours=3)
    async with in_townships_name(town.kit, town.code) as work:
        await run_orders(work)
        answering = asyncio.create_task(answer(village, order, "acknowledge"))
        await asyncio.wait({answering}, timeout=0.5)
    assert (await answering).status_code == 201
    await tick(town)
    assert (await open_alerts(town, town.units[0]), await open_alerts(town, town.units[1])) == (
        [],
        ["order_unanswered"],
    )


async def test_due_before_silence_is_told_as_both(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    await write(office, town, due_at=(MORNING + 5 * MINUTE).isoformat())
    for minutes in (6, 40, 120):
        clock.fixed = MORNING + minutes * MINUTE
        await tick(town)
    assert await open_alerts(town, town.units[0]) == ["order_overdue", "order_unanswered"]


async def test_an_answer_sent_again_with_a_wider_scope_is_the_same_answer(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    village = await town.village()
    order = await write(office, town, due_at=TOMORROW)
    again = op("order.acknowledge", {}, MORNING, target=order["id"])
    assert (await answer(village, order, "acknowledge", id=again["op_id"])).status_code == 201
    await town.owner.execute(
        "UPDATE accounts SET codes = $2 WHERE id = $1",
        village.auth.account_id,
        [int(u) for u in town.units[:2]],
    )
    said = [(await push(village, MORNING, again))[0]["status"] for _ in range(2)]
    assert said == ["applied", "duplicate"]
    count = "SELECT count(*) FROM order_answers WHERE order_id = $1"
    assert await town.owner.fetchval(count, UUID(order["id"])) == 1


async def test_the_clinic_sees_no_draft(town: Town, office: httpx.AsyncClient) -> None:
    draft = await write(office, town, issue_at=DUE.isoformat(), due_at=TOMORROW)
    clinic = await town.clinic()
    assert (await clinic.get("/v1/orders")).json()["items"] == []
    assert (await clinic.get(f"/v1/orders/{draft['id']}")).status_code == 404


async def test_an_order_that_goes_out_late_leaves_as_long_to_do_it(
    town: Town, office: httpx.AsyncClient, clock: TestClock
) -> None:
    issue_at, due_at = MORNING + MINUTE, MORNING + timedelta(hours=1)
    draft = await write(office, town, issue_at=issue_at.isoformat(), due_at=due_at.isoformat())
    clock.fixed = MORNING + timedelta(hours=5)
    await tick(town)
    said = (await office.get(f"/v1/orders/{draft['id']}")).json()
    assert (said["status"], said["due_at"]) == ("issued", "2026-03-02T07:59:00Z")
    assert await open_alerts(town, town.units[0]) == []
