"""Photos (照片): what is told of them; the pictures themselves are no JSON (contract, sections 5 and 9)."""

from pydantic import Field

from app.schemas.fields import Id, Instant, PhotoId, View


class Position(View):
    """A place on the earth, WGS 84, in degrees."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class PhotoView(View):
    """A photo that has arrived."""

    id: PhotoId
    media_type: str = Field(description="Of the cleaned copy: image/jpeg, image/png or image/webp.")
    size: int = Field(description="Of the cleaned copy, in bytes.")
    width: int
    height: int
    taken_at: Instant | None = Field(
        description="By the camera's clock; without an offset there, in the township's zone."
    )
    position: Position | None = Field(description="Where it was taken, if the camera wrote that down.")
    author_id: Id
    recorded_at: Instant


class Span(View):
    """Bytes from `first` to `last`, both included, as in Content-Range."""

    first: int
    last: int


class UploadView(View):
    """How much of a photo has arrived from this account."""

    id: PhotoId
    complete: bool
    total: int = Field(description="Bytes of the whole photo.")
    received: int = Field(description="Bytes that have arrived.")
    missing: list[Span] = Field(description="What is still to be sent, in order.")
