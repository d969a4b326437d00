"""Posters (海报): each unit's code, by which the public reports without a login; a renewed one makes the old void."""

import io
from base64 import b32encode
from hmac import compare_digest

import segno

from app.core.field_texts import declare
from app.core.problems import NotFound, at
from app.core.vault import Vault
from app.core.work import Work
from app.domain.posters import SEAL_BYTES, PosterCode, read_poster
from app.schemas.public import PosterView
from app.services.units import known_units

declare("false-poster", "海报二维码无效或已更换。", "This is no valid poster; it may have been renewed.")

_BORDER = 4

_VERSION = "SELECT version FROM posters WHERE township_code = $1 AND unit_code = $2"
_RENEW = """
INSERT INTO posters AS p (township_code, unit_code, version, renewed_at, renewed_by) VALUES ($1, $2, 2, $4, $5)
ON CONFLICT (township_code, unit_code) DO UPDATE SET version = p.version + 1, renewed_at = $4, renewed_by = $5
WHERE p.version = $3
"""


async def show_poster(work: Work, unit_code: int) -> PosterView:
    """Return a unit's present poster.

    Raises:
        NotFound: no such unit, or not for this caller.
    """
    version = await _version(work, unit_code)
    if version is None:
        raise NotFound
    code = PosterCode(unit_code, version, _seal(work.vault, unit_code, version))
    return PosterView(unit_code=unit_code, version=version, code=code.text)


async def renew_poster(work: Work, unit_code: int, version: int) -> PosterView:
    """Make a unit's poster of a version void, and return its successor; where that was done before, the present one.

    Raises:
        NotFound: no such unit, or not for this caller.
    """
    present = await _version(work, unit_code)
    if present is None:
        raise NotFound
    if present == version:
        await work.sql.execute(_RENEW, work.township_code, unit_code, version, work.now, work.account_id)
    return await show_poster(work, unit_code)


def true_poster(vault: Vault, text: str) -> PosterCode:
    """Return what a poster's code says; it costs no look at the database.

    Raises:
        Invalid: it is none of ours.
    """
    code = read_poster(text)
    if code is None or not compare_digest(code.seal, _seal(vault, code.unit_code, code.version)):
        raise at("/poster", "false-poster")
    return code


async def refuse_void(work: Work, code: PosterCode) -> None:
    """Refuse a poster that was renewed.

    Raises:
        Invalid: it is void, in the same words as one that is none of ours.
    """
    if await _version(work, code.unit_code) != code.version:
        raise at("/poster", "false-poster")


def poster_svg(code: str) -> bytes:
    """Return a poster's code as an SVG picture."""
    picture = io.BytesIO()
    qr = segno.make_qr(code, error="m", mode="alphanumeric", boost_error=False)
    qr.save(picture, kind="svg", border=_BORDER, svgclass=None, lineclass=None, omitsize=True, xmldecl=False)
    return picture.getvalue()


async def _version(work: Work, unit_code: int) -> int | None:
    """Return the present version of a unit's poster; None where the caller sees no such unit."""
    if not await known_units(work, [unit_code]):
        return None
    return await work.sql.fetchval(_VERSION, work.township_code, unit_code) or 1


def _seal(vault: Vault, unit_code: int, version: int) -> str:
    digest = vault.fingerprint("poster", f"{unit_code}.{version}")
    return b32encode(digest[:SEAL_BYTES]).decode().rstrip("=")
