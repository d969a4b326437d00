"""Photos (照片): which records name them, who has sent them, and who may see them.

A photo is named by the hash of its bytes, and a hash is easily passed on. So naming one gives nobody a look at it: it
counts for a record, and is seen through it, once the record's own author has sent the bytes. Whoever sees the record
then sees the photo, whichever unit its household has moved to, and nobody sees it otherwise, not even its sender.
"""

import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from app.core.blobs import BlobStore, MissingBlob
from app.core.ids import uuid7
from app.core.pictures import SUFFIXES, Decoders, Picture
from app.core.problems import NotFound, Unavailable
from app.core.scope import township_row
from app.core.work import OpenWork, Work
from app.domain.enums import PhotoKind
from app.schemas.photos import PhotoView, Position
from app.services.sealing import seal, unseal

log = logging.getLogger("wangge.photos")

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A camera that says it is earlier has lost its clock."""

_NAME = """
INSERT INTO photo_uses (township_code, kind, author_id, record_id, unit_code, sha256)
SELECT DISTINCT $1::bigint, $2::text, $3::uuid, n.record_id, n.unit_code, n.sha256
FROM unnest($4::uuid[], $5::bigint[], $6::text[]) AS n(record_id, unit_code, sha256)
ON CONFLICT DO NOTHING
"""

_FOLLOW_VISITS = """
UPDATE photo_uses u SET unit_code = v.unit_code FROM visits v
WHERE u.township_code = $1 AND v.township_code = $1 AND u.kind = 'visit' AND u.record_id = v.id AND v.order_id = ANY($2)
"""

_SHOWN = """
p.id, p.sha256, p.author_id, p.recorded_at, p.sent_size, p.copy_sha256, p.media_type, p.size, p.width, p.height,
p.taken_at, p.position_sealed
"""

_SEEN = f"""
SELECT {_SHOWN} FROM photo_uses u
JOIN photos p ON p.township_code = u.township_code AND p.sha256 = u.sha256 AND p.author_id = u.author_id
WHERE u.township_code = $1 AND u.sha256 = $2 ORDER BY p.id LIMIT 1
"""

_SEEN_OTHERWISE = """
SELECT EXISTS (SELECT 1 FROM photo_uses u
    JOIN photos p ON p.township_code = u.township_code AND p.sha256 = u.sha256 AND p.author_id = u.author_id
    WHERE u.township_code = $1 AND u.sha256 = $2 AND u.kind <> 'bulletin')
