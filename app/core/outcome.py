"""Outcome: what became of one item of a batch. Services answer a list of them, in the order sent."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from app.core.problems import Problem

T = TypeVar("T")


@dataclass(slots=True)
class Outcome(Generic[T]):
    """One item's end: its value, new or as stored before (`replayed`), or the problem that stopped it."""

    id: UUID
    value: T | None = None
    replayed: bool = False
    problem: Problem | None = None

    def take(self) -> T:
        """Return the value, or raise the problem."""
        if self.problem is not None:
            raise self.problem
        assert self.value is not None
        return self.value
