"""The cases of docs/vectors/bundles.json: hashes, coded sets, a signed head. `python -m tests.domain.bundle_cases`."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.core.p256 import to_jwk
from app.domain.bundles import RICE, code_set, keyed_hash, slow_digest
from app.services.bundles import bundle_header
from tests.domain.vectors import write

FILE = "bundles.json"
DESCRIPTION = (
    "How a bundle is made. `slow`: scrypt of an ID number (upper case) with N = 2^log2_n, r = 8, p = 1, 8 bytes. "
    "`keyed`: the first 8 bytes of HMAC-SHA256(key, slow hash). `coded`: a set of keyed hashes as Golomb-Rice code, "
    "and who is found in it. `head`: a head as JWS, the root key that signs it, and whether it is good."
)
SALT, KEY = bytes(range(16)), bytes(range(16, 32))
NUMBERS = ("511303198001011231", "51130319850412005x", "110101199003070000")


def base(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def case(rule: str, name: str, given: dict[str, Any], expected: Any) -> dict[str, Any]:
    """Return a case."""
    return {"name": f"{rule}: {name}", "input": {"rule": rule, **given}, "expected": expected}


def slow() -> Iterator[dict[str, Any]]:
    """Yield slow and keyed hashes."""
    for number in NUMBERS:
        for log2_n in (1, 10, 14):
            digest = slow_digest(number, SALT, log2_n)
            given = {"id_number": number, "salt": base(SALT), "log2_n": log2_n}
            yield case("slow", f"{number} at 2^{log2_n}", given, f"{digest:016x}")
        keyed = {"slow": f"{digest:016x}", "key": base(KEY)}
        yield case("keyed", number, keyed, f"{keyed_hash(KEY, digest):016x}")


def member(number: int) -> int:
    """Return a hash that looks drawn at random."""
    return int.from_bytes(hashlib.sha256(f"member {number}".encode()).digest()[:8], "big")


def coded() -> Iterator[dict[str, Any]]:
    """Yield coded sets, with members and others."""
    for size in (0, 1, 2, 7, 100, 1000):
        members = [member(n) for n in range(size)]
        count, code = code_set(members)
        asked = members[:20] + [member(10_000 + n) for n in range(20)] + [0, 2**64 - 1]
        given = {"size": count, "rice": RICE, "code": base(code), "asked": [f"{n:016x}" for n in asked]}
        yield case("coded", f"{size} members", given, [n in members for n in asked])


def signed(private: ec.EllipticCurvePrivateKey, message: str) -> bytes:
    """Return a signature, the same every time (RFC 6979)."""
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(private.sign(message.encode(), algorithm))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def heads() -> Iterator[dict[str, Any]]:
    """Yield signed heads: a good one, and what is wrong with others."""
    private = ec.derive_private_key(20_200_203, ec.SECP256R1())
    root, other = to_jwk(private.public_key()), to_jwk(ec.derive_private_key(7, ec.SECP256R1()).public_key())
    first, second = base(b'{"bundle_no":217728000}'), base(b'{"bundle_no":217728001}')
    message = f"{bundle_header(root['kid'])}.{first}"
    good = f"{message}.{base(signed(private, message))}"
    head, payload, signature = good.split(".")
    spoiled = {
        "another payload": f"{head}.{second}.{signature}",
        "no signature": f"{head}.{payload}.",
        "algorithm none": base(b'{"alg":"none"}') + f".{payload}.",
        "signed with the key as a secret": base(b'{"alg":"HS256"}') + f".{payload}.{signature}",
    }
    other_type = base(b'{"alg":"ES256","kid":"%s","typ":"pass"}' % root["kid"].encode()) + f".{first}"
    spoiled["a pass's header"] = f"{other_type}.{base(signed(private, other_type))}"
    yield case("head", "good", {"head": good, "root": root}, True)
    yield case("head", "another root", {"head": good, "root": other}, False)
    for name, text in spoiled.items():
        yield case("head", name, {"head": text, "root": root}, False)


def build() -> list[dict[str, Any]]:
    """Return every case."""
    return [*slow(), *coded(), *heads()]


if __name__ == "__main__":
    write(FILE, DESCRIPTION, build())
