"""What there is to move (物资目录): the township's, known to all units."""

from collections.abc import Sequence

from app.core.outcome import Outcome
from app.core.scope import township_row
from app.core.work import Work
from app.models.supplies import SupplyItem
from app.schemas.supplies import ItemBody, ItemView
from app.services import batch, records
from app.services.records import Noun, insert

ITEMS = Noun(SupplyItem, "supply-item.create", ItemView)


async def create_items(work: Work, bodies: Sequence[ItemBody]) -> list[Outcome[ItemView]]:
    """Enter kinds of things. An outcome's problem is IdReused."""
    items = await batch.begin(work, ITEMS.name, ITEMS.op, bodies)
    own = {"unit_code": township_row(work.township_code)}
    await insert(work, ITEMS, items, {item.id: own for item in items})
    return await records.outcomes(work, ITEMS, items)
