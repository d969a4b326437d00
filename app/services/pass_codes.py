"""The text of a pass's QR code, and its signature: a true JWS whose fixed header both sides write out themselves.

So nothing in a code chooses an algorithm or a key but its eight bits of key number, and whoever has a JWS library can
check one: the token is `header.payload.signature`, the header being `pass_header(key number)`.
"""

import base45
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from app.core import base64url
from app.domain.passes import CODE_LENGTH, PAYLOAD_BYTES, PREFIX, SIGNATURE_BYTES

_HALF = SIGNATURE_BYTES // 2
_ES256 = ec.ECDSA(hashes.SHA256())


def read_code(text: str) -> tuple[bytes, bytes] | None:
    """Return the payload and the signature of a code, or None where it is no code of ours. Nothing is trimmed."""
    if len(text) != CODE_LENGTH or not text.startswith(PREFIX) or "\n" in text:
        return None
    try:
        data = base45.b45decode(text[len(PREFIX) :])
    except ValueError:
        return None
    if len(data) != PAYLOAD_BYTES + SIGNATURE_BYTES:
        return None
    return data[:PAYLOAD_BYTES], data[PAYLOAD_BYTES:]


def write_code(payload: bytes, signature: bytes) -> str:
    """Return the text of the QR code."""
    return PREFIX + str(base45.b45encode(payload + signature), "ascii")


def pass_header(key_id: int) -> str:
    """Return the one header segment that a key's passes have."""
    return base64url.encode(f'{{"alg":"ES256","kid":"{key_id}","typ":"pass"}}'.encode())


def sign_es256(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Return the 64 bytes of an ES256 signature (RFC 7518): r and s."""
    r, s = decode_dss_signature(key.sign(message, _ES256))
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def verify_es256(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    """Tell whether 64 bytes are a key's ES256 signature of a message."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
    try:
        key.verify(encode_dss_signature(r, s), message, _ES256)
    except InvalidSignature:
        return False
    return True


def pass_message(key_id: int, payload: bytes) -> bytes:
    """Return what is signed of a pass: the JWS signing input."""
    return f"{pass_header(key_id)}.{base64url.encode(payload)}".encode()
