"""Many phones at once: real commits, real concurrency."""

import asyncio
from uuid import uuid4

from tests.gate import ID_NUMBER, counters, make_checkpoint, resident, seen
from tests.town import Town


async def test_twenty_identical_posts_are_one_decision(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[1])
    await resident(town, quarantined=True)
    body = seen({"id_number": ID_NUMBER}, id=str(uuid4()))
    answers = await asyncio.gather(
        *(office.post(f"/v1/checkpoints/{gate}/decisions", json=body) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replay") for answer in answers].count("true") == 19
    assert (
        await town.owner.fetchval("SELECT count(*) FROM decisions WHERE township_code = $1", town.code) == 1
    )
    assert await town.owner.fetchval("SELECT count(*) FROM alerts WHERE township_code = $1", town.code) == 1
    assert await counters(town) == {
        (town.units[1], "denials"): 1,
        (town.units[1], "denied_outsider"): 1,
        (town.units[1], "denied_in_quarantine"): 1,
        (town.units[0], "alerts_open"): 1,
    }


async def test_one_id_with_two_contents_in_parallel_is_one_decision(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0])
    first, second = seen(id=str(uuid4())), {}
    second = {**first, "mask": False}
    answers = await asyncio.gather(
        *(office.post(f"/v1/checkpoints/{gate}/decisions", json=body) for body in (first, second) * 6)
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201] + [409] * 6
    assert len({answer.content for answer in answers if answer.status_code < 300}) == 1


async def test_many_people_at_once_are_all_counted(town: Town) -> None:
    office = await town.township()
    gates = [await make_checkpoint(office, unit, number) for number, unit in enumerate(town.units, 1)]
    await asyncio.gather(
        *(office.post(f"/v1/checkpoints/{gate}/decisions", json=seen()) for gate in gates for _ in range(10))
    )
    totals = await counters(town)
    assert {unit: totals[unit, "denials"] for unit in town.units} == dict.fromkeys(town.units, 10)
