"""Coverage of the door-to-door checks (上门排查): the target is that nothing is left over (全覆盖、零死角、无遗漏)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HouseholdFacts:
    """A household: its registered people, and whom its checks named (None: never checked)."""

    id: UUID
    registered_ids: Collection[UUID]
    named_ids: Collection[UUID] | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far the checks have come; `unchecked` is the work list of households that were never checked."""

    households: int
    checked: int
    people: int
    accounted_for: int
    unchecked: tuple[UUID, ...]

    @property
    def complete(self) -> bool:
        """Tell whether no household and no registered person is left over."""
        return self.checked == self.households and self.accounted_for == self.people


def coverage(households: Iterable[HouseholdFacts]) -> Coverage:
    """Count households and people, and how many of them a check has accounted for.

    A person counts as accounted for when a check has a line for them: someone registered since is
    still to be asked after. The work list keeps the order given.
    """
    total = checked = people = missing = 0
    unchecked: list[UUID] = []
    for household in households:
        total += 1
        people += len(set(household.registered_ids))
        missing += len(unaccounted(household.registered_ids, household.named_ids or ()))
        if household.named_ids is None:
            unchecked.append(household.id)
        else:
            checked += 1
    return Coverage(total, checked, people, people - missing, tuple(unchecked))


def unaccounted(registered_ids: Iterable[UUID], named_ids: Iterable[UUID]) -> list[UUID]:
    """Return the registered people whom no line of a check names, in the register's order, each once."""
    named = set(named_ids)
    return [person for person in dict.fromkeys(registered_ids) if person not in named]
