"""What the clock does to quarantine: slots that ended are missed, orders whose last day is over are released."""

from app.core.work import Work


async def close_slots(work: Work) -> None:
    """Mark slots that ended without a visit as missed, count them, and raise an alert for each."""


async def release_orders(work: Work) -> None:
    """Release the orders whose last day is over."""
