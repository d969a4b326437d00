"""Photos on their way in: whole or in pieces, over a line that breaks (断点续传).

A photo goes to a file first, so that neither memory nor a database connection is held while a slow phone sends. Pieces
lie in the store under their account's name, where nobody else's requests look, until the photo is whole, or a day is
over. The bytes are stored before the row that speaks of them: a crash between leaves a copy that no row names, never a
row without its copy.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import IO, NamedTuple
from uuid import UUID

import asyncpg
from starlette.requests import ClientDisconnect

from app.core.blobs import Blob, BlobStore, MissingBlob
from app.core.language import Text
from app.core.outcome import Outcome
from app.core.problems import BadRequest, Invalid, NotFound
from app.core.work import Work
from app.schemas.photos import PhotoView, Span, UploadView
from app.services.photos import Arrival, Desk, path_of, sent_photo, store_photo, view

LARGEST_PHOTO = 5 * 1024 * 1024
UNFINISHED_BYTES = 64 * 1024 * 1024
UNFINISHED_PIECES = 1000
"""What one account may leave lying about; beyond it, the oldest gives way."""
UNFINISHED_LIFE = timedelta(days=1)


class WrongHash(Invalid):
    """The bytes that arrived are not those that the path names."""

    code = "wrong-hash"
    title = Text("照片内容与编号不符", "The bytes do not fit the id")
    detail_text = Text(
        "收到的内容的 SHA-256 与地址中的编号不同,未保存;请从头重新上传。",
        "The SHA-256 of what arrived is not the id in the path; nothing was stored. Send it again from the start.",
    )


class WrongRange(Invalid):
    """A Content-Range that is none, or not that of the body."""

    code = "wrong-range"
    title = Text("Content-Range 不正确", "Wrong Content-Range")
    detail_text = Text(
        "Content-Range 应形如 bytes 0-1023/4096,且与正文长度一致。",
        "Content-Range reads bytes 0-1023/4096, and the body is as long as it says.",
    )


class Piece(NamedTuple):
    """Bytes from `first` to `last`, both included, of a photo of `total` bytes."""

    first: int
    last: int
    total: int


@dataclass(frozen=True, slots=True)
class _Sender:
    """Who sends which photo, and the photo's row where this account has sent it before."""

    township_code: int
    account_id: UUID
    sha256: str
    known: Outcome[PhotoView] | None

    @property
    def folder(self) -> str:
        """Where the pieces of all unfinished photos of the account lie."""
        return f"pieces/{self.account_id}"

    def path(self, piece: Piece) -> str:
        return f"{self.folder}/{self.sha256}/{piece.total}/{piece.first}-{piece.last}"


async def receive_photo(
    desk: Desk, sha256: str, piece: Piece | None, body: AsyncIterator[bytes], announced: int | None
) -> Outcome[PhotoView] | UploadView:
    """Take a photo in, or a piece of one; return the photo as soon as it is whole.

    `announced` is the length of the body by its header. What arrives before the line breaks is kept as a piece.

    Raises:
        BadRequest: the line broke.
        WrongHash: the photo is whole and has another hash; its pieces are gone.
        WrongRange: the body is not as long as its range.
        NotAPhoto, TooManyPixels: see `app.core.pictures`.
    """
    with TemporaryFile() as file:
        size, broken = await _spool(body, file)
        sender = await _identify(desk, sha256)
        if broken:
            await _keep_what_came(desk, sender, piece, announced, file, size)
            raise BadRequest
        if piece is None:
            return await _finish(desk, sender, file)
        if size != piece.last - piece.first + 1:
            raise WrongRange
        if sender.known is not None:
            return sender.known
        await _keep(desk, sender, piece, file)
        return await _put_together(desk, sender, piece.total)


async def show_upload(desk: Desk, sha256: str) -> UploadView:
    """Return how much of a photo this account has sent.

    Raises:
        NotFound: nothing of it.
    """
    async with desk.open_work() as work:
        row = await sent_photo(work, sha256)
        account_id = work.account_id
    if row is not None:
        size = row["sent_size"]
        return UploadView(id=sha256, complete=True, total=size, received=size, missing=[])
    pieces = _latest(await desk.store.list(f"pieces/{account_id}/{sha256}"))
    if not pieces:
        raise NotFound
    return _progress(sha256, pieces)


async def forget_unfinished(store: BlobStore, now: datetime) -> None:
    """Delete the pieces that are older than a day."""
    old = [blob.path for blob in await store.list("pieces") if blob.modified < now - UNFINISHED_LIFE]
    await store.delete(old)


async def _spool(body: AsyncIterator[bytes], file: IO[bytes]) -> tuple[int, bool]:
    """Write the body to the file; return its length, and whether the line broke before its end."""
    size = 0
    try:
        async for some in body:
            file.write(some)
            size += len(some)
    except ClientDisconnect:
        return size, True
    return size, False


async def _identify(desk: Desk, sha256: str) -> _Sender:
    async with desk.open_work() as work:
        row = await sent_photo(work, sha256)
        return _Sender(work.township_code, work.account_id, sha256, _replay(work, row) if row else None)


def _replay(work: Work, row: asyncpg.Record) -> Outcome[PhotoView]:
    return Outcome(row["id"], view(work, row), replayed=True)


