"""Conflicts: two values for one field, or somebody registered twice. One stands; both are kept until a person chose."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

import asyncpg
from pydantic_core import to_jsonable_python

from app.core.language import Text
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, NotFound
from app.core.work import Work
from app.domain.feed import RecordKind
from app.domain.identity import InvalidIdNumber, mask_id_number, parse_id_number
from app.domain.merge import SAFETY
from app.schemas.households import HouseholdPatch, PersonPatch
from app.schemas.sync import ConflictView
from app.services.household_edits import edit_household
from app.services.lanes import in_name_of
from app.services.person_edits import edit_person
from app.services.sealing import id_fingerprint, seal, unseal
from app.services.sync.ops import Op

Keep = Literal["current", "proposed"]
REGISTERED = "person-registered"
CURRENT, PROPOSED = "conflicts.current", "conflicts.proposed"


class AlreadyClosed(Conflict):
    """Somebody chose before, and otherwise."""

    code = "conflict-closed"
    title = Text("该冲突已处理", "Conflict already closed")
    detail_text = Text(
        "该冲突已由他人处理,选择与您不同。", "Somebody closed this conflict before, and chose otherwise."
    )


@dataclass(frozen=True, slots=True)
class _New:
    """A conflict to open."""

    op: Op
    reason: str
    unit_code: int
    kind: RecordKind
    record_id: UUID
    field: str | None
    current: Any
    proposed: Any
    preferred: Keep
    current_author_id: UUID | None = None


_INSERT = """
INSERT INTO conflicts (township_code, unit_code, id, op_id, reason, kind, record_id, field, current_sealed,
    proposed_sealed, preferred, current_author_id, proposed_author_id, opened_at, status)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'open')
ON CONFLICT DO NOTHING
"""

_AUTHOR = """
SELECT author_id FROM feed WHERE township_code = $1 AND unit_code = $2 AND audience = 'unit' AND kind = $3 AND id = $4
ORDER BY seq DESC LIMIT 1
"""

_KNOWN = """
SELECT id, unit_code, household_id, name, relation, author_id FROM people
WHERE township_code = $1 AND id_fingerprint = $2
"""

_COLUMNS = """
id, unit_code, op_id, reason, kind, record_id, field, current_sealed, proposed_sealed, preferred, current_author_id,
proposed_author_id, opened_at, status, kept, resolved_at, resolved_by
"""

_PAGE = f"""
SELECT {_COLUMNS} FROM conflicts
WHERE township_code = $1 AND ($2::text IS NULL OR status = $2) AND ($3::bigint IS NULL OR unit_code = $3)
    AND ($4::uuid IS NULL OR record_id = $4) AND ($5::uuid IS NULL OR id > $5)
