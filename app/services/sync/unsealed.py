"""What is sealed at rest and still belongs to a record that is told: a person's phone and masked number, the helpers.

The feed does not keep it. It is read from the record itself, under the caller's own fence, when the record is told.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from app.core.work import Work
from app.domain.feed import CLINIC, RecordKind
from app.domain.identity import mask_id_number
from app.services.quarantine_views import HELPERS
from app.services.sealing import unseal

_PEOPLE = "SELECT id, id_sealed, phone_sealed FROM people WHERE township_code = $1 AND id = ANY($2)"
_ORDERS = "SELECT id, helpers_sealed FROM quarantine_orders WHERE township_code = $1 AND id = ANY($2)"

Told = tuple[str, UUID, str, str | None]
"""A record's kind, id and audience, and its data as JSON text, if it is told with data."""

# JSON escapes these characters, so that they can mark what is to be completed inside it.
_MARKED = re.compile("\x01([a-z_]+):([0-9a-f-]{36}):([a-z0-9-]+)\x02([^\x03]*)\x03")


def marked(row: str) -> str:
    """Return, as SQL, the data of a feed row, marked where something sealed belongs to it."""
    mark = (
        f"chr(1) || {row}.kind || ':' || {row}.id || ':' || {row}.audience || chr(2) || {row}.data || chr(3)"
    )
    kinds = f"('{RecordKind.PERSON}', '{RecordKind.QUARANTINE_ORDER}')"
    return f"CASE WHEN {row}.kind IN {kinds} THEN {mark} ELSE {row}.data END"


async def unsealed_text(work: Work, text: str) -> str:
    """Return a JSON text with its marked data completed."""
    if "\x01" not in text:
        return text
    told = [(kind, UUID(id_), audience, data) for kind, id_, audience, data in _MARKED.findall(text)]
    datas = iter(await unsealed(work, told))
    return _MARKED.sub(lambda _: next(datas) or "null", text)


async def unsealed(work: Work, told: Sequence[Told]) -> list[str | None]:
    """Return the data of each record, completed with what is sealed of it."""
    more = await _people(work, [id_ for kind, id_, _, data in told if data and kind == RecordKind.PERSON])
    more |= await _orders(
        work, [id_ for kind, id_, _, data in told if data and kind == RecordKind.QUARANTINE_ORDER]
    )
    return [
        data if data is None or id_ not in more else _with(more[id_], audience, data)
        for _, id_, audience, data in told
    ]


def _with(sealed: Mapping[str, Any], audience: str, data: str) -> str:
    shown = {name: value for name, value in sealed.items() if audience != CLINIC or name != "id_number"}
    return json.dumps({**json.loads(data), **shown}, ensure_ascii=False, separators=(",", ":"))


async def _people(work: Work, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = await work.sql.fetch(_PEOPLE, work.township_code, ids) if ids else []
    return {row["id"]: _sealed_of_person(work, row) for row in rows}


def _sealed_of_person(work: Work, row: asyncpg.Record) -> dict[str, Any]:
    number = unseal(work, "people.id_number", row["id"], row["id_sealed"])
    phone = unseal(work, "people.phone", row["id"], row["phone_sealed"])
    return {"id_number": number and mask_id_number(number), "phone": phone}


async def _orders(work: Work, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = await work.sql.fetch(_ORDERS, work.township_code, ids) if ids else []
    return {
        row["id"]: {"helpers": json.loads(unseal(work, HELPERS, row["id"], row["helpers_sealed"]) or "[]")}
        for row in rows
    }
