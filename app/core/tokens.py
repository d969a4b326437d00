"""Access tokens: ES256, one exact form, everything else is `InvalidToken`. The only file that imports jose.

jose left to itself believes a token's header, decodes loosely and fails in many ways on hostile tokens. So it is asked
last: the header must be, byte for byte, one that we write, and that alone chooses the key, from a fixed table.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jose import jws
from jose.backends.cryptography_backend import CryptographyECKey as Key
from jose.exceptions import JWSError

from app.core import base64url
from app.core.keys import KeyRing
from app.core.p256 import from_jwk
from app.core.strict_json import parse

LEEWAY_SECONDS = 60
LONGEST = 4096
REMEMBERED = 10_000


class InvalidToken(Exception):
    """Not a token that we issued and that counts now; it never says why."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Who calls in which session; times are epoch seconds."""

    account_id: UUID
    session_id: UUID
    issued_at: int
    expires_at: int


def issue(ring: KeyRing, claims: AccessClaims, *, issuer: str, audience: str) -> str:
    """Return a token that says these claims, signed with the ring's newest key."""
    key, payload = ring.signing_key, _payload(claims, issuer, audience)
    return jws.sign(payload, Key(key.private, "ES256"), headers={"kid": key.kid}, algorithm="ES256")


def header_segment(kid: str) -> str:
    """Return the one header that a key's tokens have."""
    return base64url.encode(f'{{"alg":"ES256","kid":"{kid}","typ":"JWT"}}'.encode())


def verify_jws(token: str, table: Mapping[str, Key]) -> bytes:
    """Return what a key of the table (by header segment) signed; InvalidToken for any other text."""
    try:
        header, payload, signature = token.split(".", 3)
        if len(token) > LONGEST or len(base64url.decode(signature)) != 64 or not base64url.decode(payload):
            raise InvalidToken
        return jws.verify(token, table[header], algorithms=["ES256"])
    except (ValueError, KeyError, JWSError):
        raise InvalidToken from None


def read_claims(payload: bytes, issuer: str, audience: str) -> AccessClaims:
    """Return what a signed payload says; InvalidToken unless it has exactly our claims, each of its type."""
    try:
        said: Any = parse(payload)
        claims = AccessClaims(UUID(said["sub"]), UUID(said["sid"]), said["iat"], said["exp"])
    except (ValueError, LookupError, TypeError, AttributeError):
        raise InvalidToken from None
    times = {type(claims.issued_at), type(claims.expires_at)}  # True is no time, nor is 1.0
    if times != {int} or said != _payload(claims, issuer, audience):
        raise InvalidToken
    return claims


def _payload(claims: AccessClaims, issuer: str, audience: str) -> dict[str, str | int]:
    ids = {"sub": str(claims.account_id), "sid": str(claims.session_id)}
    return {"iss": issuer, "aud": audience, **ids, "iat": claims.issued_at, "exp": claims.expires_at}


class TokenVerifier:
    """Judges tokens by a fixed set of public keys (`KeyRing.public_keys`) and remembers the good ones."""

    def __init__(self, public_keys: Mapping[str, Mapping[str, object]], issuer: str, audience: str) -> None:
        self._table = {header_segment(kid): Key(from_jwk(jwk), "ES256") for kid, jwk in public_keys.items()}
        self._parties = (issuer, audience)
        self._verified: OrderedDict[str, AccessClaims] = OrderedDict()

    def verify(self, token: str | bytes, now: int) -> AccessClaims:
        """Return the claims of a token that counts at `now` (epoch seconds); InvalidToken for anything else."""
        text = str(token, "ascii", "replace") if isinstance(token, bytes) else token
        claims = self._verified.get(text) or read_claims(verify_jws(text, self._table), *self._parties)
        if not claims.issued_at - LEEWAY_SECONDS <= now < claims.expires_at:
            self._verified.pop(text, None)
            raise InvalidToken
        self._verified[text] = claims
        if len(self._verified) > REMEMBERED:  # forget the oldest: all live equally long, so it ends next
            self._verified.popitem(last=False)
        return claims