async def _keep_what_came(
    desk: Desk, sender: _Sender, piece: Piece | None, announced: int | None, file: IO[bytes], size: int
) -> None:
    """Keep the beginning of a body whose line broke."""
    first, total = (piece.first, piece.total) if piece else (0, announced or 0)
    if size > 0 and first + size <= total <= LARGEST_PHOTO and sender.known is None:
        await _keep(desk, sender, Piece(first, first + size - 1, total), file)


async def _keep(desk: Desk, sender: _Sender, piece: Piece, file: IO[bytes]) -> None:
    """Store a piece; make room for it first."""
    file.seek(0)
    data = file.read()
    lying = await desk.store.list(sender.folder)
    await desk.store.delete(_in_the_way(lying, sender, piece, len(data)))
    await desk.store.put(sender.path(piece), data)


def _in_the_way(lying: Iterable[Blob], sender: _Sender, piece: Piece, size: int) -> list[str]:
    """Return what must go: pieces by which the photo had another length, and the oldest of too many."""
    mine, ours = f"{sender.folder}/{sender.sha256}/", f"{sender.folder}/{sender.sha256}/{piece.total}/"
    gone = [blob.path for blob in lying if blob.path.startswith(mine) and not blob.path.startswith(ours)]
    room, places = UNFINISHED_BYTES - size, UNFINISHED_PIECES - 1
    for blob in sorted(lying, key=lambda blob: blob.modified, reverse=True):
        room, places = room - blob.size, places - 1
        if (room < 0 or places < 0) and blob.path not in gone:
            gone.append(blob.path)
    return gone


async def _put_together(desk: Desk, sender: _Sender, total: int) -> Outcome[PhotoView] | UploadView:
    """Return the photo where its pieces are all there, else how much is."""
    pieces = await _pieces_of(desk, sender, total)
    progress = _progress(sender.sha256, pieces)
    if progress.missing:
        return progress
    with TemporaryFile() as file:
        try:
            for blob, piece in pieces:
                data = await desk.store.read(blob.path)
                file.seek(piece.first)
                file.write(data)
        except MissingBlob:  # a parallel request was quicker, and has cleared them away
            return await _what_became(desk, sender, total)
        return await _finish(desk, sender, file)


async def _what_became(desk: Desk, sender: _Sender, total: int) -> Outcome[PhotoView] | UploadView:
    known = (await _identify(desk, sender.sha256)).known
    return known or _progress(sender.sha256, await _pieces_of(desk, sender, total), total)


async def _finish(desk: Desk, sender: _Sender, file: IO[bytes]) -> Outcome[PhotoView]:
    """Take in a photo that is whole. Its pieces go, unless it could not be stored for want of room or time."""
    try:
        done = await _take_in(desk, sender, file)
    except Invalid:
        await _clear(desk, sender)
        raise
    await _clear(desk, sender)
    return done


async def _clear(desk: Desk, sender: _Sender) -> None:
    lying = await desk.store.list(f"{sender.folder}/{sender.sha256}")
    await desk.store.delete([blob.path for blob in lying])


async def _take_in(desk: Desk, sender: _Sender, file: IO[bytes]) -> Outcome[PhotoView]:
    file.seek(0)
    if hashlib.file_digest(file, "sha256").hexdigest() != sender.sha256:  # type: ignore[arg-type]
        raise WrongHash
    if sender.known is not None:
        return sender.known
    size = file.tell()
    picture = await desk.decoders.decode(file)
    copy_sha256 = hashlib.sha256(picture.data).hexdigest()
    await desk.store.put(path_of(sender.township_code, copy_sha256), picture.data)
    async with desk.open_work() as work:
        shown, replayed = await store_photo(work, Arrival(sender.sha256, size, copy_sha256, picture))
    return Outcome(UUID(int=0), shown, replayed)


async def _pieces_of(desk: Desk, sender: _Sender, total: int) -> list[tuple[Blob, Piece]]:
    found = await desk.store.list(f"{sender.folder}/{sender.sha256}")
    return [(blob, piece) for blob, piece in map(_read_path, found) if piece.total == total]


def _latest(lying: Sequence[Blob]) -> list[tuple[Blob, Piece]]:
    """Return the pieces of the length that was told last."""
    if not lying:
        return []
    total = _read_path(max(lying, key=lambda blob: blob.modified))[1].total
    return [(blob, piece) for blob, piece in map(_read_path, lying) if piece.total == total]


def _read_path(blob: Blob) -> tuple[Blob, Piece]:
    *_, total, span = blob.path.split("/")
    first, _, last = span.partition("-")
    return blob, Piece(int(first), int(last), int(total))


def _progress(sha256: str, pieces: Sequence[tuple[Blob, Piece]], total: int = 0) -> UploadView:
    """Return how much has arrived, by pieces that may overlap and come in any order."""
    total = pieces[0][1].total if pieces else total
    missing, reached = [], 0
    for piece in sorted(piece for _, piece in pieces):
        if piece.first > reached:
            missing.append(Span(first=reached, last=piece.first - 1))
        reached = max(reached, piece.last + 1)
    if reached < total:
        missing.append(Span(first=reached, last=total - 1))
    received = total - sum(span.last - span.first + 1 for span in missing)
    return UploadView(id=sha256, complete=False, total=total, received=received, missing=missing)
