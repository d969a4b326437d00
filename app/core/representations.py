"""Representations: which format and encoding a caller wants, strong ETags, and 304 for what they hold already."""

import gzip
import hashlib
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import Response

from app.core.problems import NotAcceptable

JSON = "application/json"
CSV = "text/csv"
VARY = "Accept, Accept-Encoding, Accept-Language"
WORTH_GZIP = 1024


def choose(headers: Headers, offered: Sequence[str]) -> str:
    """Return the media type that the Accept header prefers; the first offered where it does not care.

    Raises:
        NotAcceptable: the header refuses all that are offered.
    """
    wanted = _weights(headers.get("accept", "") or "*/*")

    def weight(media: str) -> float:
        exact = wanted.get(media)
        family = wanted.get(media.partition("/")[0] + "/*")
        general = wanted.get("*/*", 0.0)
        return next((w for w in (exact, family) if w is not None), general)

    best = max(offered, key=weight)
    if weight(best) <= 0:
        raise NotAcceptable
    return best


def represent(headers: Headers, body: bytes, media_type: str, *, secret: bool = False) -> Response:
    """Return the body, encoded as the caller accepts, under its strong ETag; or 304 where the caller holds it.

    What is secret no browser keeps.
    """
    encoding = _encoding(headers) if len(body) >= WORTH_GZIP else None
    content = f"{media_type} {encoding or 'identity'} ".encode() + body
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    common = {"ETag": etag, "Vary": VARY, "Cache-Control": "no-store" if secret else "private, no-cache"}
    if holds_already(headers, etag):
        return Response(status_code=304, headers=common)
    return _packed(body, encoding, common, media_type)


def packed(headers: Headers, body: bytes, media_type: str) -> Response:
    """Return a body that is never the same twice, encoded as the caller accepts."""
    encoding = _encoding(headers) if len(body) >= WORTH_GZIP else None
    return _packed(body, encoding, {"Vary": "Accept-Encoding"}, media_type)


def _packed(body: bytes, encoding: str | None, headers: dict[str, str], media_type: str) -> Response:
    if encoding == "gzip":
        headers["Content-Encoding"] = encoding
        body = gzip.compress(body, compresslevel=5, mtime=0)
    return Response(body, headers=headers, media_type=media_type)


def _encoding(headers: Headers) -> str | None:
    weights = _weights(headers.get("accept-encoding", ""))
    return "gzip" if weights.get("gzip", weights.get("*", 0.0)) > 0 else None


def holds_already(headers: Headers, etag: str) -> bool:
    """Tell whether If-None-Match names the ETag; by its weak comparison a W/ in front does not matter (RFC 9110)."""
    held = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return etag in held or held == ["*"]


def _weights(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in header[:1000].split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights[name] = float(quality)
        except ValueError:
            weights[name] = 0.0
    return weights
