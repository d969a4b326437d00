"""Cursors: how far a phone has read each scope. A position, never a permission: what it names is read under the fence.

A cursor is signed, so that one which does not fit the feed proves that the feed was set back (a restored backup), and
not that somebody made it up.
"""

import base64
import hmac
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from app.core.problems import at
from app.core.work import Work
from app.domain.feed import scope_name, scope_parts

_TAG = 12
_LONGEST = 64 * 1024

ScopeKey = tuple[int, str]


class Position(NamedTuple):
    """A number of a scope, and the first characters of the hash that its row has: '' before the first row."""

    seq: int
    mark: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far each scope is read, in one epoch."""

    epoch: UUID
    positions: Mapping[ScopeKey, Position] = field(default_factory=dict)

    def text(self, work: Work) -> str:
        """Return the cursor as it travels."""
        said = {
            "e": self.epoch.hex,
            "s": {scope_name(*scope): [*position] for scope, position in self.positions.items()},
        }
        packed = zlib.compress(json.dumps(said, separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(_tag(work, packed) + packed).decode().rstrip("=")


def read_cursor(work: Work, text: str) -> Cursor:
    """Return the cursor that a phone sends back.

    Raises:
        Invalid: this server did not make it.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if not hmac.compare_digest(raw[:_TAG], _tag(work, raw[_TAG:])):
            raise ValueError
        said = json.loads(zlib.decompressobj().decompress(raw[_TAG:], _LONGEST))
    except (ValueError, zlib.error):
        raise at("/cursor", "bad-mark") from None
    scopes = {scope_parts(name): Position(*position) for name, position in said["s"].items()}
    return Cursor(
        UUID(said["e"]), {scope: position for scope, position in scopes.items() if scope is not None}
    )


def _tag(work: Work, packed: bytes) -> bytes:
    return work.vault.fingerprint("cursor", packed.hex())[:_TAG]
