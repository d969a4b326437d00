"""The vault: personal numbers sealed at rest, found again by keyed hash; its keys lie outside the database.

A sealed value is one byte of key id, 12 random bytes of nonce, then AES-256-GCM text and tag. With random nonces one
key serves for 2^32 values; `rotate_data` and sealing again come long before.
"""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.keys import KeyRing

_NONCE = 12
_HEAD = 1 + _NONCE


class VaultError(Exception):
    """A value that cannot be sealed, opened or hashed; it never shows the value."""


class Vault:
    """Seals, opens and fingerprints texts with the keys of a ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ciphers = {key.id: AESGCM(key.secret) for key in ring.data}
        self._newest = ring.data[-1].id
        self._index_key = ring.index_key

    @property
    def newest_key_id(self) -> int:
        """The id of the key that seals now: the first byte of all that it seals."""
        return self._newest

    def seal(self, plaintext: str, context: bytes) -> bytes:
        """Return the text encrypted under the newest key.

        `context` (table, field and row id, say) is bound to it: the sealed bytes open in no other place.
        """
        nonce = os.urandom(_NONCE)
        try:
            text = plaintext.encode()
        except UnicodeEncodeError:
            raise VaultError("not a clean text") from None
        return bytes((self._newest,)) + nonce + self._ciphers[self._newest].encrypt(nonce, text, context)

    def open(self, sealed: bytes, context: bytes) -> str:
        """Return the text that was sealed in this context.

        Raises:
            VaultError: its key is not on the ring, or the bytes or the context are not those of `seal`.
        """
        cipher = self._ciphers.get(sealed[0]) if len(sealed) > _HEAD else None
        if cipher is None:
            raise VaultError("no key for this value")
        try:
            return cipher.decrypt(sealed[1:_HEAD], sealed[_HEAD:], context).decode()
        except InvalidTag:
            raise VaultError("not sealed here") from None

    def needs_reseal(self, sealed: bytes) -> bool:
        """Return whether a value lies under an older key than the newest."""
        return sealed[:1] != bytes((self._newest,))

    def fingerprint(self, purpose: str, value: str) -> bytes:
        """Return the 32-byte keyed hash by which a value is found; other purposes give unrelated hashes.

        An ID number has few enough possibilities to be guessed from a plain hash; without the key it cannot be.
        """
        return self._keyed(b"fingerprint", purpose, value)

    def _keyed(self, use: bytes, *texts: str) -> bytes:
        try:
            parts = [use, *(text.encode() for text in texts)]
        except UnicodeEncodeError:
            raise VaultError("not a clean text") from None
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._index_key, message, "sha256")