ORDER BY id LIMIT $6
"""

_READ = f"SELECT {_COLUMNS} FROM conflicts WHERE township_code = $1 AND id = $2"
_LOCK = f"{_READ} FOR UPDATE"
_LOCK_RECORD = (
    """SELECT 1 FROM households WHERE township_code = $1 AND (id = $2 OR id IN (
        SELECT household_id FROM people WHERE township_code = $1 AND id = $2)) ORDER BY id FOR UPDATE""",
    "SELECT 1 FROM people WHERE township_code = $1 AND id = $2 FOR UPDATE",
)

_CLOSE = """
UPDATE conflicts SET status = 'closed', kept = $3, resolved_at = $4, resolved_by = $5
WHERE township_code = $1 AND id = $2
"""

_TABLES = {RecordKind.HOUSEHOLD: "households", RecordKind.PERSON: "people"}
_REV, _UNIT = (
    {
        kind: f"SELECT {column} FROM {table} WHERE township_code = $1 AND id = $2"
        for kind, table in _TABLES.items()
    }
    for column in ("rev", "unit_code")
)


async def open_conflicts(work: Work, ops: Iterable[Op]) -> None:
    """Keep what operations said otherwise than what stands, each where it acted."""
    for op in ops:
        if op.status is None and (op.dropped or op.edited):
            async with in_name_of(work, op.reach or work.caller):
                for number, new in enumerate(await _of(work, op)):
                    await _insert(work, new, uuid5(op.id, f"conflict/{new.field or number}"))


async def _of(work: Work, op: Op) -> list[_New]:
    if op.dropped:
        return [await _registered(work, op, said) for said in op.dropped]
    if op.edited is None or op.entity is None or not (op.edited.conflicts or op.late):
        return []
    kind, id_ = op.entity
    author = await work.sql.fetchval(_AUTHOR, work.township_code, op.edited.unit_code, kind, id_)
    # Where it stands by now: an operation of this batch may have moved it.
    unit = await work.sql.fetchval(_UNIT[kind], work.township_code, id_) or op.edited.unit_code
    if not op.edited.conflicts:
        before = {name: _plain(name, value) for name, value in op.edited.before.items()}
        said = op.body.model_dump(include=set(before))
        return [_New(op, "predecessor-missing", unit, kind, id_, None, before, said, "proposed", author)]
    return [
        _New(
            op,
            "predecessor-missing" if op.late else "same-field",
            unit,
            kind,
            id_,
            c.field,
            _plain(c.field, c.current),
            _plain(c.field, c.proposed),
            "current" if c.kept == c.current else "proposed",
            author,
        )
        for c in op.edited.conflicts
    ]


def _plain(field: str, value: Any) -> Any:
    """Return a field's value as clients send it."""
    return str(value) if field == "unit_code" else value


async def _registered(work: Work, op: Op, said: Any) -> _New:
    """Return the conflict about somebody who is registered; whom the caller does not see is not shown."""
    person = getattr(said, "person", None) or said
    row = await _known(work, person.id_number)
    proposed = said.model_dump(mode="json", exclude_none=True)
    current = row and {name: row[name] for name in ("id", "household_id", "name", "relation")}
    if op.target is not None:  # an edit: it is about the person whom it names, not the one who has the number
        unit = await _own_unit(work, op)
        return _New(op, REGISTERED, unit, RecordKind.PERSON, op.target, None, current, proposed, "current")
    if row is None:
        id_ = op.entity[1] if op.entity else op.id
        kind = op.entity[0] if op.entity else RecordKind.PERSON
        return _New(op, REGISTERED, await _own_unit(work, op), kind, id_, None, None, proposed, "current")
    return _New(
        op, REGISTERED, row["unit_code"], RecordKind.PERSON, row["id"], None, current, proposed, "current",
        row["author_id"],
    )  # fmt: skip


async def _known(work: Work, id_number: str | None) -> asyncpg.Record | None:
    try:
        print_ = id_fingerprint(work, parse_id_number(id_number or "").value)
    except InvalidIdNumber:
        return None
    return await work.sql.fetchrow(_KNOWN, work.township_code, print_)


async def _own_unit(work: Work, op: Op) -> int:
    """Return the unit in which an operation that registers somebody, or gives them a number, acts."""
    named = getattr(op.body, "unit_code", None)
    if named is not None:
        return int(named)
    kind = RecordKind.PERSON if op.target else RecordKind.HOUSEHOLD
    unit: int = await work.sql.fetchval(_UNIT[kind], work.township_code, op.target or op.body.household_id)
    return unit


async def _insert(work: Work, new: _New, id_: UUID) -> None:
    await work.sql.execute(
        _INSERT,
        work.township_code,
        new.unit_code,
        id_,
        new.op.id,
        new.reason,
        new.kind,
        new.record_id,
        new.field,
        seal(work, CURRENT, id_, _text(new.current)),
        seal(work, PROPOSED, id_, _text(new.proposed)),
        new.preferred,
        new.current_author_id,
        work.account_id,
        work.now,
    )


def _text(value: Any) -> str:
    return json.dumps(to_jsonable_python(value), ensure_ascii=False)


async def list_conflicts(
    work: Work, paging: Paging, status: str | None, unit_code: str | None, record_id: UUID | None
) -> Page[ConflictView]:
    """Return a page of conflicts in the caller's units."""
    (behind,) = paging.key(UUID) or (None,)
    unit = int(unit_code) if unit_code else None
    rows = await work.sql.fetch(_PAGE, work.township_code, status, unit, record_id, behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[_view(work, row) for row in shown], next=more)


