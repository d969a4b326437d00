"""When something is said to have happened."""

from datetime import datetime, timedelta

from app.core.field_texts import declare
from app.core.work import Work

TOLERANCE = timedelta(minutes=5)
"""By how much a phone's clock may be ahead of ours."""

declare("in-the-future", "时间晚于现在。", "This time lies in the future.")


def in_the_future(work: Work, occurred_at: datetime) -> bool:
    """Tell whether a time lies further ahead than a phone's clock may be wrong."""
    return occurred_at > work.now + TOLERANCE
