"""Photos that the public sends (群众举报照片): each of a tip that names it, so that nobody stores anything else here.

They are taken in as those of staff are; their author is, like the tip's, nobody.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from uuid import UUID

from app.core.outcome import Outcome
from app.core.problems import NotFound
from app.core.scope import township_row
from app.schemas.public import PhotoReceiptView
from app.services.photo_uploads import receive_photo
from app.services.photos import Desk
from app.services.public_reports import Stranger, writing

SENT_WITHIN = timedelta(days=1)
"""How long after its tip a photo may come."""

_NAMED = """
SELECT EXISTS (SELECT 1 FROM tips WHERE township_code = $1 AND id = $2 AND unit_code = $5 AND source = 'public'
    AND photo_ids @> ARRAY[$3] AND recorded_at > $4)
"""


async def send_tip_photo(
    stranger: Stranger,
    tip_id: UUID,
    sha256: str,
    place: tuple[str | None, str | None],
    body: AsyncIterator[bytes],
) -> Outcome[PhotoReceiptView]:
    """Take in a photo of a tip; `place` is the poster or the township to which the tip was sent.

    Nothing of the body is read before it is known that the tip names it.

    Raises:
        TooMany, Invalid, NotFound: as of a tip; NotFound also for a tip of today that does not name the photo.
        BadRequest: the line broke. WrongHash, NotAPhoto, TooManyPixels: see `app.services.photo_uploads`.
    """
    async with writing(stranger, *place, counts="photos", again=("tips", tip_id)) as (work, unit_code):
        since, unit = work.now - SENT_WITHIN, unit_code or township_row(work.township_code)
        if not await work.sql.fetchval(_NAMED, work.township_code, tip_id, sha256, since, unit):
            raise NotFound
        town = work.township_code
    desk = Desk(partial(stranger.open_township, town), stranger.kit.photos, stranger.kit.public_decoders)
    sent = await receive_photo(desk, sha256, None, body, None)
    assert isinstance(sent, Outcome), "a photo that is no piece is whole"
    return Outcome(sent.id, PhotoReceiptView(id=sha256, recorded_at=sent.take().recorded_at), sent.replayed)
