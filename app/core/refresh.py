"""Refresh tokens: `wgr1.<session>.<generation>.<mac>`, the same text whenever it is minted for the same place.

Each refresh moves a session one generation on. Because a token follows from its session and generation alone, the last
token repeated (its reply was lost) can be answered with the same successor, and nothing secret has to be stored in the
clear: a forger needs the key ring and the session's own secret from the database.
"""

import hmac
import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.core import base64url
from app.core.keys import KeyRing

GRACE_SECONDS = 600
SECRET_BYTES = 32

_SHAPE = re.compile(r"wgr1\.([A-Za-z0-9_-]{22})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})")

Judgement = Literal["rotate", "repeat", "reuse"]


class InvalidRefreshToken(Exception):
    """A text that no `mint` can have made."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token says; true only after `genuine`."""

    session_id: UUID
    generation: int
    mac: bytes


def mint(ring: KeyRing, session_id: UUID, session_secret: bytes, generation: int) -> str:
    """Return the refresh token of a session's generation; the same arguments always give the same text."""
    mac = _mac(ring, session_id, session_secret, generation)
    return f"wgr1.{base64url.encode(session_id.bytes)}.{generation}.{base64url.encode(mac)}"


def read(token: str) -> RefreshToken:
    """Return what a presented token says, so that its session can be looked up.

    Raises:
        InvalidRefreshToken: it has not the exact form.
    """
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        raise InvalidRefreshToken
    session, generation, mac = shape.groups()
    try:
        return RefreshToken(UUID(bytes=base64url.decode(session)), int(generation), base64url.decode(mac))
    except ValueError:
        raise InvalidRefreshToken from None


def genuine(ring: KeyRing, token: RefreshToken, session_secret: bytes) -> bool:
    """Return whether we minted the token for the session with this secret, in constant time."""
    return hmac.compare_digest(token.mac, _mac(ring, token.session_id, session_secret, token.generation))


def judge(
    presented: int, current: int, rotated_at: int, now: int, same_device: bool, grace: int = GRACE_SECONDS
) -> Judgement:
    """Return what to do with a genuine token of generation `presented`; times and grace are in seconds.

    `rotate` moves the session on; `repeat` answers with the token of the current generation once more; `reuse` revokes
    the whole family, because someone else holds a copy.
    """
    if presented == current:
        return "rotate"
    if presented == current - 1 and same_device and now - rotated_at <= grace:
        return "repeat"
    return "reuse"


def _mac(ring: KeyRing, session_id: UUID, session_secret: bytes, generation: int) -> bytes:
    if len(session_secret) != SECRET_BYTES:
        raise ValueError(f"a session's secret has {SECRET_BYTES} bytes")
    message = b"wgr1" + session_id.bytes + session_secret + generation.to_bytes(8, "big")
    return hmac.digest(ring.refresh_key, message, "sha256")
