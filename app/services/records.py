"""What the township's further systems have in common: records stored in batches, shown, listed and looked up.

A service says with a `Noun` where its records lie and how they look. Its rules, its locks and its counts are its own:

items = await batch.begin(work, PATROLS.name, PATROLS.op, bodies, moments)
await refuse_elsewhere(work, items)
...                                   # further rules, giving a problem to the items refused
for item in await insert(work, PATROLS, items): ...  # count what is new
return batch.settle_repeats(items)
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg

from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import NotFound, at
from app.core.scope import code_range
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.models.base import Event, Written
from app.schemas.fields import Body, View
from app.services import batch, photos
from app.services.batch import Item
from app.services.moments import in_the_future
from app.services.sealing import seal, unseal
from app.services.units import known_units

B = TypeVar("B", bound=Body)
V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class Noun(Generic[V]):
    """A kind of record: its table, what its creation is called, how it is shown, and what tells of it."""

    table: type[Written]
    op: str
    view: type[V]
    kind: RecordKind | None = None
    """As what the feed tells of it; None where it tells nothing."""
    photos: PhotoKind | None = None
    """As what it names photos, if it does."""
    sealed: tuple[str, ...] = ()
    """Fields that are sealed at rest, each in a column `<field>_sealed`."""

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.__tablename__)

    @property
    def key(self) -> str:
        """The time by which records are listed, newest first."""
        return "at" if issubclass(self.table, Event) else "recorded_at"

    @property
    def shown(self) -> str:
        """What a statement selects of it."""
        return f"{self.name}.*" + (f", {photos.pending(self.name)}" if self.photos else "")


async def refuse_elsewhere(work: Work, items: Sequence[Item[Any]]) -> None:
    """Refuse what names a unit that the caller does not see, or a time to come."""
    fresh = [item for item in items if item.fresh]
    known = await known_units(work, {int(item.body.unit_code) for item in fresh})
    for item in fresh:
        if int(item.body.unit_code) not in known:
            item.problem = NotFound()
        else:
            refuse_future(work, item)


def refuse_future(work: Work, item: Item[Any]) -> None:
    """Refuse an event that is said to take place in the future."""
    if in_the_future(work, item.moment.occurred_at):
        item.problem = at(f"/{item.body.takes_place}", "in-the-future")


async def insert(
    work: Work,
    noun: Noun[Any],
    items: Iterable[Item[B]],
    more: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> list[Item[B]]:
    """Store the fresh items: the fields of their bodies by name, and `more` over them, by id. Return those stored now.

    Their photos are named, the feed is told; whoever was quicker with an id is followed.
    """
    fresh = [item for item in items if item.fresh]
    if not fresh:
        return []
    rows = {item.id: _row(work, noun, item) | dict((more or {}).get(item.id, {})) for item in fresh}
    made = await work.sql.fetch(
        f"INSERT INTO {noun.name} SELECT * FROM jsonb_populate_recordset(NULL::{noun.name}, $1::jsonb)"
        " ON CONFLICT DO NOTHING RETURNING id, unit_code",
        json.dumps(list(rows.values()), default=_text),
    )
    unit_of = {row["id"]: row["unit_code"] for row in made}
    stored = [item for item in fresh if item.id in unit_of]
    await batch.follow_winners(work, noun.name, [item for item in fresh if item.id not in unit_of])
    if noun.kind:
        work.touch(noun.kind, unit_of)
    if noun.photos:
        named = (photos.Named(id_, unit, rows[id_]["photo_ids"]) for id_, unit in unit_of.items())
        await photos.name_photos(work, noun.photos, named)
    return stored


def _row(work: Work, noun: Noun[Any], item: Item[Any]) -> dict[str, Any]:
    row: dict[str, Any] = item.body.model_dump(mode="json") | {
        "township_code": work.township_code,
        "id": item.id,
        "content_hash": item.content_hash,
        "author_id": work.account_id,
        "recorded_at": work.now,
        "rev": 1,
    }
    for name in noun.sealed:
        row[f"{name}_sealed"] = seal(work, f"{noun.name}.{name}", item.id, getattr(item.body, name))
    if issubclass(noun.table, Event):
        row |= {
            "at": item.moment.occurred_at,
            "claimed_at": item.moment.claimed_at,
            "time_quality": item.moment.quality,
            "day": local_day(item.moment.occurred_at, work.township.zone),
        }
    return row


def _text(value: Any) -> str:
    """Return a value as PostgreSQL reads it out of JSON."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


