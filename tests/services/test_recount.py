"""Recounting: nothing to find where everything was counted, and whatever was counted wrongly is found and mended."""

from datetime import timedelta

from app.access import in_townships_name
from app.domain.metrics import Metric
from app.services.moves import move_household
from app.services.recount import Difference, compare, mend
from app.services.replay import replay
from app.services.replay.positions import positions_before, positions_now
from tests.conftest import TestClock
from tests.counting import assert_recounted
from tests.gate import make_checkpoint, seen
from tests.register import check, id_number, line, register
from tests.scene import open_order, tick, visit
from tests.town import Town


async def test_a_day_of_everything_is_counted_as_recorded(town: Town, clock: TestClock) -> None:
    """Checks, orders, visits, a move with what is owed, a release, sites, decisions, alerts: on three days."""
    clock.moved = timedelta(0)
    office, village = await town.township(), await town.village()
    homes = [
        await register(
            village, town, head={"name": "李春花", "id_number": id_number()}, members=[{"name": "李四"}]
        )
        for _ in range(3)
    ]
    people = [home["head"]["id"] for home in homes]
    today = town.today()
    for home in homes:
        now = town.kit.clock.now().isoformat()
        await check(village, home["id"], now, line(home["head"]["id"]), line(home["members"][0]["id"]))
    orders = [await open_order(village, person, today) for person in people]
    at = town.kit.clock.now()
    await visit(village, orders[0]["id"], at)
    await visit(village, orders[0]["id"], at, "temperature", temperature_c=38.4)
    gate = await make_checkpoint(office, town.units[0])
    for body in (seen({"person_id": people[0]}), seen({}, mask=False, temperature_c=38.0)):
        await office.post(f"/v1/checkpoints/{gate}/decisions", json=body)
    await assert_recounted(town)
    clock.moved = timedelta(days=1)
    await tick(town)
    await visit(village, orders[1]["id"], town.kit.clock.now())
    async with in_townships_name(town.kit, town.code) as work:
        await move_household(work, homes[1]["id"], int(town.units[1]))
    await assert_recounted(town)
    clock.moved = timedelta(days=2)
    await tick(town)
    await office.post(f"/v1/quarantine-orders/{orders[2]['id']}/release", json={"reason": "hospital"})
    await assert_recounted(town)
    clock.moved = timedelta(days=9)
    await tick(town)
    await assert_recounted(town)


async def test_what_was_counted_wrongly_is_found_and_mended(town: Town) -> None:
    village = await town.village()
    await register(village, town)
    await town.owner.execute(
        "UPDATE daily_counters SET households = households + 2, fevers = 7 WHERE township_code = $1",
        town.code,
    )
    unit, day = int(town.units[0]), town.today()
    async with in_townships_name(town.kit, town.code) as work:
        found = await compare(work)
    assert found == [
        Difference(unit, day, Metric.HOUSEHOLDS, 3, 1),
        Difference(unit, day, Metric.FEVERS, 7, 0),
    ]
    async with in_townships_name(town.kit, town.code) as work:
        mend(work, found)
    await assert_recounted(town)


async def test_the_replay_goes_as_far_as_it_is_told(town: Town, clock: TestClock) -> None:
    start = clock.fixed = town.kit.clock.now()
    village, unit, day = await town.village(), int(town.units[0]), town.today()
    homes, marks = [], []
    for minute in range(3):
        clock.fixed = start + timedelta(minutes=minute)
        homes.append(await register(village, town))
        await check(village, homes[-1]["id"], clock.fixed.isoformat(), line(homes[-1]["head"]["id"]))
        async with in_townships_name(town.kit, town.code) as work:
            marks.append(await positions_now(work))
    async with in_townships_name(town.kit, town.code) as work:
        for number, mark in enumerate(marks, 1):
            metrics = (await replay(work, mark))[unit, day]
            assert (metrics[Metric.HOUSEHOLDS], metrics[Metric.HOUSEHOLDS_CHECKED]) == (number, number)
        between = start + timedelta(minutes=1, seconds=30)
        before = [
            await positions_before(work, moment) for moment in (between, start, start + timedelta(days=1))
        ]
        assert [mark.of_unit[unit] for mark in before] == [marks[1].of_unit[unit], 0, marks[2].of_unit[unit]]
