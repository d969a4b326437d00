"""In which order the operations of one batch act: in large groups of one kind, and yet as they were sent.

Operations that share a record keep their order. All others may be brought together, so that a mixed batch of five
hundred becomes a few statements a kind.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One operation's place in the plan: its kind, the records that it makes or needs, and whether two of its kind
    may act on one record in one group."""

    kind: str
    records: frozenset[Hashable]
    together: bool


def groups(steps: Sequence[Step]) -> list[list[int]]:
    """Return the positions of the steps in groups of one kind, in the order in which the groups are to act.

    Two steps that share a record act in the order sent, in one group only where their kind sees to the order itself.
    Kinds that share nothing act in the order of their names, so that two batches lock what they share in one order.
    """
    last: dict[Hashable, tuple[int, str]] = {}
    levels: dict[tuple[int, str], list[int]] = {}
    for position, step in enumerate(steps):
        level = max((_after(last[r], step) for r in step.records if r in last), default=0)
        for record in step.records:
            last[record] = (level, step.kind)
        levels.setdefault((level, step.kind), []).append(position)
    return [levels[key] for key in sorted(levels)]


def _after(before: tuple[int, str], step: Step) -> int:
    level, kind = before
    return level if kind == step.kind and step.together else level + 1
