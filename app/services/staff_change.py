"""Changes of staff: the account and the staff row together; they act on the person's next request."""

from typing import Any
from uuid import UUID

import asyncpg

from app.core.language import Text
from app.core.problems import Conflict
from app.core.work import Work
from app.domain.enums import Role
from app.schemas.staff import StaffPatch, StaffView
from app.services.sealing import seal
from app.services.sessions import end_sessions
from app.services.staff import show_staff
from app.services.staff_scope import Assignment, Wish, assign, look_up


class LastTownshipAccount(Conflict):
    """A change that would leave the township without anybody who can manage it."""

    code = "last-township-account"
    title = Text("最后一个镇级账号", "The last township account")
    detail_text = Text(
        "停用或调整后将没有可以登录的镇级账号,请先设置另一个。",
        "Nobody could manage the township any more; first give another township account a password.",
    )


# An account that may be the last is judged with all others of the township locked, in one order for everybody.
_LOCK = """
SELECT id, role, active, password_hash IS NOT NULL AND coalesce(password_expires_at > $3, true) AS may_log_in
FROM accounts
WHERE township_code = $1 AND (id = $2 OR ($4 AND role = 'township' AND active))
ORDER BY id FOR NO KEY UPDATE
"""

_ACCOUNT = """
UPDATE accounts SET username = $3, role = $4, codes = $5, checkpoint_ids = $6, active = $7
WHERE township_code = $1 AND id = $2
"""

# What a phone did before the change still counts when it arrives (contract, section 9).
_FORMER = """
INSERT INTO former_assignments (account_id, ended_at, role, codes, checkpoint_ids)
SELECT id, $3, role, codes, checkpoint_ids FROM accounts
WHERE township_code = $1 AND id = $2 AND (role, codes, checkpoint_ids) IS DISTINCT FROM ($4, $5::bigint[], $6::uuid[])
ON CONFLICT DO NOTHING
"""

_STAFF = """
UPDATE staff SET unit_code = $3, name = $4, codes = $5, checkpoint_ids = $6, team = $7, position = $8, health = $9,
                 active = $10, person_id = $11, phone_sealed = $12, rev = rev + 1
WHERE township_code = $1 AND id = $2
"""


async def change_staff(work: Work, staff_id: UUID, body: StaffPatch) -> StaffView:
    """Change the members that were sent; a closed account's sessions end.

    Raises:
        NotFound: no such staff member, or a unit, checkpoint or person that is not there.
        Invalid: a scope that does not go with the role.
        UsernameTaken: somebody else has the new user name.
        LastTownshipAccount: nobody could manage the township any more.
    """
    seen = await show_staff(work, staff_id)
    if not body.model_fields_set:
        return seen
    locked = await work.sql.fetch(
        _LOCK, work.township_code, staff_id, work.now, bool(body.model_fields_set & {"role", "active"})
    )
    current = await show_staff(work, staff_id)
    new = current.model_copy(update=_sent(body))
    assignment = await _reassign(work, current, body)
    if current.active and current.role is Role.TOWNSHIP and not (new.active and new.role is Role.TOWNSHIP):
        _keep_one(work, [row for row in locked if row["id"] != staff_id])
    await work.sql.execute(
        _FORMER, work.township_code, staff_id, work.now, new.role, assignment.codes, assignment.checkpoint_ids
    )
    await _store(work, new, assignment)
    if current.active and not new.active:
        await end_sessions(work, staff_id)
    return await show_staff(work, staff_id)


def _sent(body: StaffPatch) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.model_fields_set}


async def _reassign(work: Work, current: StaffView, body: StaffPatch) -> Assignment:
    """Return the scope after the change; what is not sent stays where the new role can have it."""
    sent = body.model_fields_set
    role = body.role if "role" in sent else current.role
    codes = body.codes if "codes" in sent else []
    if role is Role.VILLAGE and "codes" not in sent and current.role is Role.VILLAGE:
        codes = [str(code) for code in current.codes]
    gates = body.checkpoint_ids if "checkpoint_ids" in sent else []
    if role is Role.CHECKPOINT and "checkpoint_ids" not in sent:
        gates = current.checkpoint_ids
    person_id = body.person_id if "person_id" in sent else None
    wish = Wish(role, codes, gates, person_id)
    assignment = assign(await look_up(work, [wish]), wish)
    return assignment if "person_id" in sent else assignment._replace(person_id=current.person_id)


def _keep_one(work: Work, others: list[asyncpg.Record]) -> None:
    """Refuse to close the township's last account that somebody can log in with, or is logged in with.

    Raises:
        LastTownshipAccount: no such account would be left.
    """
    if not any(row["may_log_in"] or row["id"] == work.caller.account_id for row in others):
        raise LastTownshipAccount


async def _store(work: Work, new: StaffView, assignment: Assignment) -> None:
    gates = assignment.checkpoint_ids
    await work.sql.execute(
        _ACCOUNT,
        work.township_code,
        new.id,
        new.username,
        new.role,
        assignment.codes,
        gates,
        new.active,
    )
    await work.sql.execute(
        _STAFF,
        work.township_code,
        new.id,
        assignment.rows[0],
        new.name,
        assignment.rows,
        gates,
        new.team,
        new.position,
        new.health,
        new.active,
        assignment.person_id,
        seal(work, "staff.phone", new.id, new.phone),
    )
