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


class Changes:
    """The records that one transaction touched, in the order in which it first did."""

    def __init__(self) -> None:
        self._ops: dict[Record, UUID | None] = {}
        self._departed = False
        self.op_of: dict[Record, UUID] = {}
        """Which operation of a pushed batch a record belongs to, for the audit trail."""

    def __bool__(self) -> bool:
        return bool(self._ops)

    def add(self, kind: StrEnum, ids: Iterable[UUID]) -> None:
        """Note records that were made or changed."""
        for id_ in ids:
            self._ops.setdefault((kind.value, id_), None)

    def depart(self) -> None:
        """Note that some of the records left a scope: where they were shown, a `move_out` is to be told."""
        self._departed = True

    def clear(self) -> None:
        """Forget everything: it was taken back."""
        self._ops.clear()
        self._departed = False

    def call(self, signature: Signature) -> str:
        """Return the call that appends the changes, or '' where there are none, and forget them.

        It is written out in UUIDs, numbers, names of kinds and hexadecimal digits, none of them anybody's text, so
        that it can travel in one message with COMMIT.
        """
        if not self._ops:
            return ""
        device = "NULL" if signature.device_id is None else _text(signature.device_id)
        kinds = ",".join(kind for kind, _ in self._ops)
        ids = ",".join(str(id_) for _, id_ in self._ops)
        ops = ",".join(str(self.op_of.get(record, "NULL")) for record in self._ops)
        call = (
            f"append_feed({signature.township_code:d},'{signature.moment.isoformat()}','{signature.author_id}',"
            f"{device},'{{{kinds}}}','{{{ids}}}','{{{ops}}}',{self._departed!s})"
        )
        self.clear()
        return call


def _text(text: str) -> str:
    """Return a text of anybody's as an SQL expression without any of its characters."""
    return f"convert_from('\\x{text.encode().hex()}'::bytea,'UTF8')"
