"""Units' daily reports: prefilled, on time or late, corrected, by route and by phone; and the days as they froze."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import TestClock
from tests.pushing import op, push
from tests.register import check, line, register
from tests.town import Town

DAY = "2026-03-02"
DUE = datetime.fromisoformat("2026-03-02T16:00:00+08:00")


async def submit(client: httpx.AsyncClient, unit: str, day: str = DAY, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/units/{unit}/daily-reports/{day}/submit", json=body)


async def statuses(town: Town, day: str = DAY) -> dict[str, Any]:
    answer = await (await town.township()).get("/v1/daily-reports", params={"day": day})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    return {
        "units": {item["unit_code"]: item["status"] for item in said["items"]},
        "counts": (said["on_time"], said["late"], said["missing"]),
        "due_at": said["due_at"],
    }


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (DUE - timedelta(milliseconds=100), "on_time"),
        (DUE, "late"),
        (DUE + timedelta(hours=9), "late"),
    ],
)
async def test_on_time_is_what_came_before_the_hour(
    town: Town, clock: TestClock, received: datetime, status: str
) -> None:
    clock.fixed = received
    answer = await submit(await town.village(), town.units[0], note="一切正常")
    assert answer.status_code == 201, answer.text
    assert (answer.json()["status"], answer.json()["note"]) == (status, "一切正常")
    others = dict.fromkeys(town.units[1:], "missing")
    shown = await statuses(town)
    assert shown["units"] == {town.units[0]: status, **others}
    assert shown["counts"] == ((1, 0, 2) if status == "on_time" else (0, 1, 2))
    assert shown["due_at"] == "2026-03-02T08:00:00Z"


async def test_it_is_filled_in_and_says_what_differs(town: Town, clock: TestClock) -> None:
    clock.fixed = DUE - timedelta(hours=2)
    village = await town.village()
    home = await register(village, town)
    await check(village, home["id"], clock.fixed.isoformat(), line(home["head"]["id"]))
    answer = await submit(village, town.units[0], declared={"households": 3, "households_checked": 1})
    shown = answer.json()
    assert (shown["counted"]["households"], shown["counted"]["people_at_home"]) == (1, 1)
    assert shown["declared"] == {"households": 3, "households_checked": 1}
    assert shown["difference"] == {"households": 2, "households_checked": 0}
    path = f"/v1/units/{town.units[0]}/daily-reports/{DAY}"
    assert (await village.get(path)).json() == shown
    await register(village, town)
    assert (await village.get(path)).json()["difference"]["households"] == 1, "counted is live"


async def test_a_correction_counts_and_the_first_says_whether_it_was_on_time(
    town: Town, clock: TestClock
) -> None:
    village = await town.village()
    clock.fixed = DUE - timedelta(minutes=1)
    first = (await submit(village, town.units[0], declared={"fevers": 1})).json()
    clock.fixed = DUE + timedelta(hours=1)
    again = (await submit(village, town.units[0], declared={"fevers": 2}, note="更正")).json()
    assert (again["status"], again["declared"], again["note"]) == ("on_time", {"fevers": 2}, "更正")
    assert again["submitted_at"] == first["submitted_at"] == "2026-03-02T07:59:00Z"
    assert (first["corrected_at"], again["corrected_at"]) == (None, "2026-03-02T09:00:00Z")


async def test_the_same_again_and_the_id_reused(town: Town, clock: TestClock) -> None:
    clock.fixed = DUE - timedelta(hours=1)
    village, id_ = await town.village(), "018f0000-0000-7000-8000-000000000001"
    first = await submit(village, town.units[0], id=id_, note="一")
    again = await submit(village, town.units[0], id=id_, note="一")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert again.headers["Idempotent-Replay"] == "true"
    for other in (await submit(village, town.units[0], id=id_, note="二"),
                  await submit(village, town.units[0], "2026-03-01", id=id_, note="一")):  # fmt: skip
        assert (other.status_code, other.json()["code"]) == (409, "id-reused")


@pytest.mark.parametrize(
    ("day", "body", "pointer", "code"),
    [
        ("2026-03-03", {}, "/day", "in-the-future"),
        (DAY, {"declared": {"beds": 1}}, "/declared", "unknown-metric"),
        (DAY, {"declared": {"fevers": -1}}, "/declared/fevers", "out-of-range"),
        (DAY, {"declared": {"fevers": True}}, "/declared/fevers", "invalid-type"),
    ],
)
async def test_bad_reports_are_refused(
    town: Town, clock: TestClock, day: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    clock.fixed = DUE
    answer = await submit(await town.village(), town.units[0], day, **body)
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]


async def test_only_the_unit_reports_for_itself(town: Town, clock: TestClock) -> None:
    clock.fixed = DUE
    assert (await submit(await town.township(), town.units[0])).status_code == 403
    assert (await submit(await town.village(), town.units[1])).status_code == 404
    village = await town.village()
    items = (await village.get("/v1/daily-reports", params={"day": DAY})).json()["items"]
    assert [item["unit_code"] for item in items] == [town.units[0]]


async def test_a_phone_reports_too_and_what_counts_is_the_receipt(town: Town, clock: TestClock) -> None:
    clock.fixed = now = DUE + timedelta(minutes=30)
    village = await town.village()
    body = {"unit_code": town.units[0], "day": DAY, "declared": {"fevers": 1}}
    made = op("daily_report.submit", body, DUE - timedelta(hours=1))
    (result,) = await push(village, now, made)
    assert (result["status"], result["entity"]["kind"]) == ("applied", "report")
    (again,) = await push(village, now, made)
    assert again["status"] == "duplicate"
    shown = (await village.get(f"/v1/units/{town.units[0]}/daily-reports/{DAY}")).json()
    assert (shown["status"], shown["declared"]) == ("late", {"fevers": 1})
    other = {"unit_code": town.units[1], "day": DAY}
    (refused,) = await push(village, now, op("daily_report.submit", other, now))
    assert (refused["status"], refused["code"]) == ("rejected", "not-found")
