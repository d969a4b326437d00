"""Chance that repeats itself: the same seed and the same names give the same ids and the same draws.

Every id and every draw of the demonstration data comes from here, so that loading may be broken off at any moment and
begun again: what is there already is met under the same id with the same content.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID, uuid5

T = TypeVar("T")

SEED = 20200203
"""The seed of `wangge demo`: the day from which the roads of 东观镇 were restricted."""

_SPACE = UUID("0b1f2c5e-6d0a-5c57-9d3b-51130310620a")


def made_id(seed: int, *names: object) -> UUID:
    """Return the id that belongs to a seed and names (such as day, kind and serial number)."""
    return uuid5(_SPACE, ":".join(map(str, (seed, *names))))


def draws(seed: int, *names: object) -> Random:
    """Return a source of draws for a seed and names; nothing secret is ever drawn from it."""
    return Random(":".join(map(str, (seed, *names))))  # noqa: S311


def pick(chance: Random, weighted: Sequence[tuple[T, int]]) -> T:
    """Return one of the values, each as likely as its weight says."""
    at = chance.randrange(sum(weight for _, weight in weighted))
    for value, weight in weighted:
        if at < weight:
            return value
        at -= weight
    raise AssertionError("unreachable")


def between(chance: Random, start: datetime, end: datetime) -> datetime:
    """Return an instant in [start, end), to the second."""
    return start + timedelta(seconds=chance.randrange(max(1, int((end - start).total_seconds()))))
