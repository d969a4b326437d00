"""The numbers of days up to named positions of the feed: what a frozen report holds."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime

import rfc8785

from app.core.scope import township_row
from app.core.work import Work
from app.domain.metrics import DENIED_BY, REPORTED, STOCKS, Metric
from app.services.replay.facts import facts
from app.services.replay.positions import Positions
from app.services.replay.slots import slots
from app.services.replay.stocks import stocks

HELD = (*REPORTED, *DENIED_BY.values())
"""What is held of each unit."""

Numbers = Mapping[Metric, int]
ByUnit = Mapping[int, Numbers]


async def numbers_of(
    work: Work, positions: Positions, first: date, last: date, moment: datetime
) -> dict[date, ByUnit]:
    """Return for each day from `first` to `last` the numbers of every unit that has any, as of a moment.

    What counts in the township's own row (its store, its office) is no unit's, and no report shows it.
    """
    own = township_row(work.township_code)
    of_day: defaultdict[tuple[date, int], defaultdict[Metric, int]] = defaultdict(lambda: defaultdict(int))
    counted = [*await facts(work, positions, first, last), *await slots(work, positions, first, last, moment)]
    for unit, day, metric, amount in counted:
        of_day[day, unit][metric] += amount
    days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    changes: defaultdict[tuple[int, Metric], defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    # What no report holds, the people registered, is most of what the feed ever told: it is not read.
    for unit, changed_on, metric, amount in await stocks(work, positions, moment, HELD):
        if changed_on <= last and metric in STOCKS:
            changes[unit, metric][max(changed_on, first)] += amount
    for (unit, metric), steps in changes.items():
        standing = 0
        for day in days:
            standing += steps.get(day, 0)
            of_day[day, unit][metric] = standing
    numbers: dict[date, dict[int, Numbers]] = {day: {} for day in days}
    for (day, unit), metrics in of_day.items():
        if unit != own:
            numbers[day][unit] = metrics
    return dict(numbers)


def written(numbers: Numbers, metrics: Iterable[Metric] = HELD) -> str:
    """Return the text that is stored of a unit: every metric, in one form only."""
    return rfc8785.dumps({metric.value: numbers.get(metric, 0) for metric in metrics}).decode()


def read(text: str) -> dict[Metric, int]:
    """Return the numbers that are stored of a unit; what was not counted yet when they were frozen is zero."""
    return dict.fromkeys(HELD, 0) | _numbers(text)


def _numbers(text: str) -> dict[Metric, int]:
    return {Metric(name): n for name, n in json.loads(text).items()}


def read_earlier(text: str | None, now: Numbers) -> dict[Metric, int]:
    """Return what an earlier revision, if it had the unit, said where a later one says `now`.

    What it did not count yet, because the program was older, did not change.
    """
    if text is None:
        return dict.fromkeys(HELD, 0)
    return {metric: now.get(metric, 0) for metric in HELD} | _numbers(text)


def written_like(stored: str, numbers: Numbers) -> str:
    """Return what would be stored, of the metrics only that a stored text has: an upgrade restates no day."""
    return written(numbers, map(Metric, json.loads(stored)))
