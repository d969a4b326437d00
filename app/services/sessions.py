"""Logins (contract, section 2): one session a device, a short access token, a refresh token that rotates.

The last refresh token repeated by the same device returns the same successor for ten minutes, because the reply may
have been lost; any other reuse means that somebody else holds a copy, and revokes the whole session.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from app.core import refresh
from app.core.ids import uuid7
from app.core.kit import Kit
from app.core.language import Text
from app.core.problems import Unauthorized
from app.core.tokens import AccessClaims
from app.core.work import OpenWork, Work
from app.schemas.auth import USERNAME, TokenView
from app.services.login_limits import count_try, forgive
from app.services.passwords import verify_password


class BadCredentials(Unauthorized):
    """The name and the password do not fit; which of them is not said."""

    code = "bad-credentials"
    title = Text("登录失败", "Login failed")
    detail_text = Text(
        "用户名或密码不正确,或账号已停用。", "Wrong name or password, or the account is closed."
    )


_ACCOUNT = "SELECT id, password_hash, password_expires_at FROM accounts WHERE username = $1 AND active"

# Asked again when the session starts, and held: a reset or closure meanwhile must not leave a login behind.
_UNCHANGED = "SELECT true FROM accounts WHERE id = $1 AND active AND password_hash = $2 FOR SHARE"

_NEW_SESSION = """
INSERT INTO sessions (id, account_id, device_id, secret, generation, created_at, rotated_at, expires_at)
VALUES ($1, $2, $3, $4, 0, $5, $5, $6)
"""

_LOCKED_SESSION = """
SELECT s.id, s.account_id, s.device_id, s.secret, s.generation, s.rotated_at, a.password_expires_at,
       s.revoked_at IS NULL AND s.expires_at > $2 AND a.active AS alive
FROM sessions s JOIN accounts a ON a.id = s.account_id
WHERE s.id = $1 FOR UPDATE OF s
"""


async def login(
    kit: Kit, open_work: OpenWork, username: str, password: str, device_id: str | None, address: str
) -> TokenView:
    """Start a session.

    Raises:
        BadCredentials: no active account has this name and password.
        TooMany: too many failures of this name or from this address.
    """
    await count_try(open_work, username, address, kit.settings.login_failures)
    async with open_work() as work:
        known = USERNAME.fullmatch(username) is not None
        account = await work.sql.fetchrow(_ACCOUNT, username) if known else None
        now = work.now
    hashed = account["password_hash"] if account is not None else None
    good = await verify_password(password, hashed)
    if account is None or not good or _expired(account, now):
        raise BadCredentials
    async with open_work() as work:
        if await work.sql.fetchval(_UNCHANGED, account["id"], hashed) is None:
            raise BadCredentials
        await forgive(work, username, address)
        session_id, secret = uuid7(), secrets.token_bytes(refresh.SECRET_BYTES)
        ends = work.now + timedelta(days=kit.settings.refresh_days)
        await work.sql.execute(_NEW_SESSION, session_id, account["id"], device_id, secret, work.now, ends)
        temporary = account["password_expires_at"] is not None
        return _tokens(kit, work, account["id"], session_id, secret, 0, temporary)


def _expired(account: asyncpg.Record, now: datetime) -> bool:
    return account["password_expires_at"] is not None and account["password_expires_at"] <= now


async def renew(kit: Kit, open_work: OpenWork, token: str, device_id: str | None) -> TokenView:
    """Exchange a refresh token for its successor.

    Raises:
        Unauthorized: not one of ours, of an ended session, or used before; the last revokes the session.
    """
    try:
        presented = refresh.read(token)
    except refresh.InvalidRefreshToken:
        raise Unauthorized from None
    async with open_work() as work:
        answer = await _renew(kit, work, presented, device_id)
    if answer is None:
        raise Unauthorized
    return answer


async def _renew(
    kit: Kit, work: Work, presented: refresh.RefreshToken, device_id: str | None
) -> TokenView | None:
    session = await work.sql.fetchrow(_LOCKED_SESSION, presented.session_id, work.now)
    if session is None or not refresh.genuine(kit.ring, presented, session["secret"]) or not session["alive"]:
        return None
    judgement = refresh.judge(
        presented.generation,
        session["generation"],
        int(session["rotated_at"].timestamp()),
        int(work.now.timestamp()),
        session["device_id"] == device_id,
    )
    if judgement == "reuse":
        await end_session(work, session["id"])
        return None
    generation = session["generation"]
    if judgement == "rotate":
        generation += 1
        ends = work.now + timedelta(days=kit.settings.refresh_days)
        await work.sql.execute(
            "UPDATE sessions SET generation = $2, rotated_at = $3, expires_at = $4 WHERE id = $1",
            session["id"],
            generation,
            work.now,
            ends,
        )
    temporary = session["password_expires_at"] is not None
    return _tokens(kit, work, session["account_id"], session["id"], session["secret"], generation, temporary)


def _tokens(
    kit: Kit, work: Work, account_id: UUID, session_id: UUID, secret: bytes, generation: int, temporary: bool
) -> TokenView:
    now = int(work.now.timestamp())
    lifetime = kit.settings.access_minutes * 60
    claims = AccessClaims(account_id, session_id, now, now + lifetime)
    return TokenView(
        access_token=kit.issue_token(claims),
        expires_in=lifetime,
        refresh_token=refresh.mint(kit.ring, session_id, secret, generation),
        password_change_required=temporary,
    )


async def end_session(work: Work, session_id: UUID) -> None:
    """Revoke a session; its tokens stop at once."""
    await work.sql.execute(
        "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", session_id, work.now
    )


async def end_sessions(work: Work, account_id: UUID, *, but: UUID | None = None) -> None:
    """Revoke every session of an account, save one."""
    await work.sql.execute(
        "UPDATE sessions SET revoked_at = $3 WHERE account_id = $1 AND id IS DISTINCT FROM $2 AND revoked_at IS NULL",
        account_id,
        but,
        work.now,
    )
