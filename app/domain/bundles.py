"""The offline bundle (离线包): what a gate's phone holds so that it can rule without signal (contract, section 10).

People stand in it without names. An ID number goes through a slow hash under the township's weekly salt, which the
phone repeats for whoever stands before it, and through a cheap keyed one, so that the sets of two gates have nothing
in common. Small sets are exact; the residents are coded with some 20 bits each, at the price that one stranger of
262,144 is taken for one.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

FETCH_AFTER = timedelta(minutes=15)
"""A phone with signal fetches a new bundle when its own is older."""
AMBER_AFTER = timedelta(hours=24)
"""From then on the phone's answer is a proposal: ID cards are looked at by hand."""
HARD_EXPIRY = timedelta(hours=72)
"""From then on the phone lets nobody pass by itself."""

_FIRST_NUMBER = datetime.fromisoformat("2020-01-01T00:00:00Z")

RICE = 18
"""The low bits of each coded difference that are written as they are; one stranger of 2^18 is taken for a member."""
SALT_BYTES = KEY_BYTES = 16
_HASH_BYTES = 8


def next_bundle_no(last: int, now: datetime) -> int:
    """Return the number of a bundle: the seconds since 2020, or one more than the last.

    So it rises also after a restore from a backup, in which nobody knows how far the gate's phones had come.
    """
    return max(last + 1, int((now - _FIRST_NUMBER).total_seconds()))


def slow_digest(id_number: str, salt: bytes, log2_n: int) -> int:
    """Return the slow hash of an ID number: scrypt (RFC 7914) with N = 2^log2_n, r = 8, p = 1, as 64 bits.

    At N = 2^14 it takes 16 MiB and some 50 ms. Who has a stolen bundle pays it for every number that he tries.
    """
    n = 1 << log2_n
    text = id_number.upper().encode("ascii")
    hashed = hashlib.scrypt(text, salt=salt, n=n, r=8, p=1, dklen=_HASH_BYTES, maxmem=2048 * n + 2**20)
    return int.from_bytes(hashed, "big")


def keyed_hash(key: bytes, digest: int) -> int:
    """Return a member of a bundle's set: the first 64 bits of HMAC-SHA256(key, the slow hash's 8 bytes)."""
    hashed = hmac.digest(key, digest.to_bytes(_HASH_BYTES, "big"), "sha256")
    return int.from_bytes(hashed[:_HASH_BYTES], "big")


def place_in(hash_: int, size: int) -> int:
    """Return where a 64-bit hash falls in the range 0 to size·2^18, in which a set of that size is coded."""
    return hash_ * (size << RICE) >> 64


def code_set(hashes: Iterable[int]) -> tuple[int, bytes]:
    """Return the size of a set of 64-bit hashes and its Golomb-Rice code.

    The hashes' places, in rising order, are written as differences: the upper part in unary (that many ones and a
    zero), then 18 bits as they are; the last byte is filled up with zeros. (As in Bitcoin's BIP 158, with other
    parameters.)
    """
    members = set(hashes)
    size, last, bits = len(members), 0, []
    for place in sorted(place_in(member, size) for member in members):
        quotient, rest = divmod(place - last, 1 << RICE)
        bits.append("1" * quotient + "0" + format(rest, f"0{RICE}b"))
        last = place
    written = "".join(bits)
    written += "0" * (-len(written) % 8)
    return size, int(written, 2).to_bytes(len(written) // 8, "big") if written else b""
