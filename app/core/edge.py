"""The edge: what every request meets first and every response last, in two thin ASGI layers.

`Edge` gives the request its id, adds the security headers, and writes one log line and the metrics; it never logs a
path's ids, a query or a body. `Guard` refuses addresses that are not clean text and answers whatever nobody caught.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.ids import uuid7
from app.core.language import preferred_language
from app.core.problem_response import problem_response
from app.core.problems import BadRequest, Broken, Problem

log = logging.getLogger("wangge.request")

REQUESTS = Counter("wangge_requests_total", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "wangge_request_seconds",
    "Time to answer.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30),
)

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cache-control", b"no-store"),
)
API_HEADERS = (
    *SECURITY_HEADERS,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
PAGE_HEADERS = (
    *SECURITY_HEADERS,
    (
        b"content-security-policy",
        b"default-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    ),
)
PAGES = "/docs"


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Edge:
    """The outermost layer of the application: the request's id, the house's headers, the log line, the metrics."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, send)
        try:
            await self.app(scope, receive, visit.send)
        finally:
            visit.record()


class Guard:
    """The layer inside CORS, so that a browser may read refusals too: clean addresses, and an answer to every error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer with the problem that stopped it, unless an answer has begun already."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        state = scope["state"]
        try:
            _check_address(scope)
            await self.app(scope, receive, watch)
            return
        except Problem as raised:
            problem = raised
        except Exception as error:
            log.exception(
                "unhandled", extra={"request_id": state["request_id"], "error": type(error).__name__}
            )
            problem = Broken()
        if not begun:
            await problem_response(problem, state["request_id"], state["language"])(scope, receive, send)


class _Visit:
    """One request on its way through: its id, its clock, its answer."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self.request_id = str(uuid7())
        self.started = time.perf_counter()
        self.status = 0
        self._send = send
        scope.setdefault("state", {})["request_id"] = self.request_id
        scope["state"]["language"] = preferred_language(Headers(scope=scope).get("accept-language", ""))

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._dressed(message.get("headers", ()))
        await self._send(message)

    def _dressed(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return an answer's headers with the request's id, and the house's where the route set none of its own."""
        own = list(headers)
        names = {name for name, _ in own}
        house = PAGE_HEADERS if self.scope["path"].startswith(PAGES) else API_HEADERS
        own.append((b"x-request-id", self.request_id.encode()))
        own.extend(header for header in house if header[0] not in names)
        return own

    def record(self) -> None:
        """Write the log line and the metrics, by route pattern, so that no id of a person is kept."""
        route: Any = self.scope.get("route")
        pattern = getattr(route, "path", "-")
        seconds = time.perf_counter() - self.started
        method = self.scope["method"] if self.scope["method"] in METHODS else "other"
        REQUESTS.labels(method, pattern, self.status).inc()
        SECONDS.labels(pattern).observe(seconds)
        level = logging.WARNING if self.status >= 500 else logging.INFO
        if log.isEnabledFor(level):
            fields = {
                "request_id": self.request_id,
                "method": method,
                "route": pattern,
                "status": self.status,
                "ms": round(seconds * 1000, 1),
            }
            log.log(level, "request", extra=fields)


def _check_address(scope: Scope) -> None:
    """Refuse a path or query that is not clean UTF-8 text (contract, section 1).

    Raises:
        BadRequest: bad UTF-8, or a control character.
    """
    raw: Sequence[bytes] = (scope.get("raw_path") or b"", scope.get("query_string") or b"")
    for part in raw:
        if b"%" in part or not part.isascii():
            try:
                text = unquote_to_bytes(part).decode("utf-8")
            except UnicodeDecodeError:
                raise BadRequest from None
            if any(c < " " or c == "\x7f" for c in text):
                raise BadRequest
