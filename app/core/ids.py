"""Identifiers: UUID version 7 (RFC 9562), so that new rows land at the end of their index; version 8 of a hash."""

import os
import threading
import time
from uuid import UUID

_RANDOM_BITS = 74
_TAIL_BITS = 62

_lock = threading.Lock()
_latest = 0


def uuid7() -> UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits; of one process each above the last."""
    global _latest
    fresh = time.time_ns() // 1_000_000 << _RANDOM_BITS | int.from_bytes(os.urandom(10), "big") >> 6
    with _lock:
        _latest = fresh = max(fresh, _latest + 1)
    milliseconds, head = fresh >> _RANDOM_BITS, fresh >> _TAIL_BITS & 0xFFF
    return UUID(
        int=milliseconds << 80 | 0x7 << 76 | head << 64 | 0b10 << _TAIL_BITS | fresh & (1 << _TAIL_BITS) - 1
    )


def uuid8(hash_: bytes) -> UUID:
    """Return the UUIDv8 of a hash: 122 of its first 128 bits."""
    bits = int.from_bytes(hash_[:16], "big") & ~(0xF << 76 | 0b11 << _TAIL_BITS)
    return UUID(int=bits | 0x8 << 76 | 0b10 << _TAIL_BITS)
