"""Disinfection (清洁消毒): what a site still needs on a day.

Source: 58个作战单元,每日派出入户组对辖区内重点人员家中,以及办公室、超市、市场、药房等人流量较大的场所进行一次消毒.
"""


def slots_done(logs_that_day: int, times_per_day: int) -> int:
    """Return how many of a site's required disinfections of a day are done; more than required count once.

    Raises:
        ValueError: if a count is negative, or a site requires less than one a day.
    """
    if logs_that_day < 0 or times_per_day < 1:
        raise ValueError("a site is disinfected at least once a day")
    return min(logs_that_day, times_per_day)


def site_due(logs_that_day: int, times_per_day: int) -> bool:
    """Tell whether a site still needs disinfecting on a day.

    Raises:
        ValueError: as `slots_done`.
    """
    return slots_done(logs_that_day, times_per_day) < times_per_day
