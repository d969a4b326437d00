"""What one transaction changed, to be told in the feed (变更流) as its last act before COMMIT (design, decision 9).

A service says `work.touch(kind, ids)` for every record whose revision it raised. At the end one call appends them:
the database function `append_feed` reads each record as it then stands, locks the heads of the scopes concerned in
their order, and gives each scope its next numbers; number k+1 so exists only after k is visible, and an abort leaves
no gap. A record that was touched twice is told once.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

Record = tuple[str, UUID]


class Signature(NamedTuple):
    """Who changes, on which device, when: what the feed keeps as the audit trail."""

    township_code: int
    moment: datetime
    author_id: UUID
    device_id: str | None


class Told(NamedTuple):
    """A record's place in a scope of the feed, as one transaction told of it."""

    kind: str
    id: UUID
    unit_code: int
    audience: str
    seq: int
    rev: int
    change: str


class Changes:
    """The records that one transaction touched, in the order in which it first did."""

    def __init__(self) -> None:
        self._records: dict[Record, None] = {}
        self._departed = False
        self.op_of: dict[Record, UUID] = {}
        """Which operation of a pushed batch a record belongs to, for the audit trail."""

    def __bool__(self) -> bool:
        return bool(self._records)

    def add(self, kind: StrEnum, ids: Iterable[UUID]) -> None:
        """Note records that were made or changed."""
        for id_ in ids:
            self._records[kind.value, id_] = None

    def depart(self) -> None:
        """Note that some of the records left a scope: where they were shown, a `move_out` is to be told."""
        self._departed = True

    def copy(self) -> "Changes":
        """Return the changes as they are now, to go back to."""
        twin = Changes()
        twin._records, twin._departed, twin.op_of = dict(self._records), self._departed, dict(self.op_of)
        return twin

    def clear(self) -> None:
        """Forget everything: it was taken back."""
        self._records.clear()
        self._departed = False

    def call(self, signature: Signature) -> str:
        """Return the call that appends the changes, or '' where there are none, and forget them.

        It is written out in UUIDs, numbers, names of kinds and hexadecimal digits, none of them anybody's text, so
        that it can travel in one message with COMMIT.
        """
        if not self._records:
            return ""
        device = "NULL" if signature.device_id is None else _text(signature.device_id)
        kinds = ",".join(kind for kind, _ in self._records)
        ids = ",".join(str(id_) for _, id_ in self._records)
        ops = ",".join(str(self.op_of.get(record, "NULL")) for record in self._records)
        call = (
            f"append_feed({signature.township_code:d},'{signature.moment.isoformat()}','{signature.author_id}',"
            f"{device},'{{{kinds}}}','{{{ids}}}','{{{ops}}}',{self._departed!s})"
        )
        self.clear()
        return call


def _text(text: str) -> str:
    """Return a text of anybody's as an SQL expression without any of its characters."""
    return f"convert_from('\\x{text.encode().hex()}'::bytea,'UTF8')"
