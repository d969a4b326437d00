"""The words in which operations of phones are answered (contract, section 9)."""

from datetime import timedelta
from enum import StrEnum

MOST_OPS = 500
OP_BYTES = 32 * 1024
PATIENCE = timedelta(days=5)
"""How long an operation waits for its predecessor."""


class Status(StrEnum):
    """What became of an operation."""

    APPLIED = "applied"
    MERGED = "merged"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    HELD = "held"
    REJECTED = "rejected"


class Retry(StrEnum):
    """Whether to send an operation again: never, mended under a new id, or as it is, also to ask how it stands."""

    NEVER = "never"
    AFTER_FIX = "after_fix"
    LATER = "later"


class Held(StrEnum):
    """Whom a held operation waits for: what it was made from, or somebody at the township."""

    PREDECESSOR = "predecessor"
    TOWNSHIP = "township"


DONE = frozenset({Status.APPLIED, Status.MERGED})
"""What a repeat answers as `duplicate`."""
