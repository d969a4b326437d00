"""The replay itself: facts, slots and stocks, folded as the counters are."""

from collections import defaultdict
from datetime import date

from app.core.work import Work
from app.domain.metrics import Metric
from app.schemas.fields import YEAR_MAX, YEAR_MIN
from app.services.replay.facts import facts
from app.services.replay.positions import Positions
from app.services.replay.slots import slots
from app.services.replay.stocks import stocks

Counters = dict[tuple[int, date], dict[Metric, int]]
"""By unit and day what is not zero: facts of their day, and changes of stocks."""

FIRST, LAST = date(YEAR_MIN, 1, 1), date(YEAR_MAX, 12, 31)


async def replay(
    work: Work, positions: Positions | None = None, first: date = FIRST, last: date = LAST
) -> Counters:
    """Return the counters from `first` to `last` as they follow from the records, and every change of a stock."""
    amounts = [
        *await facts(work, positions, first, last),
        *await slots(work, positions, first, last),
        *await stocks(work, positions),
    ]
    folded: defaultdict[tuple[int, date], defaultdict[Metric, int]] = defaultdict(lambda: defaultdict(int))
    for unit_code, day, metric, amount in amounts:
        folded[unit_code, day][metric] += amount
    kept = {key: {m: n for m, n in metrics.items() if n} for key, metrics in folded.items()}
    return {key: metrics for key, metrics in kept.items() if metrics}
