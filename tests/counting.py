"""The counters held against the records, and the records against what the feed had told of them."""

from datetime import date

from app.access import in_townships_name
from app.services.recount import compare
from app.services.replay import replay
from app.services.replay.positions import positions_now
from tests.town import Town


async def counted(town: Town, day: date) -> dict[str, int]:
    """Return the township's totals of a day, as the report tells them; and recount."""
    office = await town.township()
    answer = await office.get("/v1/reports/daily", params={"day": day.isoformat()})
    await assert_recounted(town)
    totals: dict[str, int] = answer.json()["totals"]
    return totals


async def assert_recounted(town: Town) -> None:
    """Every counter is what the records say, and the replay up to the feeds' heads is the replay of all."""
    async with in_townships_name(town.kit, town.code) as work:
        assert await compare(work) == []
        true = await replay(work)
        assert true, "there is something to count"
        assert await replay(work, await positions_now(work)) == true
