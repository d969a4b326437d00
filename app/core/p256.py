"""P-256 keys as JSON Web Keys (RFC 7517, 7518), written in one form and read strictly."""

import hashlib
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec

from app.core import base64url

_COORDINATE_BYTES = 32
_FORM = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig"}
_MEMBERS = {*_FORM, "x", "y", "kid"}


def to_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Return the JSON Web Key of a key, named by the SHA-256 of its point (RFC 7638): no two keys share a name."""
    point = {"crv": "P-256", "kty": "EC", **_coordinates(key)}
    canonical = json.dumps(point, separators=(",", ":"), sort_keys=True)
    return {"kid": base64url.encode(hashlib.sha256(canonical.encode()).digest()), **_FORM, **point}


def from_jwk(jwk: Mapping[str, object]) -> ec.EllipticCurvePublicKey:
    """Return the key of a JSON Web Key.

    Raises:
        ValueError: it is not a public P-256 key for ES256 signatures with a point on the curve, in canonical form.
    """
    if not jwk.keys() <= _MEMBERS or any(jwk.get(name) != value for name, value in _FORM.items()):
        raise ValueError("not a public ES256 key")
    return ec.EllipticCurvePublicNumbers(
        _number(jwk.get("x")), _number(jwk.get("y")), ec.SECP256R1()
    ).public_key()


def _coordinates(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    named = {"x": numbers.x, "y": numbers.y}
    return {
        name: base64url.encode(number.to_bytes(_COORDINATE_BYTES, "big")) for name, number in named.items()
    }


def _number(text: object) -> int:
    data = base64url.decode(text) if isinstance(text, str) else b""
    if len(data) != _COORDINATE_BYTES:
        raise ValueError("not a coordinate of P-256")
    return int.from_bytes(data, "big")
