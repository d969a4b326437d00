"""The route of the busiest calls: declared and documented like any other, resolved without FastAPI's general solver.

FastAPI walks a tree of dependencies and keeps two exit stacks for every request; for a handler that takes a door, the
parameters of its path, one body and the request, as `decide` does, that is a sixth of the whole work (`make bench`).
What is checked, in which order, and what is answered is the same; tests hold both kinds of route to the same cases.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi.params import Depends
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.core.strict_route import StrictRequest, StrictRoute, require_json
from app.core.validation import invalid

Opened = Callable[[Request], AbstractAsyncContextManager[Any]]


class DirectRoute(StrictRoute):
    """A route whose handler takes one door, the path's parameters, one body and the request, and returns a response."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        hints = get_type_hints(endpoint, include_extras=True)
        self._door_name, self._open = _door(hints)
        self._path_readers = [(name, TypeAdapter[Any](hints[name])) for name in self.param_convertors]
        self._body_name, self._body = next((n, h) for n, h in hints.items() if _is_body(h))
        self._request_name = next(name for name, hint in hints.items() if hint is Request)
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = StrictRequest(scope, receive)
        request.body_limit = self.size_limit
        require_json(request)
        sent = await request.json() if await request.body() else None
        async with self._open(request) as work:
            values = {self._door_name: work, self._request_name: request}
            for name, reader in self._path_readers:
                values[name] = _read(reader.validate_python, request.path_params[name], "path", name)
            if sent is None:
                raise invalid([{"type": "missing", "loc": ("body",)}])
            values[self._body_name] = _read(self._body.model_validate, sent, "body")
            response = await self.endpoint(**values)
        await response(scope, receive, send)


def _door(hints: Mapping[str, Any]) -> tuple[str, Opened]:
    for name, hint in hints.items():
        if get_origin(hint) is Annotated:
            for extra in get_args(hint)[1:]:
                if isinstance(extra, Depends) and extra.dependency is not None:
                    return name, asynccontextmanager(extra.dependency)
    raise TypeError("a direct route needs a door")


def _is_body(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _read(validate: Callable[[Any], Any], value: Any, *place: str) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False)
        raise invalid([{**finding, "loc": (*place, *finding["loc"])} for finding in findings]) from None
