"""Edits of one record by several people who could not see each other: field by field (contract, section 9).

An edit names the revision that it was made from. A field that nobody changed since takes the new value. Where somebody
did, both values are kept for a person to choose: until then a safety field has the more cautious of the two, any
other its current value. What the same phone changed before is no contradiction: it made its next edit knowing it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.enums import Exposure

CAUTION = (Exposure.NONE, Exposure.HUBEI_TRANSIT, Exposure.HUBEI_RETURNEE, Exposure.CONTACT)
"""Exposures in the order of the caution that they ask for; of whom nothing is known, still less."""


def more_cautious_exposure(current: Any, proposed: Any) -> Any:
    """Return the exposure that asks for more: contact before returnee before transit before none."""
    return max(current, proposed, key=lambda exposure: -1 if exposure is None else CAUTION.index(exposure))


def all_symptoms(current: Any, proposed: Any) -> Any:
    """Return every symptom that either names, the current ones first."""
    return list(dict.fromkeys([*(current or ()), *(proposed or ())]))


SAFETY: dict[str, Callable[[Any, Any], Any]] = {
    "exposure": more_cautious_exposure,
    "symptoms": all_symptoms,
}
"""The fields of which the more cautious value stands until somebody has looked."""


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """The last edit of a field: the revision that it made and the one that it named as its base, the revision up to
    which its author had really seen the record, and the device."""

    rev: int
    base: int
    seen: int
    device_id: str | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What the author of an edit could know: all up to `seen`, and what their own device did from a lower base."""

    base_rev: int
    seen: int
    device_id: str | None

    def misses(self, edit: FieldEdit) -> bool:
        """Tell whether the author could not know of an edit."""
        if self.device_id is not None and edit.device_id == self.device_id:
            return edit.rev > self.base_rev and self.base_rev <= edit.base
        return edit.rev > self.seen


def sight(edits: Iterable[FieldEdit], base_rev: int, device_id: str | None) -> Sight:
    """Return what the author of an edit from `base_rev` could know.

    A phone that edits twice offline counts its revision up by itself. Such a base says nothing of what others did
    meanwhile: what its earlier edit had seen does.
    """
    own = [edit for edit in edits if device_id is not None and edit.device_id == device_id]
    counted = [edit.seen for edit in own if base_rev == edit.base + 1 <= edit.rev]
    return Sight(base_rev, min((base_rev, *counted)), device_id)


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """Two values for one field, and the one that stands for now."""

    field: str
    current: Any
    proposed: Any
    kept: Any


@dataclass(slots=True)
class Merge:
    """What an edit comes to: the fields to write, the fields in conflict, and whether it met others' edits."""

    changes: dict[str, Any] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)
    met_others: bool = False
    seen: int = 0
    """Up to which revision its author had really seen the record."""


def merge(
    stored: Mapping[str, Any],
    sent: Mapping[str, Any],
    edits: Mapping[str, FieldEdit],
    base_rev: int,
    device_id: str | None,
) -> Merge:
    """Return what becomes of the fields that were sent, beside what is stored and who edited it last."""
    author = sight(edits.values(), base_rev, device_id)
    result = Merge(seen=author.seen, met_others=any(map(author.misses, edits.values())))
    for name, proposed in sent.items():
        current = stored[name]
        if proposed == current:
            continue
        last = edits.get(name)
        if last is None or not author.misses(last):
            result.changes[name] = proposed
            continue
        kept = SAFETY[name](current, proposed) if name in SAFETY else current
        result.conflicts.append(FieldConflict(name, current, proposed, kept))
        if kept != current:
            result.changes[name] = kept
    return result
