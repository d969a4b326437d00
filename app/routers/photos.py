"""Photos (照片): sent whole or in pieces, seen through the records that name them."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.responses import JSONResponse, StreamingResponse

from app.access import allow_steps
from app.core.pictures import SUFFIXES
from app.core.problems import TooLarge, UnsupportedMedia
from app.core.representations import holds_already
from app.core.strict_route import StrictRoute
from app.core.work import OpenWork
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import PhotoId
from app.schemas.photos import PhotoView, UploadView
from app.services import photo_uploads, photos
from app.services.photo_uploads import LARGEST_PHOTO, Piece, WrongRange
from app.services.photos import Desk


class PhotoRoute(StrictRoute):
    """A route that takes a photo, which may be larger than any JSON."""

    body_limit = LARGEST_PHOTO


router = APIRouter(prefix="/v1/photos", tags=["photos"], route_class=PhotoRoute)


def _desk(request: Request, open_work: OpenWork) -> Desk:
    kit = request.app.state.kit
    return Desk(open_work, kit.photos, kit.decoders)


Reader = Annotated[OpenWork, allow_steps(Permission.PHOTOS_READ)]
Sender = Annotated[OpenWork, allow_steps(Permission.PHOTOS_WRITE)]

BYTES = "application/octet-stream"
_FILE = {"schema": {"type": "string", "format": "binary"}}
PHOTO_BODY = {"requestBody": {"required": True, "content": dict.fromkeys((*SUFFIXES, BYTES), _FILE)}}
_SENT: dict[int | str, dict[str, Any]] = {
    202: {"model": UploadView, "description": "A piece has arrived, and others are missing."},
    413: {"description": "More than 5 MiB."},
}
_COPY: dict[int | str, dict[str, Any]] = {
    200: {"content": dict.fromkeys(SUFFIXES, _FILE), "description": "The cleaned copy."},
    304: {"description": "The copy that If-None-Match names."},
}
_RANGE = r"^bytes [0-9]{1,12}-[0-9]{1,12}/[0-9]{1,12}$"


@router.put("/{sha256}", status_code=201, response_model=PhotoView, responses=_SENT, openapi_extra=PHOTO_BODY)
async def send_photo(
    open_work: Sender,
    request: Request,
    response: Response,
    sha256: PhotoId,
    content_range: Annotated[
        str | None,
        Header(pattern=_RANGE, description="Of a piece: `bytes 0-1023/4096`.", examples=["bytes 0-99/100"]),
    ] = None,
) -> PhotoView | Response:
    """Send a photo: JPEG, PNG or WebP, at most 5 MiB and 25 megapixels, under the SHA-256 of its bytes.

    It may come before or after the record that names it, from the account that writes the record. What is kept is a
    copy without metadata, turned upright, of a moving picture the first frame; time and place are read first.

    A photo may come in pieces, by `Content-Range`, in any order and overlapping; a piece is answered by 202 with what
    is missing, the last one like a whole photo. When the line breaks, what has arrived is kept for a day:
    `GET /v1/photos/{sha256}/upload` tells how much, and the rest is sent as a piece.
    """
    require_picture(request)
    announced = request.headers.get("content-length", "")
    done = await photo_uploads.receive_photo(
        _desk(request, open_work),
        sha256,
        _piece(content_range),
        request.stream(),
        int(announced) if announced.isdecimal() else None,
    )
    if isinstance(done, UploadView):
        return JSONResponse(done.model_dump(mode="json"), 202)
    return created(response, done)


@router.get("/{sha256}", response_class=Response, responses=_COPY)
async def show_photo(open_work: Reader, request: Request, sha256: PhotoId) -> Response:
    """The cleaned copy of a photo, for whoever sees a record that names it and whose author has sent it."""
    desk = _desk(request, open_work)
    copy = await photos.find_copy(desk, sha256)
    headers = {"ETag": copy.etag, "Cache-Control": "private, no-cache"}
    if holds_already(request.headers, copy.etag):
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Length": str(copy.size), "Content-Disposition": f'inline; filename="{copy.name}"'}
    return StreamingResponse(await photos.open_copy(desk, copy), headers=headers, media_type=copy.media_type)


@router.get("/{sha256}/details")
async def show_details(open_work: Reader, request: Request, sha256: PhotoId) -> PhotoView:
    """When and where a photo was taken, and by whom it was sent; for whoever may see the photo."""
    return await photos.show_details(_desk(request, open_work), sha256)


@router.get("/{sha256}/upload")
async def show_upload(open_work: Sender, request: Request, sha256: PhotoId) -> UploadView:
    """How much of a photo has arrived from this account; nobody else's sending shows here."""
    return await photo_uploads.show_upload(_desk(request, open_work), sha256)


def require_picture(request: Request) -> None:
    """Refuse what says that it is something else; what it is, decoding tells.

    Raises:
        UnsupportedMedia: a content type that is no picture's.
    """
    media = request.headers.get("content-type", BYTES).partition(";")[0].strip().lower()
    if media != BYTES and not media.startswith("image/"):
        raise UnsupportedMedia


def _piece(content_range: str | None) -> Piece | None:
    """Return the piece that a Content-Range of the right form names.

    Raises:
        WrongRange: its numbers make no range.
        TooLarge: it is one of a photo that is too large.
    """
    if content_range is None:
        return None
    first, last, total = map(int, re.findall("[0-9]+", content_range))
    if not first <= last < total:
        raise WrongRange
    if total > LARGEST_PHOTO:
        raise TooLarge
    return Piece(first, last, total)
