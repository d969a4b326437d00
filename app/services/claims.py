"""Ids made by clients: which of a batch are new, which repeat what is stored, and which were used for something else.

A service asks `settle` first, so that a repeat is answered whatever the data have become since; inserts the new ones
with `ON CONFLICT DO NOTHING RETURNING id` before any other row of theirs; and asks `settle` again for those that a
parallel request was quicker with.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from app.core.work import Work
from app.schemas.fields import Body


class Settled(NamedTuple):
    """What the table holds of the wanted ids: the same content, or other content."""

    replayed: frozenset[UUID]
    reused: frozenset[UUID]


def content_hash(work: Work, kind: str, body: Body, *target: object) -> bytes:
    """Return the keyed hash of what was asked: the kind, the ids in the path, and the body without its own id."""
    content = body.model_dump_json(exclude={"id"}, warnings=False)
    return work.vault.fingerprint(kind, " ".join((*map(str, target), content)))


async def settle(work: Work, table: str, wanted: Mapping[UUID, bytes]) -> Settled:
    """Look the wanted ids up, under the fence: a row that the caller may not see is not found here."""
    if not wanted:
        return Settled(frozenset(), frozenset())
    rows = await work.sql.fetch(
        f"SELECT id, content_hash FROM {table} WHERE township_code = $1 AND id = ANY($2)",
        work.township_code,
        list(wanted),
    )
    same = frozenset(row["id"] for row in rows if row["content_hash"] == wanted[row["id"]])
    return Settled(same, frozenset(row["id"] for row in rows) - same)


def first_of_each(ids: Iterable[UUID]) -> frozenset[int]:
    """Return the positions at which an id stands for the first time in a batch."""
    seen: set[UUID] = set()
    return frozenset(i for i, id_ in enumerate(ids) if not (id_ in seen or seen.add(id_)))  # type: ignore[func-returns-value]
