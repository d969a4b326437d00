"""The caller's own account."""

from app.core.field_texts import declare
from app.core.problems import at
from app.core.work import OpenWork, Work
from app.schemas.auth import MeTownship, MeView
from app.services.login_limits import count_change, forgive_change
from app.services.passwords import check_strength, hash_password, verify_password
from app.services.sessions import end_sessions

declare("password-wrong", "原密码不正确。", "This is not your present password.")
declare("password-unchanged", "新密码不能与原密码相同。", "Choose another password than the present one.")

_ACCOUNT = """
SELECT a.id, a.username, a.role, a.codes, a.checkpoint_ids, a.password_hash, a.password_expires_at, s.name
FROM accounts a LEFT JOIN staff s ON s.township_code = a.township_code AND s.id = a.id
WHERE a.id = $1
"""

# Only where the password is still the one that was verified: a reset meanwhile stands.
_CHANGE = """
UPDATE accounts SET password_hash = $2, password_expires_at = NULL WHERE id = $1 AND password_hash = $3 RETURNING id
"""


async def describe(work: Work) -> MeView:
    """Return the caller's account."""
    row = await work.sql.fetchrow(_ACCOUNT, work.account_id)
    assert row is not None
    return MeView(
        id=row["id"],
        username=row["username"],
        name=row["name"] or row["username"],
        role=row["role"],
        codes=row["codes"],
        checkpoint_ids=row["checkpoint_ids"],
        township=MeTownship(
            code=work.township.code, name=work.township.name, timezone=work.township.zone.key
        ),
        password_change_required=row["password_expires_at"] is not None,
    )


async def change_password(open_work: OpenWork, old: str, new: str) -> None:
    """Change the caller's password, and end their other sessions. No transaction is open while passwords are hashed.

    Raises:
        Invalid: the old one is wrong, or the new one is weak or no other.
        TooMany: too many wrong old ones.
    """
    async with open_work() as work:
        account = await work.sql.fetchrow(_ACCOUNT, work.account_id)
    assert account is not None
    check_strength(new, account["username"], "/new")
    await count_change(open_work, account["id"])
    if not await verify_password(old, account["password_hash"]):
        raise at("/old", "password-wrong")
    if new == old:
        raise at("/new", "password-unchanged")
    hashed = await hash_password(new)
    async with open_work() as work:
        if await work.sql.fetchval(_CHANGE, account["id"], hashed, account["password_hash"]) is None:
            raise at("/old", "password-wrong")
        await forgive_change(work, account["id"])
        await end_sessions(work, account["id"], but=work.caller.session_id)