async def resolve_conflict(work: Work, conflict_id: UUID, keep: Keep) -> ConflictView:
    """Close a conflict; the value that is kept becomes the record's, if it is not already.

    Raises:
        NotFound: no such conflict, or the record has left the caller's units.
        AlreadyClosed: it was closed with the other value.
        Conflict: the value cannot stand any more, because another record has it now.
    """
    row = await _lock(work, conflict_id)
    if row["status"] == "closed":
        if row["kept"] != keep:
            raise AlreadyClosed
        return _view(work, row)
    await _apply(work, row, keep)
    await work.sql.execute(_CLOSE, work.township_code, conflict_id, keep, work.now, work.account_id)
    return _view(work, await work.sql.fetchrow(_LOCK, work.township_code, conflict_id))


async def _lock(work: Work, conflict_id: UUID) -> asyncpg.Record:
    """Lock a conflict behind its record, as whoever moves or edits the record does.

    Raises:
        NotFound: no such conflict.
    """
    row = await work.sql.fetchrow(_READ, work.township_code, conflict_id)
    if row is not None:
        for statement in _LOCK_RECORD:
            await work.sql.execute(statement, work.township_code, row["record_id"])
        row = await work.sql.fetchrow(_LOCK, work.township_code, conflict_id)
    if row is None:
        raise NotFound
    return row


async def _apply(work: Work, row: asyncpg.Record, keep: Keep) -> None:
    """Let the value that was chosen stand, unless it stands already."""
    values = _values(work, row)
    kind, record_id, said = RecordKind(row["kind"]), row["record_id"], values[keep]
    if row["reason"] == REGISTERED:
        if keep == "current":
            return
        changes = _person_fields(said)
        if (
            "base_rev" not in said
        ):  # no edit, but somebody registered anew: it says something of the person who is known
            known = await _known(work, (said.get("person") or said).get("id_number"))
            kind, record_id = RecordKind.PERSON, known and known["id"]
    elif said == _standing(row, values):
        return
    else:
        changes = said if row["field"] is None else {row["field"]: said}
    rev = await work.sql.fetchval(_REV[kind], work.township_code, record_id)
    if rev is None:
        raise NotFound
    content = {"base_rev": rev, **changes}
    if kind == RecordKind.HOUSEHOLD:
        await edit_household(work, record_id, HouseholdPatch.model_validate(content))
    else:
        await edit_person(work, record_id, PersonPatch.model_validate(content))


def _standing(row: asyncpg.Record, values: Mapping[str, Any]) -> Any:
    """Return the value that a conflict left standing: of a safety field it may be neither."""
    cautious = SAFETY.get(row["field"] or "")
    return cautious(values["current"], values["proposed"]) if cautious else values[row["preferred"]]


def _person_fields(said: dict[str, Any]) -> dict[str, Any]:
    """Return what a registration or an edit said of a person besides who they are."""
    person = said.get("person") or said
    return {name: person[name] for name in ("name", "phone", "relation") if person.get(name) is not None}


def _view(work: Work, row: asyncpg.Record | None) -> ConflictView:
    assert row is not None
    values = {name: _masked(value, row["field"]) for name, value in _values(work, row).items()}
    return ConflictView.model_validate({**dict(row), **values})


def _values(work: Work, row: asyncpg.Record) -> dict[str, Any]:
    return {
        "current": json.loads(unseal(work, CURRENT, row["id"], row["current_sealed"]) or "null"),
        "proposed": json.loads(unseal(work, PROPOSED, row["id"], row["proposed_sealed"]) or "null"),
    }


def _masked(value: Any, name: str | None) -> Any:
    """Return a value with its ID numbers masked, as everywhere: they are shown whole by a logged `reveal` only."""
    if isinstance(value, dict):
        return {member: _masked(inner, member) for member, inner in value.items()}
    return mask_id_number(value) if name == "id_number" and isinstance(value, str) else value