"""

_SENT = f"SELECT {_SHOWN} FROM photos p WHERE p.township_code = $1 AND p.sha256 = $2 AND p.author_id = $3"

_STORE = """
INSERT INTO photos (township_code, unit_code, id, sha256, author_id, recorded_at, sent_size, copy_sha256, media_type,
    size, width, height, taken_at, position_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where photos are taken in and given out: no transaction is held while their bytes are on the way."""

    open_work: OpenWork
    store: BlobStore
    decoders: Decoders


class Named(NamedTuple):
    """A stored record and the photos that it names."""

    record_id: UUID
    unit_code: int
    photo_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A photo that has been decoded and whose copy lies in the store."""

    sha256: str
    sent_size: int
    copy_sha256: str
    picture: Picture


async def name_photos(
    work: Work, kind: PhotoKind, records: Iterable[Named], author_id: UUID | None = None
) -> None:
    """Note which photos the records name that have just been stored; costs nothing where none does.

    Their author is the caller, unless the program acts for somebody.
    """
    uses = [(r.record_id, r.unit_code, sha256) for r in records for sha256 in r.photo_ids]
    if uses:
        author = author_id or work.account_id
        await work.sql.execute(_NAME, work.township_code, kind, author, *zip(*uses, strict=True))


async def follow_orders(work: Work, order_ids: Sequence[UUID]) -> None:
    """Let the photos of the orders' visits be seen where the visits are, after these have moved to another unit."""
    await work.sql.execute(_FOLLOW_VISITS, work.township_code, order_ids)


def pending(table: str) -> str:
    """Return the SQL column `photo_pending` of a table of records: the photos that they name and that have not arrived.

    A record without photos costs one comparison.
    """
    return f"""CASE WHEN {table}.photo_ids = '{{}}' THEN '{{}}' ELSE ARRAY(
        SELECT named.sha256 FROM unnest({table}.photo_ids) WITH ORDINALITY AS named(sha256, place)
        WHERE NOT EXISTS (SELECT 1 FROM photos p WHERE p.township_code = {table}.township_code
            AND p.sha256 = named.sha256 AND p.author_id = {table}.author_id)
        GROUP BY named.sha256 ORDER BY min(named.place)) END AS photo_pending"""


def path_of(township_code: int, copy_sha256: str) -> str:
    """Return where a cleaned copy lies in the store."""
    return f"photos/{township_code}/{copy_sha256}"


async def find_photo(work: Work, sha256: str) -> asyncpg.Record:
    """Return the photo's row.

    Raises:
        NotFound: no record that the caller sees names a photo that has arrived for it.
    """
    row = await work.sql.fetchrow(_SEEN, work.township_code, sha256)
    if row is None:
        raise NotFound
    return row


async def show_details(desk: Desk, sha256: str) -> PhotoView:
    """Return what is told of a photo; raises as `find_photo` does.

    Whoever sees it only because it was published hears neither where nor when it was taken: that is somebody's home.
    """
    async with desk.open_work() as work:
        shown = view(work, await find_photo(work, sha256))
        if not await work.sql.fetchval(_SEEN_OTHERWISE, work.township_code, sha256):
            shown.position = shown.taken_at = None
        return shown


@dataclass(frozen=True, slots=True)
class Copy:
    """The cleaned copy of a photo that the caller may see."""

    sha256: str
    copy_sha256: str
    media_type: str
    size: int
    path: str

    @property
    def etag(self) -> str:
        """The strong ETag: the hash of the bytes that are sent."""
        return f'"{self.copy_sha256[:32]}"'

    @property
    def name(self) -> str:
        """A name for the file."""
        return f"{self.sha256[:16]}.{SUFFIXES[self.media_type]}"


async def find_copy(desk: Desk, sha256: str) -> Copy:
    """Return where a photo's copy lies; raises as `find_photo` does."""
    async with desk.open_work() as work:
        row = await find_photo(work, sha256)
        path = path_of(work.township_code, row["copy_sha256"])
        return Copy(sha256, row["copy_sha256"], row["media_type"], row["size"], path)


async def open_copy(desk: Desk, copy: Copy) -> AsyncIterator[bytes]:
    """Return the copy's bytes, piece by piece.

    Raises:
        Unavailable: the store is away, or was not restored together with the database.
    """
    try:
        return await desk.store.open(copy.path)
    except MissingBlob as error:
        log.exception("a photo's copy is missing from the store")
        raise Unavailable(60) from error


async def sent_photo(work: Work, sha256: str) -> asyncpg.Record | None:
    """Return the photo's row as this account has sent it, or None."""
    return await work.sql.fetchrow(_SENT, work.township_code, sha256, work.account_id)


async def store_photo(work: Work, arrival: Arrival) -> tuple[PhotoView, bool]:
    """Store that the caller has sent a photo; return it, and whether a parallel request was quicker."""
    picture, id_ = arrival.picture, uuid7()
    taken_at = _taken_at(work, picture.taken)
    sealed = seal(work, "photos.position", id_, json.dumps(picture.position) if picture.position else None)
    done = await work.sql.execute(
        _STORE, work.township_code, _home(work), id_, arrival.sha256, work.account_id, work.now, arrival.sent_size,
        arrival.copy_sha256, picture.media_type, len(picture.data), picture.width, picture.height, taken_at, sealed,
    )  # fmt: skip
    row = await sent_photo(work, arrival.sha256)
    if row is not None:
        return view(work, row), done == "INSERT 0 0"
    # Sent by this account when it served another unit, whose rows it sees no more: no news for it, and no secret.
    return _view_of(work, arrival, taken_at), False


def view(work: Work, row: asyncpg.Record) -> PhotoView:
    """Return what is told of a stored photo."""
    position = unseal(work, "photos.position", row["id"], row["position_sealed"])
    shown = {
        **dict(row),
        "id": row["sha256"],
        "position": _position(json.loads(position)) if position else None,
    }
    return PhotoView.model_validate(shown)


def _view_of(work: Work, arrival: Arrival, taken_at: datetime | None) -> PhotoView:
    picture = arrival.picture
    return PhotoView(
        id=arrival.sha256,
        media_type=picture.media_type,
        size=len(picture.data),
        width=picture.width,
        height=picture.height,
        taken_at=taken_at,
        position=_position(picture.position) if picture.position else None,
        author_id=work.account_id,
        recorded_at=work.now,
    )


def _position(pair: Sequence[float]) -> Position:
    return Position(latitude=pair[0], longitude=pair[1])


def _home(work: Work) -> int:
    """Return the unit that the sender's row stands in: the first of theirs, or the township's own row."""
    return work.caller.scope.first_unit or township_row(work.township_code)


def _taken_at(work: Work, taken: str | None) -> datetime | None:
    """Return when a photo was taken; None where the camera's clock says what cannot be."""
    if taken is None:
        return None
    try:
        told = datetime.fromisoformat(taken)
        moment = (told if told.tzinfo else told.replace(tzinfo=work.township.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment <= work.now + timedelta(days=1) else None