async def outcomes(work: Work, noun: Noun[V], items: Sequence[Item[Any]]) -> list[Outcome[V]]:
    """Return what became of each item, with the stored record."""
    views = await by_ids(work, noun, [item.id for item in items if item.problem is None])
    return batch.outcomes(items, views)


async def by_ids(work: Work, noun: Noun[V], ids: Iterable[UUID]) -> dict[UUID, V]:
    """Return the records that the caller sees, by id."""
    rows = await work.sql.fetch(
        f"SELECT {noun.shown} FROM {noun.name} WHERE township_code = $1 AND id = ANY($2)",
        work.township_code,
        list(ids),
    )
    return {row["id"]: view(work, noun, row) for row in rows}


def view(work: Work, noun: Noun[V], row: asyncpg.Record) -> V:
    """Return a stored record as it is shown, what is sealed of it opened."""
    opened = {
        name: unseal(work, f"{noun.name}.{name}", row["id"], row[f"{name}_sealed"]) for name in noun.sealed
    }
    return noun.view.model_validate(dict(row) | opened)


async def show(work: Work, noun: Noun[V], id_: UUID) -> V:
    """Return one record.

    Raises:
        NotFound: no such record, or not for this caller.
    """
    found = await by_ids(work, noun, [id_])
    if id_ not in found:
        raise NotFound
    return found[id_]


async def lock(work: Work, noun: Noun[Any], id_: UUID) -> asyncpg.Record:
    """Lock one record until the end of the transaction, and return it as it is stored.

    Raises:
        NotFound: no such record, or not for this caller.
    """
    statement = f"SELECT * FROM {noun.name} WHERE township_code = $1 AND id = $2 FOR NO KEY UPDATE"
    row = await work.sql.fetchrow(statement, work.township_code, id_)
    if row is None:
        raise NotFound
    return row


async def change(work: Work, noun: Noun[Any], id_: UUID, fields: Mapping[str, Any]) -> None:
    """Change columns of a locked record, raise its revision, and tell the feed."""
    changes = ", ".join(f"{name} = ${place}" for place, name in enumerate(fields, 3))
    await work.sql.execute(
        f"UPDATE {noun.name} SET {changes}, rev = rev + 1 WHERE township_code = $1 AND id = $2",
        work.township_code,
        id_,
        *fields.values(),
    )
    if noun.kind:
        work.touch(noun.kind, [id_])


async def page(
    work: Work, noun: Noun[V], paging: Paging, *, code: str | None = None, **equal: Any
) -> Page[V]:
    """Return a page of the records that the caller sees, newest first; columns may be asked to equal values.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    conditions, arguments = ["township_code = $1"], [work.township_code]

    def where(condition: str, *values: Any) -> None:
        places = [f"${len(arguments) + n}" for n in range(1, len(values) + 1)]
        arguments.extend(values)
        conditions.append(condition.format(*places))

    if code is not None:
        if not work.caller.scope.contains(code):
            raise NotFound
        where("unit_code >= {} AND unit_code < {}", *code_range(code))
    for column, value in equal.items():
        if value is not None:
            where(f"{column} = {{}}", value)
    behind = paging.key(datetime, UUID)
    if behind:
        where(f"({noun.key}, id) < ({{}}, {{}})", *behind)
    rows = await work.sql.fetch(
        f"SELECT {noun.shown} FROM {noun.name} WHERE {' AND '.join(conditions)}"
        f" ORDER BY {noun.key} DESC, id DESC LIMIT {paging.limit + 1:d}",
        *arguments,
    )
    shown = rows[: paging.limit]
    more = mark(shown[-1][noun.key], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[view(work, noun, row) for row in shown], next=more)
