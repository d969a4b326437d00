"""Base64url without padding (RFC 7515, section 2), read strictly: one text for one value."""

import base64
import binascii


def encode(data: bytes) -> str:
    """Return the base64url text of some bytes, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of a base64url text.

    The standard library skips characters that it does not know and ignores unused bits; so the bytes are encoded again
    and must give the very same text.

    Raises:
        ValueError: the text is not the one canonical encoding of any bytes.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
