"""What a site still needs on a day."""

import pytest

from app.domain.disinfection import site_due, slots_done


@pytest.mark.parametrize(
    ("logs", "times_per_day", "done", "due"),
    [
        (0, 1, 0, True),
        (1, 1, 1, False),
        (3, 1, 1, False),
        (0, 2, 0, True),
        (1, 2, 1, True),
        (2, 2, 2, False),
        (5, 3, 3, False),
    ],
)
def test_more_than_required_counts_as_required(logs, times_per_day, done, due):
    assert slots_done(logs, times_per_day) == done
    assert site_due(logs, times_per_day) is due


@pytest.mark.parametrize(("logs", "times_per_day"), [(-1, 1), (0, 0), (2, -1)])
def test_counts_that_cannot_be_are_refused(logs, times_per_day):
    for rule in (slots_done, site_due):
        with pytest.raises(ValueError, match="at least once a day"):
            rule(logs, times_per_day)
