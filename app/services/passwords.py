"""Passwords: Argon2id, hashed and verified on a few threads so that logins cannot starve the event loop."""

import secrets

from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.field_texts import FIELD_TEXTS, declare
from app.core.problems import FieldError, Invalid
from app.domain.passwords import PasswordFault, password_faults

_hasher = PasswordHash((Argon2Hasher(),))
_limiter: CapacityLimiter | None = None
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
# Verified when there is no such account, so that the time of an answer tells nobody which names exist.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$2Lfb1GdTG4CTcPWfPx3aKyRHdLgcGOJWE5gDcyo8sSg"

declare(PasswordFault.TOO_SHORT, "密码至少10位。", "A password has at least 10 characters.")
declare(PasswordFault.IS_USERNAME, "密码不能与用户名相同。", "A password is not the user name.")
declare(PasswordFault.COMMON, "密码过于常见。", "This password is one of the first that anyone tries.")
declare(PasswordFault.REPEATED, "密码不能只用一个字符。", "A password has more than one character.")


def _limit() -> CapacityLimiter:
    global _limiter
    if _limiter is None:
        _limiter = CapacityLimiter(2)
    return _limiter


async def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password."""
    return await to_thread.run_sync(_hasher.hash, password, limiter=_limit())


async def verify_password(password: str, hashed: str | None) -> bool:
    """Tell whether the password is the hashed one; without a hash it takes as long and answers no."""
    good = await to_thread.run_sync(_hasher.verify, password, hashed or _NOBODY, limiter=_limit())
    return good and hashed is not None


def check_strength(password: str, username: str, pointer: str) -> None:
    """Refuse a weak password.

    Raises:
        Invalid: too short, too common, or the account's own name.
    """
    faults = password_faults(password, username)
    if faults:
        raise Invalid([FieldError(pointer, fault, FIELD_TEXTS[fault]) for fault in faults])


def make_password() -> str:
    """Return a new random password that can be read out over a phone (about 59 bits)."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
