"""Who may be posted is judged by the shifts around the wanted ones, however long somebody has served."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from app.access import in_townships_name
from app.domain.duty import Span
from app.services.postings import bench_of
from tests.duty import a_shift
from tests.supplies import made
from tests.town import Town

EVENING = datetime.fromisoformat("2026-02-10T22:00:00+08:00")
REST = timedelta(hours=8)
MINUTE = timedelta(minutes=1)
NIGHT = {"starts": "22:00", "ends": "06:00"}


async def test_of_a_long_history_only_what_is_near_is_read(town: Town) -> None:
    office, person = await town.township(), await town.account("village", town.units[:1])
    days = (-300, -200, -2, -1, 1, 2, 200)
    turns = {
        n: await made(office, "/v1/shifts", a_shift(town.units[0], EVENING + timedelta(days=n), person))
        for n in days
    }
    async with in_townships_name(town.kit, town.code) as work:
        wanted = Span(uuid4(), EVENING, EVENING + timedelta(hours=8))
        bench = await bench_of(work, [person], [wanted])
        assert [str(span.shift_id) for span in bench.spans[person]] == [turns[-1]["id"]]
        last = Span(uuid4(), EVENING + timedelta(days=1), EVENING + timedelta(days=1, hours=8))
        bench = await bench_of(work, [person], [wanted, last])
        assert [str(span.shift_id) for span in bench.spans[person]] == [turns[-1]["id"], turns[1]["id"]]
        bench.post([person], wanted)
        assert [span.starts_at for span in bench.spans[person]] == [
            EVENING + timedelta(days=n) for n in (-1, 0, 1)
        ]


@pytest.mark.parametrize("hours", [1, 24])
@pytest.mark.parametrize("short", [timedelta(0), MINUTE])
async def test_the_rest_before_the_first_turn_and_behind_the_last_is_kept(
    town: Town, hours: int, short: timedelta
) -> None:
    office, unit = await town.township(), town.units[0]
    before, behind = sorted([await town.account("village", [unit]) for _ in range(2)])
    # Two nights: of the first, and of the second.
    starts, ends = EVENING, EVENING + timedelta(days=1, hours=8)
    early = a_shift(unit, starts - REST - timedelta(hours=hours) + short, before, hours=hours)
    late = a_shift(unit, ends + REST - short, behind, hours=hours)
    for body in (early, late):
        await made(office, "/v1/shifts", body)
    for person, begin in ((before, starts), (behind, ends - timedelta(hours=8))):
        alone = await office.post("/v1/shifts", json=a_shift(unit, begin, person))
        assert alone.json().get("code") == ("rest-too-short" if short else None)
        if not short:
            await office.patch(f"/v1/shifts/{alone.json()['id']}", json={"cancelled": True})
    days = {"code": unit, "from": "2026-02-10", "to": "2026-02-11", "night": NIGHT, "first": "A"}
    plan = (await office.post("/v1/shifts/generate", json=days)).json()
    assert plan == {"created": 2, "existing": 0, "vacant": 2 if short else 0}
