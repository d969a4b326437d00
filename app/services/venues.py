"""Venues (商户、场所): where people meet, unit by unit."""

from collections.abc import Sequence
from uuid import UUID

from app.core.work import Work
from app.domain.feed import RecordKind
from app.models.closures import Venue
from app.schemas.closures import VenueBody, VenuePatch, VenueView
from app.services import batch
from app.services.batch import Item
from app.services.records import Noun, change, insert, lock, refuse_elsewhere, show

VENUES = Noun(Venue, "venue.register", VenueView, RecordKind.VENUE)


async def store_venues(
    work: Work, bodies: Sequence[VenueBody], moments: batch.Moments = None
) -> list[Item[VenueBody]]:
    """Register venues and show nothing.

    An item's problem is NotFound for a unit that the caller does not see, or IdReused.
    """
    items = await batch.begin(work, VENUES.name, VENUES.op, bodies, moments)
    await refuse_elsewhere(work, items)
    await insert(work, VENUES, items, {item.id: {"active": True} for item in items})
    return batch.settle_repeats(items)


async def change_venue(work: Work, venue_id: UUID, body: VenuePatch) -> VenueView:
    """Change what is sent of a venue.

    Raises:
        NotFound: no such venue, or not for this caller.
    """
    venue = await lock(work, VENUES, venue_id)
    sent = body.model_dump(exclude_unset=True)
    changed = {name: value for name, value in sent.items() if venue[name] != value}
    if changed:
        await change(work, VENUES, venue_id, changed)
    return await show(work, VENUES, venue_id)
