"""What the days of the demonstration are played with: steps, each as of its own moment, in somebody's name."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from app.cli.demo.places import Unit
from app.core.work import Work
from app.schemas.fields import Body

B = TypeVar("B", bound=Body)
Act = Callable[[Work], Awaitable[None]]
Step = tuple[datetime, Act]
ActAs = Callable[[Work, Unit | None], None]
"""Let a unit's cadre, or the office, be the author of what follows."""


def stores(
    unit: Unit | None,
    store: Callable[[Work, Sequence[B]], Awaitable[Any]],
    bodies: Sequence[B],
    act_as: ActAs,
) -> Act:
    """Return the act of storing something in a unit's name, or the office's."""

    async def act(work: Work) -> None:
        act_as(work, unit)
        await store(work, bodies)

    return act
