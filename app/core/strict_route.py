"""How a request's body is read: under a size limit, as strict JSON, before any transaction opens."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, ClassVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.core.field_texts import FIELD_TEXTS
from app.core.problems import BadRequest, FieldError, TooLarge, UnsupportedMedia
from app.core.settings import get_settings
from app.core.strict_json import StrictJsonError, parse


class StrictRequest(Request):
    """A request whose body is limited and whose JSON is strict."""

    body_limit = 0

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
            request = StrictRequest(request.scope, request.receive)
            request.body_limit = limit
            if reads_json:
                require_json(request)
            return await handler(request)

        return strict


class SheetRoute(StrictRoute):
    """A route that takes an uploaded sheet, which may be larger than any JSON."""

    body_limit = get_settings().import_limit
