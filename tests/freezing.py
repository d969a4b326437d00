"""A day of the township that freezes: its hours, the clock's look, and the report of a revision."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from app.access import in_townships_name
from app.services.freezing import freeze_days, kept_positions
from app.services.frozen_numbers import numbers_of, written_like
from tests.conftest import TestClock
from tests.scene import tick
from tests.town import Town

DAY = "2026-03-02"
DUE = datetime.fromisoformat("2026-03-02T16:00:00+08:00")
END = datetime.fromisoformat("2026-03-03T00:00:00+08:00")
MINUTE = timedelta(minutes=1)


async def begin(town: Town, clock: TestClock, at: datetime = DUE - timedelta(hours=6)) -> None:
    """Set the clock to a moment, and let the township exist since then."""
    clock.fixed = at
    await town.owner.execute("UPDATE townships SET created_at = $2 WHERE code = $1", town.code, at)


@pytest.fixture(name="office")
async def office_since_morning(town: Town, clock: TestClock) -> httpx.AsyncClient:
    """The township's office, in a township that exists since the day's morning."""
    await begin(town, clock)
    return await town.township()


async def end_of_day(town: Town, clock: TestClock) -> None:
    """Let the day end and freeze."""
    clock.fixed = END
    await tick(town)
    await freeze(town)


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


async def recomputed(
    town: Town, revision: int, of: date = date.fromisoformat(DAY)
) -> dict[int, tuple[str, str]]:
    """Return of each unit what is stored of a revision, and the same made again from its positions."""
    rows = await town.owner.fetch(
        "SELECT * FROM frozen_reports WHERE township_code = $1 AND revision = $2 AND day = $3",
        town.code,
        revision,
        of,
    )
    moment = rows[0]["frozen_at"]
    async with in_townships_name(town.kit, town.code) as work:
        numbers = (await numbers_of(work, kept_positions(rows, revision), of, of, moment))[of]
    return {
        row["unit_code"]: (row["numbers"], written_like(row["numbers"], numbers.get(row["unit_code"], {})))
        for row in rows
    }
