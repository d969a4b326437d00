"""What a disinfection site adds to the report: `sites_due`, a stock.

A site adds its `times_per_day` to its unit's stock while it is active, from the day on which it becomes so. What was
already disinfected today stays due today: a change that lowers the number (fewer times, or the end of a quarantine)
acts on today as far as nothing was done yet, and on tomorrow for the rest. So `sites_disinfected` never exceeds
`sites_due` of the same day.
"""

from datetime import timedelta

from app.core.work import Work
from app.domain.metrics import Metric


def change_due(work: Work, unit_code: int, before: int, after: int, done_today: int) -> None:
    """Book a site's change from `before` to `after` required disinfections a day (0 while it is inactive).

    `done_today` is how many of today's disinfections of the site were counted as done.
    """
    on_today = max(after, done_today) - max(before, done_today)
    work.count(unit_code, work.today, Metric.SITES_DUE, on_today)
    work.count(unit_code, work.today + timedelta(days=1), Metric.SITES_DUE, after - before - on_today)
