"""Passes on paper and on screens: QR codes, and a unit's printable A4 sheet."""

import asyncio
import io
from collections.abc import Sequence
from datetime import datetime
from html import escape
from uuid import UUID

import asyncpg
import segno

from app.core.paging import Paging, mark
from app.core.problems import NotFound
from app.core.work import Work
from app.services.pass_views import CODE
from app.services.sealing import unseal

_QR_VERSION = 6
_BORDER = 4
"""Modules of white around the code: what readers need (ISO/IEC 18004)."""

_UNIT = "SELECT name FROM units WHERE township_code = $1 AND unit_code = $2"
_VALID = """
SELECT p.id, p.code_sealed, p.class, p.purposes, p.valid_from, p.valid_to, q.name, c.name AS gate
FROM passes p
JOIN people q ON q.township_code = p.township_code AND q.id = p.person_id
LEFT JOIN checkpoints c ON c.township_code = p.township_code AND c.id = p.checkpoint_id
LEFT JOIN gate_keys k ON k.id = p.key_id
WHERE p.township_code = $1 AND p.unit_code = $2 AND p.revoked_at IS NULL AND p.valid_to > $3 AND k.dropped_at IS NULL
    AND ($4::uuid IS NULL OR p.id > $4)
ORDER BY p.id LIMIT $5
"""

CLASSES = {"single": "一次", "daily": "每日", "standing": "长期"}
PURPOSES = {
    "food": "购买食品",
    "medicine": "购买药品",
    "duty": "执勤",
    "medical_emergency": "就医",
    "other": "其他",
}

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{unit} 通行证</title>
<style>
@page {{ size: A4; margin: 10mm }}
body {{ margin: 0; font: 11pt "Noto Sans CJK SC", "Microsoft YaHei", sans-serif }}
main {{ display: grid; grid-template-columns: 1fr 1fr; gap: 4mm }}
article {{ break-inside: avoid; border: 0.3mm dashed #888; padding: 4mm; display: flex;
  gap: 4mm; height: 52mm; box-sizing: border-box }}
svg {{ width: 44mm; height: 44mm; flex: none }}
h2 {{ font-size: 15pt; margin: 0 0 1mm }}
p {{ margin: 0 0 1mm; overflow-wrap: anywhere }}
@media print {{ nav {{ display: none }} }}
</style></head><body><main>
{cards}
</main>{more}</body></html>
"""
_CARD = """<article>{svg}<div><h2>{name}</h2><p>{unit}</p><p>{kind} · {gate}</p><p>{purposes}</p>
<p>{starts} 起</p><p>{ends} 止</p></div></article>"""


def qr_svg(code: str) -> bytes:
    """Return a code as an SVG picture, QR version 6-M."""
    return _picture(code, "svg", svgclass=None, lineclass=None, omitsize=True, xmldecl=False, nl=False)


def qr_png(code: str, scale: int = 8) -> bytes:
    """Return a code as a PNG picture, so many pixels a module."""
    return _picture(code, "png", scale=scale)


def _picture(code: str, kind: str, **options: object) -> bytes:
    qr = segno.make_qr(code, version=_QR_VERSION, error="m", mode="alphanumeric", boost_error=False)
    picture = io.BytesIO()
    qr.save(picture, kind=kind, border=_BORDER, **options)
    return picture.getvalue()


async def unit_sheet(work: Work, unit_code: int, paging: Paging) -> str:
    """Return a page with passes of a unit that are or will be valid, in the order of issue, to print and cut.

    Raises:
        NotFound: no such unit, or not for this caller.
    """
    unit = await work.sql.fetchval(_UNIT, work.township_code, unit_code)
    if unit is None:
        raise NotFound
    (behind,) = paging.key(UUID) or (None,)
    rows = await work.sql.fetch(_VALID, work.township_code, unit_code, work.now, behind, paging.limit + 1)
    shown = rows[: paging.limit]
    codes = [unseal(work, CODE, row["id"], row["code_sealed"]) or "" for row in shown]
    pictures = await asyncio.to_thread(lambda: [qr_svg(code).decode() for code in codes])  # 10 ms each
    cards = "\n".join(
        _CARD.format(
            svg=svg,
            name=escape(row["name"]),
            unit=escape(unit),
            kind=CLASSES[row["class"]],
            gate=escape(row["gate"] or "各卡点"),
            purposes="、".join(PURPOSES[purpose] for purpose in row["purposes"]) or "不限事由",
            starts=_time(work, row["valid_from"]),
            ends=_time(work, row["valid_to"]),
        )
        for row, svg in zip(shown, pictures, strict=True)
    )
    return _PAGE.format(
        unit=escape(unit), cards=cards, more=_more(shown, paging) if len(rows) > len(shown) else ""
    )


def _more(shown: Sequence[asyncpg.Record], paging: Paging) -> str:
    """Return the way to the next page, which is not printed."""
    return f'<nav><a href="?limit={paging.limit}&amp;after={mark(shown[-1]["id"])}">下一页</a></nav>'


def _time(work: Work, moment: datetime) -> str:
    return moment.astimezone(work.township.zone).strftime("%Y-%m-%d %H:%M")
