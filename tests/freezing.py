"""A day of the township that freezes: its hours, the clock's look, and the report of a revision."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.access import in_townships_name
from app.services.freezing import freeze_days
from tests.conftest import TestClock
from tests.town import Town

DAY = "2026-03-02"
DUE = datetime.fromisoformat("2026-03-02T16:00:00+08:00")
END = datetime.fromisoformat("2026-03-03T00:00:00+08:00")
MINUTE = timedelta(minutes=1)


async def begin(town: Town, clock: TestClock, at: datetime = DUE - timedelta(hours=6)) -> None:
    """Set the clock to a moment, and let the township exist since then."""
    clock.fixed = at
    await town.owner.execute("UPDATE townships SET created_at = $2 WHERE code = $1", town.code, at)


async def freeze(town: Town) -> None:
    """Let the clock look."""
    await freeze_days(partial(in_townships_name, town.kit, town.code))


async def report(town: Town, revision: int | None = None, day: str = DAY, **more: str) -> dict[str, Any]:
    """Read a day's report as the township."""
    query = {"day": day, **({"revision": str(revision)} if revision else {}), **more}
    answer = await (await town.township()).get("/v1/reports/daily", params=query)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said
