"""Bulletins (公开发布): incidents as all units read them, with the names of citizens masked.

A bulletin is written once, with the names that the register held then. Whoever publishes need not see all of the
township's people: the names are looked up in the township's name, and nothing of them comes back but asterisks.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid5

from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import PhotoKind
from app.domain.feed import RecordKind
from app.domain.outcomes import public_text
from app.models.outcomes import Bulletin
from app.schemas.outcomes import BulletinView, IncidentBody
from app.services.batch import Item
from app.services.lanes import in_offices_name
from app.services.records import Noun, insert
from app.services.townships import hold_units

BULLETINS = Noun(Bulletin, "bulletin", BulletinView, RecordKind.BULLETIN, PhotoKind.BULLETIN)

_NAMES = "SELECT DISTINCT name FROM people WHERE township_code = $1 AND strpos($2, name) > 0"


async def publish(work: Work, incidents: Sequence[Item[IncidentBody]]) -> None:
    """Write the bulletins of incidents that have just been stored; all units are told at once."""
    if not incidents:
        return
    await hold_units(work)
    names = await _names_in(work, "\n".join(item.body.note for item in incidents))
    items = [replace(item, id=uuid5(item.id, "bulletin")) for item in incidents]
    more: dict[Any, dict[str, Any]] = {
        item.id: {
            "incident_id": of.id,
            "note": public_text(of.body.note, names),
            "day": local_day(of.moment.occurred_at, work.township.zone),
        }
        for item, of in zip(items, incidents, strict=True)
    }
    await insert(work, BULLETINS, items, more)


async def _names_in(work: Work, text: str) -> list[str]:
    """Return the names of registered people of the township that occur in a text."""
    async with in_offices_name(work):
        return [row["name"] for row in await work.sql.fetch(_NAMES, work.township_code, text)]
