"""The key ring: every secret of an installation, in one file that only its owner may read.

It holds the keys that sign tokens (ECDSA P-256; the newest that is not retired signs, all that are not retired verify),
the keys that seal data (AES-256; the newest seals, all open), the key of the lookup hashes and that of refresh tokens.
A ring never changes: rotation makes a new one, and `KeyRing.update` puts it in the file's place, one process at a time.
"""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.core import private_file
from app.core.p256 import to_jwk
from app.core.strict_json import parse

_KEY_BYTES = 32


class KeyRingError(Exception):
    """A key ring that is missing, exposed or damaged; it never shows a key."""


class KeyRingMissing(KeyRingError):
    """There is no key ring yet."""


class KeyRingExists(KeyRingError):
    """There is a key ring already, which a new one would destroy."""


class WeakKey(KeyRingError):
    """A secret that someone could guess."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that signs tokens; `created` and `retired` are epoch seconds."""

    kid: str
    private: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)
    created: int
    retired: int | None = None

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JSON Web Key (RFC 7517)."""
        return to_jwk(self.private.public_key())


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key that seals data; its id is the first byte of all that it sealed."""

    id: int
    secret: bytes = field(repr=False)
    created: int


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of an installation; both lists are in order of age, the newest last."""

    tokens: tuple[TokenKey, ...]
    data: tuple[DataKey, ...]
    index_key: bytes = field(repr=False)
    refresh_key: bytes = field(repr=False)

    @staticmethod
    def generate(now: int) -> "KeyRing":
        """Return a new ring with one key of each kind, each of 256 random bits."""
        random = secrets.token_bytes
        return KeyRing(
            (_token_key(now),), (DataKey(1, random(_KEY_BYTES), now),), random(_KEY_BYTES), random(_KEY_BYTES)
        )

    @staticmethod
    def load(path: Path) -> "KeyRing":
        """Return the ring in a file.

        Raises:
            KeyRingMissing: no such file.
            KeyRingError: someone else may read it, or it is damaged.
            WeakKey: one of its secrets could be guessed.
        """
        try:
            return _checked(_from_json(private_file.read(path)))
        except FileNotFoundError:
            raise KeyRingMissing(f"there is no key ring: {path}") from None
        except (OSError, private_file.ExposedFile) as error:
            raise KeyRingError(f"the key ring cannot be used: {error}") from None

    @staticmethod
    def create(path: Path, now: int) -> "KeyRing":
        """Make a new ring in a new file.

        Raises:
            KeyRingExists: there is a file already; of two that create at once exactly one gets its ring.
        """
        with private_file.locked(path):
            if path.exists():
                raise KeyRingExists(f"there is a key ring already: {path}")
            ring = KeyRing.generate(now)
            private_file.write(path, _to_json(ring))
            return ring

    @staticmethod
    def update(path: Path, change: Callable[["KeyRing"], "KeyRing"]) -> "KeyRing":
        """Put `change(ring)` in the place of a file's ring and return it; no other process's change is lost."""
        with private_file.locked(path):
            ring = _checked(change(KeyRing.load(path)))
            private_file.write(path, _to_json(ring))
            return ring

    def rotate_tokens(self, now: int) -> "KeyRing":
        """Return a ring whose new key signs tokens; tokens of the older ones hold until those are retired."""
        return replace(self, tokens=(*self.tokens, _token_key(now)))

    def retire(self, kid: str, now: int) -> "KeyRing":
        """Return a ring on which a key that signed tokens counts no longer.

        Raises:
            KeyRingError: there is no such key in use, or no other one.
        """
        if kid not in self.public_keys():
            raise KeyRingError("no token key of this id is in use")
        if len(self.public_keys()) == 1:
            raise KeyRingError("the last token key cannot be retired; rotate first")
        return replace(
            self, tokens=tuple(replace(k, retired=now) if k.kid == kid else k for k in self.tokens)
        )

    def rotate_data(self, now: int) -> "KeyRing":
        """Return a ring whose new key seals data; the older ones still open.

        Raises:
            KeyRingError: all 255 ids are taken.
        """
        number = self.data[-1].id + 1
        if number > 255:
            raise KeyRingError("a ring holds at most 255 data keys")
        return replace(self, data=(*self.data, DataKey(number, secrets.token_bytes(_KEY_BYTES), now)))

    @property
    def signing_key(self) -> TokenKey:
        """The key that signs new tokens."""
        return [key for key in self.tokens if key.retired is None][-1]

    def public_keys(self) -> dict[str, dict[str, str]]:
        """Return the public token keys in use, by key id."""
        return {key.kid: key.jwk for key in self.tokens if key.retired is None}

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public token keys in use as a JSON Web Key Set (RFC 7517)."""
        return {"keys": list(self.public_keys().values())}


