"""New staff, one or many: an account and a staff row with the same id, written together."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from app.core.language import Text
from app.core.outcome import Outcome
from app.core.problems import Conflict, Problem
from app.core.work import Work
from app.schemas.staff import StaffBody, StaffView
from app.services.batch import Item, begin, follow_winners, outcomes
from app.services.sealing import seal
from app.services.staff import staff_views
from app.services.staff_scope import Assignment, Wish, assign, look_up


class UsernameTaken(Conflict):
    """Somebody has this user name, here or in another township."""

    code = "username-taken"
    title = Text("用户名已被使用", "User name taken")
    detail_text = Text("该用户名已有人使用,请换一个。", "This user name is taken; choose another.")
    constraints = ("uq_accounts_username",)


class _Draft(NamedTuple):
    """An item whose scope holds, on its way to two rows."""

    item: Item[StaffBody]
    scope: Assignment

    @property
    def id(self) -> UUID:
        return self.item.id

    @property
    def body(self) -> StaffBody:
        return self.item.body


# A list in a row travels as a PostgreSQL array literal: `unnest` would flatten an array of arrays.
_ACCOUNTS = """
INSERT INTO accounts (id, township_code, username, role, codes, checkpoint_ids, active, created_at)
SELECT n.id, $1, n.username, n.role, n.codes::bigint[], n.checkpoint_ids::uuid[], n.active, $2
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[])
     AS n(id, username, role, codes, checkpoint_ids, active)
ON CONFLICT DO NOTHING RETURNING id
"""

_STAFF = """
INSERT INTO staff (township_code, author_id, recorded_at, rev, unit_code, id, name, phone_sealed, codes,
                   checkpoint_ids, team, position, health, active, person_id, content_hash)
SELECT $1, $2, $3, 1, n.unit_code, n.id, n.name, n.phone_sealed, n.codes::bigint[], n.checkpoint_ids::uuid[],
       n.team, n.position, n.health, n.active, n.person_id, n.content_hash
FROM unnest($4::bigint[], $5::uuid[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::text[], $11::text[],
            $12::text[], $13::bool[], $14::uuid[], $15::bytea[])
     AS n(unit_code, id, name, phone_sealed, codes, checkpoint_ids, team, position, health, active, person_id,
          content_hash)
"""

_TAKEN_IDS = "SELECT id FROM accounts WHERE id = ANY($1)"


async def create_staff(work: Work, bodies: Sequence[StaffBody]) -> list[Outcome[StaffView]]:
    """Create staff with their accounts, without passwords.

    Problems of one item: IdReused, UsernameTaken, NotFound (a unit, checkpoint or person), Invalid (a scope that does
    not go with the role).
    """
    items = await begin(work, "staff", "staff.create", bodies)
    drafts = await _assign(work, [item for item in items if item.fresh])
    made = await _insert(work, drafts)
    await _explain(work, [draft.item for draft in drafts if draft.id not in made])
    views = await staff_views(work, {item.id for item in items if item.problem is None})
    return outcomes(items, views)


def _wish(body: StaffBody) -> Wish:
    return Wish(body.role, body.codes, body.checkpoint_ids, body.person_id)


async def _assign(work: Work, items: list[Item[StaffBody]]) -> list[_Draft]:
    """Return the items whose scope holds, in the order in which rows are inserted; the others get their problem."""
    register = await look_up(work, [_wish(item.body) for item in items])
    drafts = []
    for item in items:
        try:
            drafts.append(_Draft(item, assign(register, _wish(item.body))))
        except Problem as problem:
            item.problem = problem
    return sorted(drafts, key=lambda d: d.body.username)  # parallel batches wait in line, not in a circle


async def _insert(work: Work, drafts: list[_Draft]) -> set[UUID]:
    """Insert accounts, then the staff rows of those that were free; return their ids."""
    if not drafts:
        return set()
    rows = await work.sql.fetch(
        _ACCOUNTS,
        work.township_code,
        work.now,
        [d.id for d in drafts],
        [d.body.username for d in drafts],
        [d.body.role.value for d in drafts],
        [_array(d.scope.codes) for d in drafts],
        [_array(d.scope.checkpoint_ids) for d in drafts],
        [d.body.active for d in drafts],
    )
    made = {row["id"] for row in rows}
    await _insert_staff(work, [d for d in drafts if d.id in made])
    return made


async def _insert_staff(work: Work, drafts: list[_Draft]) -> None:
    await work.sql.execute(
        _STAFF,
        work.township_code,
        work.account_id,
        work.now,
        [d.scope.rows[0] for d in drafts],
        [d.id for d in drafts],
        [d.body.name for d in drafts],
        [seal(work, "staff.phone", d.id, d.body.phone) for d in drafts],
        [_array(d.scope.rows) for d in drafts],
        [_array(d.scope.checkpoint_ids) for d in drafts],
        [d.body.team for d in drafts],
        [d.body.position for d in drafts],
        [d.body.health for d in drafts],
        [d.body.active for d in drafts],
        [d.scope.person_id for d in drafts],
        [d.item.content_hash for d in drafts],
    )


async def _explain(work: Work, losers: list[Item[StaffBody]]) -> None:
    """Say why accounts were not made: a parallel request was quicker, the id is taken, or the user name is."""
    if not losers:
        return
    await follow_winners(work, "staff", losers)
    taken = {row["id"] for row in await work.sql.fetch(_TAKEN_IDS, [item.id for item in losers])}
    for item in losers:
        if item.problem is not None and item.id not in taken:
            item.problem = UsernameTaken()


def _array(values: Sequence[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
