"""The items of one batch of creates, each with its own fate: new, a repeat, an id that was used before, or refused.

items = await begin(work, "visits", "visit.record", bodies)
...                                   # validate those that are `fresh`, giving a problem to the ones refused
await follow_winners(work, "visits", losers)   # those whose id a parallel request was quicker with
return outcomes(items, views)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from app.core.ids import uuid7
from app.core.outcome import Outcome
from app.core.problems import IdReused, Problem
from app.core.work import Work
from app.domain.op_time import Moment
from app.schemas.fields import Body
from app.services.claims import content_hash, first_of_each, settle

B = TypeVar("B", bound=Body)
V = TypeVar("V")


@dataclass(slots=True)
class Item(Generic[B]):
    """One create of a batch."""

    id: UUID
    body: B
    content_hash: bytes
    moment: Moment
    """When it took place; of what takes no time of its own, the moment of the request."""
    first: bool
    """Whether its id stands here for the first time in the batch; the others follow that one."""
    replayed: bool = False
    problem: Problem | None = None

    @property
    def fresh(self) -> bool:
        """Tell whether it is still to be stored."""
        return self.first and not self.replayed and self.problem is None


Moments = Sequence[Moment] | None
"""When each body of a batch took place, where a phone's clocks say it better than `occurred_at`."""


async def begin(
    work: Work, table: str, kind: str, bodies: Sequence[B], moments: Moments = None
) -> list[Item[B]]:
    """Give every body its id and its moment, and find the repeats among them.

    With moments the bodies are operations of a phone, which were claimed: then a record of the same id is so rare that
    the insert alone is left to find it.
    """
    claimed = moments is not None
    ids = [getattr(body, "id", None) or uuid7() for body in bodies]
    firsts = first_of_each(ids)
    moments = moments or [as_typed(work, body) for body in bodies]
    items = [
        Item(id_, body, content_hash(work, kind, body), moment, position in firsts)
        for position, (id_, body, moment) in enumerate(zip(ids, bodies, moments, strict=True))
    ]
    firsts_only = {item.id: item.content_hash for item in items if item.first}
    settled = await settle(work, table, {} if claimed else firsts_only)
    for item in items:
        item.replayed = item.first and item.id in settled.replayed
        if item.id in settled.reused:
            item.problem = IdReused()
    return items


def as_typed(work: Work, body: Body) -> Moment:
    """Return the moment that a body itself names, or now."""
    return Moment(body.typed_time() or work.now)


class Claimed(Protocol):
    """What has an id of the client's, the hash of what was asked under it, and a fate."""

    id: UUID
    content_hash: bytes
    replayed: bool
    problem: Problem | None


async def settle_again(work: Work, table: str, items: Sequence[Item[Any]]) -> None:
    """Look once more for repeats, after a lock for which a parallel request with the same id may have been waited."""
    fresh = [item for item in items if item.fresh]
    settled = await settle(work, table, {item.id: item.content_hash for item in fresh})
    for item in fresh:
        item.replayed = item.id in settled.replayed
        if item.id in settled.reused:
            item.problem = IdReused()


async def follow_winners(work: Work, table: str, losers: Iterable[Claimed]) -> None:
    """Settle those whose id was taken while they were on their way: a repeat, or an id used (or hidden) elsewhere."""
    losing = list(losers)
    settled = await settle(work, table, {item.id: item.content_hash for item in losing})
    for item in losing:
        item.replayed = item.id in settled.replayed
        if not item.replayed:
            item.problem = IdReused()


def settle_repeats(items: Sequence[Item[B]]) -> list[Item[B]]:
    """Let those whose id stood in the batch before share that one's fate; return all of them."""
    leaders = {item.id: item for item in items if item.first}
    for item in items:
        if not item.first:
            _follow(item, leaders[item.id])
    return list(items)


def outcomes(items: Sequence[Item[B]], views: Mapping[UUID, V]) -> list[Outcome[V]]:
    """Return what became of each item, in the order sent."""
    settle_repeats(items)
    return [
        Outcome(item.id, None if item.problem else views[item.id], item.replayed, item.problem)
        for item in items
    ]


def _follow(item: Item[B], leader: Item[B]) -> None:
    if leader.problem is not None:
        item.problem = leader.problem
    elif item.content_hash == leader.content_hash:
        item.replayed = True
    else:
        item.problem = IdReused()
