"""Passwords that the township or an operator gives, and the operator's way to make a login."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from app.core.work import OpenWork, Work
from app.domain.enums import Role
from app.schemas.staff import StaffBody
from app.services.passwords import check_strength, hash_password, make_password
from app.services.sessions import end_sessions
from app.services.staff import show_staff
from app.services.staff_create import create_staff

TEMPORARY = timedelta(days=7)

_SET = """
UPDATE accounts SET password_hash = $3, password_expires_at = $4 WHERE township_code = $1 AND id = $2
"""


class NewUser(NamedTuple):
    """A login that an operator made; `password` is the temporary one, or None where the operator chose it."""

    id: UUID
    password: str | None


async def give_temporary_password(open_work: OpenWork, staff_id: UUID) -> str:
    """Give a staff member a random password, good for 7 days until they choose their own; their sessions end.

    No transaction is open while it is hashed: an office may do this for all its cadres at once.

    Raises:
        NotFound: no such staff member, or none in the caller's scope.
    """
    async with open_work() as work:
        await show_staff(work, staff_id)
    password = make_password()
    hashed = await hash_password(password)
    async with open_work() as work:
        await _store(work, staff_id, hashed, work.now + TEMPORARY)
    return password


async def set_password(work: Work, staff_id: UUID, password: str) -> None:
    """Give an account a password that stays, as an operator does; its sessions end.

    Raises:
        NotFound: no such staff member.
        Invalid: a weak password.
    """
    staff = await show_staff(work, staff_id)
    check_strength(password, staff.username, "/password")
    await _store(work, staff_id, await hash_password(password), None)


async def _store(work: Work, staff_id: UUID, hashed: str, expires_at: datetime | None) -> None:
    await work.sql.execute(_SET, work.township_code, staff_id, hashed, expires_at)
    await end_sessions(work, staff_id)


async def create_user(
    work: Work,
    username: str,
    name: str,
    role: Role,
    codes: Sequence[str] = (),
    password: str | None = None,
    checkpoint_ids: Sequence[UUID] = (),
) -> NewUser:
    """Create a staff member who can log in: with the given password, or with a temporary one that is returned.

    Raises:
        ValidationError: of Pydantic, for a user name, name, role or code that is malformed.
        UsernameTaken, NotFound, Invalid: as for `create_staff`; a weak password is Invalid too.
    """
    asked = {"username": username, "name": name, "role": role, "codes": list(codes)}
    body = StaffBody.model_validate({**asked, "checkpoint_ids": list(checkpoint_ids)})
    if password is not None:
        check_strength(password, username, "/password")
    (outcome,) = await create_staff(work, [body])
    staff_id = outcome.take().id
    if password is None:
        temporary = make_password()
        await _store(work, staff_id, await hash_password(temporary), work.now + TEMPORARY)
        return NewUser(staff_id, temporary)
    await set_password(work, staff_id, password)
    return NewUser(staff_id, None)
