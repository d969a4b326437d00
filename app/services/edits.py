"""Edits of one record by several people, merged field by field: what households and people have in common.

Online, a person sees at once that somebody was quicker, and keeps what they typed on their screen: the edit is refused.
A phone that was offline is gone from its form for hours: its edit is kept, and what contradicts becomes a conflict.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.core.language import Text
from app.core.problems import Conflict, StaleRevision
from app.domain.merge import FieldConflict, FieldEdit, Merge, merge


class PredecessorMissing(Conflict):
    """An edit of a revision that the record does not have yet: the one that makes it is still on its way."""

    code = "predecessor-missing"
    title = Text("前一次修改尚未到达", "An earlier change is missing")
    detail_text = Text(
        "此操作所依据的前一次操作尚未到达服务器。", "What this was made from has not reached the server yet."
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """From which revision an edit was made, when, on which device, and whether a contradiction is kept or refused."""

    base_rev: int
    at: datetime
    device_id: str | None = None
    keep_conflicts: bool = False
    late: bool = False
    """Its predecessor never came: it acts on what there is."""


@dataclass(slots=True)
class Edited:
    """What became of an edit: the unit of the record, and what was merged or contradicts."""

    unit_code: int
    merged: bool = False
    conflicts: list[FieldConflict] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    """What the fields said that it changed."""


def weigh(edit: Edit, stored: Mapping[str, Any], sent: Mapping[str, Any]) -> Merge:
    """Return what the fields that were sent come to, beside the stored row.

    Raises:
        StaleRevision: somebody else changed one of the fields, or the revision is not known, of an edit that is not
            to be kept.
        PredecessorMissing: the revision is yet to come, of one that is.
    """
    unknown = edit.base_rev > stored["rev"]
    if unknown and not edit.late:
        raise PredecessorMissing if edit.keep_conflicts else StaleRevision
    base_rev = 0 if unknown else edit.base_rev
    result = merge(stored, sent, read_edits(stored["field_revs"]), base_rev, edit.device_id)
    if result.conflicts and not edit.keep_conflicts:
        raise StaleRevision
    return result


def read_edits(field_revs: Mapping[str, Any]) -> dict[str, FieldEdit]:
    """Return the last edit of each field, as the row keeps them."""
    return {
        name: FieldEdit(said["rev"], said["base"], said["seen"], said["by"])
        for name, said in field_revs.items()
    }


def noted(stored: Mapping[str, Any], changed: Iterable[str], edit: Edit, seen: int) -> str:
    """Return the row's JSON of last edits after these fields were changed in its next revision, from what was seen."""
    base_rev = min(edit.base_rev, stored["rev"])
    mine: dict[str, Any] = {"rev": stored["rev"] + 1, "base": base_rev, "seen": seen, "by": edit.device_id}
    mine["at"] = edit.at.isoformat()
    return json.dumps({**stored["field_revs"], **dict.fromkeys(changed, mine)})
