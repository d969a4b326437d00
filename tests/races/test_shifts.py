"""Parallel plans for one person: one of them holds."""

import asyncio
from collections import Counter
from datetime import timedelta

from tests.counting import counted
from tests.duty import a_shift
from tests.town import Town


async def test_of_twenty_plans_at_once_one_holds(town: Town) -> None:
    office, village, now = await town.township(), await town.village(), town.kit.clock.now()
    person = await town.account("village", town.units[:2])
    bodies = [a_shift(town.units[n % 2], now + timedelta(hours=n % 5), person) for n in range(20)]
    # A cadre of the first unit does not see the other's shifts, and is held to them all the same.
    callers = [office if body["unit_code"] != town.units[0] else village for body in bodies]
    answers = await asyncio.gather(
        *(who.post("/v1/shifts", json=body) for who, body in zip(callers, bodies, strict=True))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert {answer.json().get("code") for answer in answers} == {None, "shift-overlap"}


async def test_a_person_signed_in_by_ten_phones_at_once_counts_once(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    person = await town.account("village", town.units[:1])
    id_ = (await office.post("/v1/shifts", json=a_shift(town.units[0], now, person))).json()["id"]
    body = {"staff_id": str(person), "at": now.isoformat()}
    answers = await asyncio.gather(*(office.post(f"/v1/shifts/{id_}/sign-in", json=body) for _ in range(10)))
    assert [answer.status_code for answer in answers] == [201] * 10
    assert (await counted(town, town.today()))["shifts_signed_in"] == 1


async def test_of_parallel_rotas_with_other_hours_each_night_is_planned_once(town: Town) -> None:
    office, village = await town.township(), await town.village()
    await town.account("village", town.units[:1])
    day = town.today()
    days = {"from": day.isoformat(), "to": (day + timedelta(days=2)).isoformat()}
    hours = [{"starts": "22:00", "ends": "06:00"}, {"starts": "21:00", "ends": "05:00"}]
    plans = [(office, str(town.code)), (village, town.units[0]), (office, town.units[1])] * 2
    answers = await asyncio.gather(
        *(
            who.post("/v1/shifts/generate", json=days | {"code": code, "night": hours[n % 2]})
            for n, (who, code) in enumerate(plans)
        )
    )
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    told = [answer.json() for answer in answers]
    # Three units and the office, three nights.
    assert sum(plan["created"] for plan in told) == 12
    wanted = [12, 3, 3] * 2
    assert [plan["created"] + plan["existing"] for plan in told] == wanted
    stored = await town.owner.fetch("SELECT unit_code, day FROM shifts WHERE township_code = $1", town.code)
    assert len({tuple(row) for row in stored}) == len(stored) == 12