def _token_key(now: int) -> TokenKey:
    private = ec.generate_private_key(ec.SECP256R1())
    return TokenKey(to_jwk(private.public_key())["kid"], private, now)


def _checked(ring: KeyRing) -> KeyRing:
    """Return the ring if it can be relied on."""
    if not any(key.retired is None for key in ring.tokens) or not ring.data:
        raise KeyRingError("the key ring lacks a key in use")
    ids = [key.id for key in ring.data]
    if ids != sorted(set(ids)) or not 1 <= ids[0] <= ids[-1] <= 255:
        raise KeyRingError("the data keys' ids must rise from 1 to at most 255")
    drawn = [key.private.private_numbers().private_value.to_bytes(_KEY_BYTES, "big") for key in ring.tokens]
    drawn += [key.secret for key in ring.data] + [ring.index_key, ring.refresh_key]
    for secret in drawn:
        _check_strength(secret)
    if len(set(drawn)) != len(drawn):
        raise WeakKey("a secret stands twice in the key ring")
    return ring


def _check_strength(secret: bytes) -> None:
    """Refuse what was not drawn at random; 32 random bytes fail here less than once in 10^13 times."""
    if len(secret) != _KEY_BYTES:
        raise WeakKey("a secret of the key ring has not 256 bits")
    if len(set(secret)) < 12:
        raise WeakKey("a secret of the key ring repeats itself")
    if secret.isascii() and secret.decode().isprintable():
        raise WeakKey("a secret of the key ring is a text")


def _to_json(ring: KeyRing) -> bytes:
    document = {
        "version": 1,
        "tokens": [
            {"kid": key.kid, "private_pem": _pem(key.private), "created": key.created}
            | ({} if key.retired is None else {"retired": key.retired})
            for key in ring.tokens
        ],
        "data": [
            {"id": key.id, "key_b64": b64encode(key.secret).decode(), "created": key.created}
            for key in ring.data
        ],
        "index_key": b64encode(ring.index_key).decode(),
        "refresh_key": b64encode(ring.refresh_key).decode(),
    }
    return json.dumps(document, indent=1).encode()


def _from_json(body: bytes) -> KeyRing:
    try:
        document: Any = parse(body)
        if document["version"] != 1:
            raise KeyRingError("a key ring of another version")
        tokens = tuple(_read_token_key(entry) for entry in document["tokens"])
        data = tuple(
            DataKey(_whole(k["id"]), b64decode(k["key_b64"], validate=True), _whole(k["created"]))
            for k in document["data"]
        )
        index_key = b64decode(document["index_key"], validate=True)
        return KeyRing(tokens, data, index_key, b64decode(document["refresh_key"], validate=True))
    except (LookupError, TypeError, AttributeError, ValueError, UnsupportedAlgorithm):
        raise KeyRingError("the key ring is damaged") from None


def _read_token_key(entry: Any) -> TokenKey:
    private = serialization.load_pem_private_key(entry["private_pem"].encode(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise WeakKey("a token key of the ring is not of the curve P-256")
    if entry["kid"] != to_jwk(private.public_key())["kid"]:
        raise ValueError("a key under another key's name")
    retired = entry.get("retired")
    return TokenKey(
        entry["kid"], private, _whole(entry["created"]), None if retired is None else _whole(retired)
    )


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _pem(private: ec.EllipticCurvePrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
