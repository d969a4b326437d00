"""The daily meeting: its page as JSON and on paper, its minutes, and the orders that its decisions become."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser import printed, screenshot, served
from tests.conftest import TestClock
from tests.gate import make_checkpoint, seen
from tests.register import check, line, register
from tests.scene import tick
from tests.town import Town

DAY = "2026-03-02"
SIX = datetime.fromisoformat("2026-03-02T18:00:00+08:00")
HOUR = timedelta(hours=1)


@pytest.fixture
async def day(town: Town, clock: TestClock) -> Town:
    """Yesterday one household was checked; today two, somebody was denied, one unit reported, an order waits."""
    office, village = await town.township(), await town.village()
    for hours, homes in ((-24, 1), (-3, 2)):
        clock.fixed = SIX + hours * HOUR
        for _ in range(homes):
            home = await register(village, town)
            await check(village, home["id"], clock.fixed.isoformat(), line(home["head"]["id"]))
    gate = await make_checkpoint(office, town.units[0])
    await office.post(
        f"/v1/checkpoints/{gate}/decisions", json=seen({}, occurred_at=clock.now().isoformat(), mask=False)
    )
    await village.post(f"/v1/units/{town.units[0]}/daily-reports/{DAY}/submit", json={})
    order = {
        "title": "排查<外来>车辆", "body": "各路口", "codes": [str(town.code)], "requires": "feedback",
        "due_at": (SIX + 24 * HOUR).isoformat(),
    }  # fmt: skip
    made = (await office.post("/v1/orders", json=order)).json()
    await village.post(f"/v1/orders/{made['id']}/acknowledge", json={})
    clock.fixed = SIX
    await tick(town)
    return town


async def test_the_page_says_what_the_meeting_needs(day: Town) -> None:
    said = (await (await day.township()).get(f"/v1/briefings/{DAY}")).json()
    assert (said["meeting_at"], said["totals"]["households_checked"]) == ("2026-03-02T10:00:00Z", 2)
    assert (said["yesterday"]["households_checked"], said["change"]["households_checked"]) == (1, 1)
    assert said["totals"]["denials_by_reason"]["no_mask"] == 1
    assert {k: said["reports"][k] for k in ("on_time", "late", "missing")} == {
        "on_time": 1,
        "late": 0,
        "missing": 2,
    }
    assert [unit["unit_code"] for unit in said["reports"]["missing_units"]] == day.units[1:]
    assert said["alerts_open"] == {"order_unanswered": 2}
    (order,) = said["orders_not_acknowledged"]
    assert [unit["unit_code"] for unit in order["silent_units"]] == day.units[1:]
    assert order["progress"]["acknowledged"] == 1
    assert [unit["rank"] for unit in said["ranking"]["units"]] == [1, 2, 2]
    assert said["minutes"] == []


async def test_each_role_gets_its_own_part(day: Town) -> None:
    village = (await (await day.village(1)).get(f"/v1/briefings/{DAY}")).json()
    assert (village["totals"]["households_checked"], len(village["orders_not_acknowledged"])) == (0, 1)
    assert [unit["unit_code"] for unit in village["ranking"]["units"]] == [day.units[1]]
    clinic = (await (await day.clinic()).get(f"/v1/briefings/{DAY}")).json()
    assert "households_checked" not in {k for k, n in clinic["totals"].items() if n is not None}
    assert "reports" not in clinic
    guard = await day.login("checkpoint", [day.units[0]], checkpoint_ids=[])
    gate = (await guard.get(f"/v1/briefings/{DAY}")).json()
    assert {k: n for k, n in gate["totals"].items() if isinstance(n, int)} == {"passes": 0, "denials": 1}
    assert "ranking" not in gate


async def test_decisions_become_orders_of_seven_oclock(day: Town, clock: TestClock) -> None:
    office, village = await day.township(), await day.village()
    decision = {
        "title": "关停麻将馆", "body": "今晚全部关停。", "codes": day.units[:2], "requires": "completion",
        "due_at": (SIX + 20 * HOUR).isoformat(),
    }  # fmt: skip
    body = {"id": "018f0000-0000-7000-8000-000000000003", "text": "会议决定……", "decisions": [decision]}
    first = await office.post(f"/v1/briefings/{DAY}/minutes", json=body)
    again = await office.post(f"/v1/briefings/{DAY}/minutes", json=body)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    (order_id,) = first.json()["order_ids"]
    draft = (await office.get(f"/v1/orders/{order_id}")).json()
    assert (draft["status"], draft["issue_at"]) == ("draft", "2026-03-02T11:00:00Z")
    clock.fixed = SIX + HOUR
    await tick(day)
    assert (await village.get(f"/v1/orders/{order_id}")).json()["title"] == "关停麻将馆"
    assert (await village.get(f"/v1/briefings/{DAY}")).json()["minutes"] == [first.json()]
    assert (await village.post(f"/v1/briefings/{DAY}/minutes", json=body)).status_code == 403
    assert (
        await office.post("/v1/briefings/2026-03-03/minutes", json=body | {"id": None})
    ).status_code == 404


async def test_minutes_with_a_bad_decision_leave_nothing(day: Town) -> None:
    office = await day.township()
    decision = {
        "title": "晚了", "body": "一", "codes": day.units[:1], "requires": "feedback", "due_at": SIX.isoformat()
    }  # fmt: skip
    refused = await office.post(f"/v1/briefings/{DAY}/minutes", json={"text": "一", "decisions": [decision]})
    assert refused.status_code == 422
    assert (await office.get(f"/v1/briefings/{DAY}")).json()["minutes"] == []
    assert (await office.get("/v1/orders?status=draft")).json()["items"] == []


async def test_the_page_shows_nothing_as_markup(day: Town) -> None:
    answer = await (await day.township()).get(f"/v1/briefings/{DAY}/page")
    assert answer.status_code == 200
    assert "排查&lt;外来&gt;车辆:未签收 2 个单元" in answer.text
    assert "<外来>" not in answer.text
    assert "<script" not in answer.text


async def test_the_page_in_a_real_browser(day: Town, tmp_path: Path) -> None:
    """Its bars are drawn, and it is printed on one sheet of A4."""
    answer = await (await day.township()).get(f"/v1/briefings/{DAY}/page")
    with served(answer.content, dict(answer.headers)) as address:
        picture = await screenshot(address, tmp_path, 794, 1123)
        pdf = await printed(address, tmp_path)
    reds: Any = picture.convert("RGB").getcolors(1 << 24)
    assert sum(n for n, colour in reds if colour == (192, 57, 43)) > 2000
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
