"""How a request's body is read: under a size limit, as strict JSON, before any transaction opens."""

import zlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, ClassVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.core.field_texts import FIELD_TEXTS, declare
from app.core.problems import BadRequest, FieldError, TooLarge, Unauthorized, UnsupportedMedia
from app.core.settings import get_settings
from app.core.strict_json import StrictJsonError, parse
from app.core.tokens import InvalidToken

declare("bad-gzip", "压缩数据损坏,无法解压。", "The packed body is broken.")


class StrictRequest(Request):
    """A request whose body is limited and whose JSON is strict."""

    body_limit = 0

    async def look_first(self) -> None:
        """Refuse what need not be read; here, nothing."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body's pieces.

        Raises:
            TooLarge: more bytes than the limit were announced or sent.
        """
        announced = self.headers.get("content-length", "0")
        if announced.isdigit() and len(announced) < 20 and int(announced) > self.body_limit:
            raise TooLarge
        size = 0
        async for piece in super().stream():
            size += len(piece)
            if size > self.body_limit:
                raise TooLarge
            yield piece

    async def json(self) -> Any:
        """Return the parsed body.

        Raises:
            BadRequest: it is not strict JSON in UTF-8; `errors` says why and never what was sent.
        """
        charset = self.headers.get("content-type", "").lower().partition("charset=")[2].strip(' "')
        if charset not in ("", "utf-8", "utf8"):
            raise UnsupportedMedia
        try:
            return parse(await self.body())
        except StrictJsonError as error:
            raise BadRequest([FieldError("", error.code, FIELD_TEXTS[error.code])]) from None


def require_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON.

    Raises:
        UnsupportedMedia: another content type, or none.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise UnsupportedMedia


class StrictRoute(APIRoute):
    """A route that reads its body strictly."""

    body_limit: ClassVar[int | None] = None
    request_class: ClassVar[type[StrictRequest]] = StrictRequest

    @property
    def size_limit(self) -> int:
        """The largest body in bytes."""
        return self.body_limit or get_settings().body_limit

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler behind the strict reading."""
        handler = super().get_route_handler()
        limit = self.size_limit
        reads_json = self.body_field is not None and self.body_field.field_info.__class__.__name__ == "Body"

        async def strict(request: Request) -> Response:
            request = self.request_class(request.scope, request.receive)
            request.body_limit = limit
            await request.look_first()
            if reads_json:
                require_json(request)
            return await handler(request)

        return strict


class PackedRequest(StrictRequest):
    """A request whose body may be packed with gzip: read only for somebody with a good token, and up to a limit."""

    inflated_limit: ClassVar[int] = 8 * 1024 * 1024

    async def look_first(self) -> None:
        """Note when the request came, and refuse strangers before their body is read, for unpacking costs us.

        Raises:
            Unauthorized: no token that this server signed.
        """
        kit: Any = self.app.state.kit
        self.state.received_at = kit.clock.now()
        if "authorization" not in self.headers and "x-api-key" in self.headers:
            # Whoever has only a key is refused at the door, and not for what they sent.
            self._unpacked = b"{}"
            return
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        try:
            kit.verifier.verify(
                token if scheme.lower() == "bearer" else "", int(self.state.received_at.timestamp())
            )
        except InvalidToken:
            raise Unauthorized from None

    async def body(self) -> bytes:
        """Return the unpacked body.

        Raises:
            UnsupportedMedia: packed in another way.
            BadRequest: broken gzip.
            TooLarge: more than the limit, packed or not.
        """
        if not hasattr(self, "_unpacked"):
            self._unpacked = self._unpack(await super().body())
        return self._unpacked

    def _unpack(self, raw: bytes) -> bytes:
        packing = self.headers.get("content-encoding", "identity").strip().lower()
        if packing == "identity":
            return raw
        if packing != "gzip":
            raise UnsupportedMedia
        unpacker = zlib.decompressobj(wbits=31)
        try:
            body = unpacker.decompress(raw, self.inflated_limit)
        except zlib.error:
            raise BadRequest([FieldError("", "bad-gzip", FIELD_TEXTS["bad-gzip"])]) from None
        if unpacker.unconsumed_tail:
            raise TooLarge
        if not unpacker.eof or unpacker.unused_data:
            raise BadRequest([FieldError("", "bad-gzip", FIELD_TEXTS["bad-gzip"])])
        return body


class PackedRoute(StrictRoute):
    """A route whose JSON may come packed with gzip."""

    request_class = PackedRequest


class SheetRoute(StrictRoute):
    """A route that takes an uploaded sheet, which may be larger than any JSON."""

    body_limit = get_settings().import_limit
