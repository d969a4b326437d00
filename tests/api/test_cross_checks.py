"""What the records of gates and doors say against each other: alerts, whichever record arrived first."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conftest import TestClock
from tests.gate import on_staff, resident, seen
from tests.passes import Gates, issue
from tests.register import id_number, line
from tests.scene import tick

MINUTE = timedelta(minutes=1)
NOON = datetime.fromisoformat("2026-03-02T12:00:00+08:00")


@pytest.fixture
async def home(place: Gates, clock: TestClock) -> str:
    """The household of the resident, at noon."""
    clock.fixed = NOON
    await place.town.owner.execute(
        "UPDATE townships SET clock_at = $2 WHERE code = $1", place.town.code, NOON
    )
    return str((await place.office.get(f"/v1/people/{place.person}")).json()["household_id"])


async def cross(place: Gates, at: datetime, direction: str = "out", gate: int = 0, **more: Any) -> str:
    """Let somebody through a gate; return the decision's id."""
    subject = more.pop("subject", {"person_id": place.person})
    body = seen(subject, occurred_at=at.isoformat(), direction=direction, **more)
    answer = await place.office.post(f"/v1/checkpoints/{place.gates[gate]}/decisions", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def found_at_home(place: Gates, home: str, at: datetime, whereabouts: str = "home") -> None:
    """Check the household."""
    more = {"away_to": "重庆"} if whereabouts == "away" else {}
    body = {
        "household_id": home,
        "occurred_at": at.isoformat(),
        "register_seen": True,
        "members": [line(place.person, whereabouts, **more)],
    }
    answer = await place.cadre.post("/v1/household-checks", json=body)
    assert answer.status_code == 201, answer.text


async def alerts(place: Gates, status: str = "open") -> list[tuple[str, str]]:
    """Return what the clock makes of it: each alert's kind and decision."""
    await tick(place.town)
    items = (await place.cadre.get("/v1/alerts", params={"status": status})).json()["items"]
    assert all(item["unit_code"] == place.town.units[0] for item in items)
    return [(item["kind"], item["decision_id"]) for item in items]


@pytest.mark.parametrize("first", ["gate", "door"])
async def test_who_went_out_and_was_found_at_home(place: Gates, home: str, first: str) -> None:
    if first == "gate":
        went = await cross(place, NOON - 60 * MINUTE)
        assert await alerts(place) == []
        await found_at_home(place, home, NOON - 30 * MINUTE)
    else:
        await found_at_home(place, home, NOON - 30 * MINUTE)
        assert await alerts(place) == []
        went = await cross(place, NOON - 60 * MINUTE)
    assert await alerts(place) == [("out_at_home", went)]
    assert await alerts(place) == [("out_at_home", went)], "once"


async def test_who_came_back_was_away_or_was_seen_before_contradicts_nothing(place: Gates, home: str) -> None:
    await found_at_home(place, home, NOON - 90 * MINUTE)
    await cross(place, NOON - 60 * MINUTE)
    await cross(place, NOON - 50 * MINUTE, "in")
    await found_at_home(place, home, NOON - 30 * MINUTE)
    await cross(place, NOON - 20 * MINUTE)
    await found_at_home(place, home, NOON - 15 * MINUTE)  # within the leeway of ten minutes
    await found_at_home(place, home, NOON, "away")
    assert await alerts(place) == []


async def test_a_denied_way_out_is_none(place: Gates, home: str) -> None:
    await cross(place, NOON - 60 * MINUTE, mask=False)
    await found_at_home(place, home, NOON - 30 * MINUTE)
    assert await alerts(place) == []


async def test_a_way_back_that_is_told_later_settles_it(place: Gates, home: str) -> None:
    went = await cross(place, NOON - 60 * MINUTE)
    await found_at_home(place, home, NOON - 30 * MINUTE)
    assert await alerts(place) == [("out_at_home", went)]
    await cross(place, NOON - 10 * MINUTE, "in")
    assert await alerts(place) == [("out_at_home", went)], "a way back after the check settles nothing"
    await cross(place, NOON - 40 * MINUTE, "in")
    assert await alerts(place) == []
    assert await alerts(place, "resolved") == [("out_at_home", went)]


async def test_more_crossings_a_day_than_the_township_allows(place: Gates, home: str) -> None:
    made = [await cross(place, NOON - (60 - n) * MINUTE, "in" if n % 2 else "out") for n in range(4)]
    await cross(place, NOON - 120 * MINUTE, mask=False)
    yesterday = NOON - timedelta(days=1)
    for n in range(4):
        await cross(place, yesterday + n * MINUTE)
    assert await alerts(place) == []
    made.append(await cross(place, NOON - 10 * MINUTE))
    await cross(place, NOON - 5 * MINUTE)
    assert await alerts(place) == [("many_crossings", made[4])]
    answer = await place.office.patch(
        f"/v1/townships/{place.town.code}", json={"settings": {"max_crossings_per_day": 3}}
    )
    assert answer.status_code == 200, answer.text
    assert len(await alerts(place)) == 2, "by another setting yesterday was too often as well"


async def test_staff_on_duty_go_to_and_fro(place: Gates, home: str) -> None:
    guard = await resident(place.town, id_number=id_number(), phone="13900000077")
    await on_staff(place.town, guard)
    for n in range(9):
        await cross(place, NOON - (60 - n) * MINUTE, subject={"person_id": str(guard)}, purpose="duty")
    assert await alerts(place) == []


async def test_the_earlier_of_two_holders_may_be_told_later(
    place: Gates, home: str, clock: TestClock
) -> None:
    subject = {"pass": (await issue(place.office, place.person, NOON))["code"]}
    other = await cross(place, NOON - 20 * MINUTE, subject=subject | {"holder_last6": "00000x"})
    assert await alerts(place) == []
    clock.fixed = NOON + timedelta(hours=2)
    assert await alerts(place) == []
    await cross(place, NOON - 60 * MINUTE, gate=1, subject=subject | {"holder_last6": place.number[-6:]})
    assert await alerts(place) == [("pass_shared", other)]


async def test_a_pass_in_the_hands_of_two(place: Gates, home: str) -> None:
    made = await issue(place.office, place.person, NOON)
    mine = {"pass": made["code"], "holder_last6": place.number[-6:]}
    await cross(place, NOON - 60 * MINUTE, subject=mine)
    await cross(place, NOON - 55 * MINUTE, subject=mine | {"holder_last6": "00000x"})
    assert await alerts(place) == [], "digits keyed in wrongly, and again"
    other = await cross(place, NOON - 20 * MINUTE, subject=mine | {"holder_last6": "01111X"})
    assert await alerts(place) == [("pass_shared", other)]


async def test_downtime_is_made_up(place: Gates, home: str, clock: TestClock) -> None:
    went = await cross(place, NOON - 60 * MINUTE)
    await found_at_home(place, home, NOON - 30 * MINUTE)
    clock.fixed = NOON + timedelta(days=2)
    assert await alerts(place) == [("out_at_home", went)]


async def test_who_leaves_another_village_is_on_the_way_home(place: Gates, home: str) -> None:
    await cross(place, NOON - 60 * MINUTE, gate=2)
    await found_at_home(place, home, NOON - 30 * MINUTE)
    assert await alerts(place) == []


async def test_two_gates_tell_one_story_in_any_order(place: Gates, home: str) -> None:
    went = await cross(place, NOON - 60 * MINUTE)
    await found_at_home(place, home, NOON - 20 * MINUTE)
    assert await alerts(place) == [("out_at_home", went)]
    await cross(place, NOON - 55 * MINUTE, gate=1)
    assert await alerts(place) == [("out_at_home", went)], "one contradiction, one alert"
    await cross(place, NOON - 40 * MINUTE, "in", gate=1)
    assert await alerts(place) == []
