"""The counters compared with what the records say, and mended (`wangge recount`)."""

from datetime import date
from typing import NamedTuple

from app.core.work import Work
from app.domain.metrics import Metric
from app.services.replay import Counters, replay

# Both sides must be seen at one moment: the counters of a transaction come with its records.
_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_STORED = f"""
SELECT unit_code, day, {", ".join(Metric)} FROM daily_counters WHERE township_code = $1
"""


class Difference(NamedTuple):
    """A counter that is not what the records say."""

    unit_code: int
    day: date
    metric: Metric
    stored: int
    true: int


async def compare(work: Work) -> list[Difference]:
    """Return every counter of the township that differs from the records, in order. It must be the first to read."""
    await work.sql.execute(_ONE_MOMENT)
    stored: Counters = {
        (row["unit_code"], row["day"]): {metric: row[metric] for metric in Metric if row[metric]}
        for row in await work.sql.fetch(_STORED, work.township_code)
    }
    true = await replay(work)
    return [
        Difference(unit, day, metric, one.get(metric, 0), other.get(metric, 0))
        for unit, day in sorted(stored.keys() | true.keys())
        for one, other in [(stored.get((unit, day), {}), true.get((unit, day), {}))]
        for metric in Metric
        if one.get(metric, 0) != other.get(metric, 0)
    ]


def mend(work: Work, differences: list[Difference]) -> None:
    """Correct the counters by what they differ; what is counted meanwhile is added on top."""
    for difference in differences:
        amount = difference.true - difference.stored
        work.count(difference.unit_code, difference.day, difference.metric, amount)
