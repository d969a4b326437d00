"""Results: what an operation is answered, now and for every repeat."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from app.core.feed import Told
from app.core.field_texts import FIELD_TEXTS
from app.core.problems import CATALOGUE, Broken, FieldError, Forbidden, IdReused, NotFound
from app.core.work import Caller, Work
from app.domain.enums import Role
from app.domain.feed import AUDIENCES_OF, UNIT, scope_name
from app.domain.sync import DONE, Held, Retry, Status
from app.services.edits import PredecessorMissing
from app.services.lanes import in_offices_name
from app.services.sync.ops import Op

PERSON_REGISTERED, SAME_FIELD = "person-registered", "stale-revision"
_HOPELESS = (NotFound.code, Forbidden.code)


@dataclass(frozen=True, slots=True)
class Result:
    """One operation's result, in the words that are stored."""

    id: UUID
    named: bool
    status: Status
    code: str | None = None
    errors: tuple[FieldError, ...] = ()
    entity: tuple[str, UUID] | None = None
    rev: int | None = None
    scope: str | None = None
    seq: int | None = None
    held_for: Held | None = None

    @classmethod
    def reused(cls, op: Op) -> "Result":
        """Return the result of an id that was used for something else."""
        return cls(op.id, op.named, Status.REJECTED, IdReused.code)

    def repeated(self) -> "Result":
        """Return the result as a repeat is answered."""
        return replace(self, status=Status.DUPLICATE) if self.status in DONE else self

    @property
    def retry(self) -> Retry:
        """Whether to send it again."""
        if self.status == Status.HELD or self.code == Broken.code:
            return Retry.LATER
        if self.status == Status.REJECTED and self.code not in _HOPELESS:
            return Retry.AFTER_FIX
        return Retry.NEVER

    def answer(self, language: str) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        said: dict[str, Any] = {"op_id": str(self.id) if self.named else None, "status": self.status}
        if self.code is not None:
            said["code"] = self.code
            said["message"] = CATALOGUE[self.code].detail_text.say(language)
        if self.errors:
            said["errors"] = [
                {"pointer": e.pointer, "code": e.code, "message": e.message.say(language)}
                for e in self.errors
            ]
        if self.entity is not None and self.rev is not None:
            said["entity"] = {"kind": self.entity[0], "id": str(self.entity[1]), "rev": self.rev}
        if self.scope is not None:
            said["scope"], said["seq"] = self.scope, self.seq
        said["retry"] = self.retry
        return said


class Place(NamedTuple):
    """Where somebody finds a record in the feed; only the revision, where it lies outside their units."""

    rev: int
    scope: str | None
    seq: int | None


Places = Mapping[tuple[str, UUID], Place]


def result_of(op: Op, places: Places) -> Result:
    """Return what became of an operation, with the place of its record."""
    status, code = _fate(op)
    shown = None if op.problem or status == Status.HELD else op.entity
    place = places.get(shown) if shown else None
    return Result(
        op.id,
        op.named,
        status,
        code,
        tuple(op.problem.errors) if op.problem and status == Status.REJECTED else (),
        shown,
        place.rev if place else None,
        place.scope if place else None,
        place.seq if place else None,
        op.held_for if status == Status.HELD else None,
    )


def _fate(op: Op) -> tuple[Status, str | None]:
    problem, edited = op.problem, op.edited
    if op.status == Status.HELD:
        return Status.HELD, problem.code if problem else PredecessorMissing.code
    if op.dropped:
        return Status.CONFLICT, PERSON_REGISTERED
    if problem is not None:
        return Status.REJECTED, problem.code
    if edited is not None and (edited.conflicts or op.late):
        return Status.CONFLICT, PredecessorMissing.code if op.late else SAME_FIELD
    return Status.MERGED if edited is not None and edited.merged else Status.APPLIED, None


def stored_result(row: asyncpg.Record, named: bool) -> Result:
    """Return the result of a stored operation, as a repeat is answered."""
    status = Status(row["status"])
    return Result(
        row["id"],
        named,
        Status.DUPLICATE if status in DONE else status,
        row["code"],
        tuple(FieldError(e["pointer"], e["code"], FIELD_TEXTS[e["code"]]) for e in row["errors"] or ()),
        (row["entity_kind"], row["entity_id"]) if row["entity_kind"] else None,
        row["rev"],
        row["scope"],
        row["seq"],
        Held(row["held_for"]) if row["held_for"] and status == Status.HELD else None,
    )


_LATEST = """
SELECT DISTINCT ON (f.kind, f.id) f.kind, f.id, f.unit_code, f.audience, f.seq, f.rev, f.change
FROM feed_heads h JOIN feed f ON f.township_code = $1 AND f.unit_code = h.unit_code AND f.audience = h.audience
    AND f.kind = ANY($2) AND f.id = ANY($3) AND f.change = 'put'
WHERE h.township_code = $1 AND split_part(h.audience, '-', 1) = ANY($4)
ORDER BY f.kind, f.id, f.at DESC, f.seq DESC
"""


async def places_of(work: Work, reader: Caller, ops: Iterable[Op], told: Iterable[Told]) -> Places:
    """Return the revision, scope and number under which their author finds what the operations made, changed or met.

    Where a record stands that has left the reader's units, or of which others are told, they are not told.
    """
    audiences = AUDIENCES_OF[Role(reader.role)]
    places: dict[tuple[str, UUID], Place] = {}
    put = [row for row in told if row.change == "put"]
    for row in put:
        if row.audience.partition("-")[0] in audiences:
            places.setdefault((row.kind, row.id), _place(reader, row))
    for row in put:
        places.setdefault((row.kind, row.id), Place(row.rev, None, None))
    unchanged = {op.entity for op in ops if op.entity and not op.problem and op.entity not in places}
    if unchanged:
        kinds, ids = zip(*unchanged, strict=True)
        rows = await work.sql.fetch(_LATEST, work.township_code, kinds, ids, audiences)
        places |= {(row["kind"], row["id"]): _place(reader, Told(*row)) for row in rows}
    unseen = unchanged - places.keys()
    if unseen:
        places |= await _revisions(work, unseen)
    return places


async def _revisions(work: Work, records: Collection[tuple[str, UUID]]) -> Places:
    """Return the revisions of records that stood before and of which the author's feed does not tell."""
    kinds, ids = zip(*records, strict=True)
    async with in_offices_name(work):
        rows = await work.sql.fetch(_LATEST, work.township_code, kinds, ids, [UNIT])
    return {(row["kind"], row["id"]): Place(row["rev"], None, None) for row in rows}


def _place(reader: Caller, told: Told) -> Place:
    if not reader.scope.contains_unit(told.unit_code):
        return Place(told.rev, None, None)
    return Place(told.rev, scope_name(told.unit_code, told.audience), told.seq)
