"""What the public sends without a login (主动报告、群众举报): stored as it is, and looked up by nobody yet.

No oracle: nothing here reads whether a person or household is known. The report is stored, and what it is held
against is read when a cadre reads it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.field_texts import declare
from app.core.kit import Kit
from app.core.outcome import Outcome
from app.core.problems import Invalid, at
from app.core.scope import township_of
from app.core.work import OpenTownship, OpenWork, Work
from app.domain.outcomes import TipSource
from app.domain.posters import PosterCode
from app.schemas.outcomes import TipBody
from app.schemas.public import PublicTipBody, ReceiptView, SelfReportBody
from app.services.batch import Item
from app.services.posters import refuse_void, true_poster
from app.services.public_limits import admitted
from app.services.sealing import plain_phone
from app.services.self_reports import store_self_report
from app.services.tips import store_tips

declare("one-place", "请给出海报二维码或乡镇代码之一。", "Give a poster or a township, one of them.")

_RECORDED = "SELECT recorded_at FROM {table} WHERE township_code = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who writes without a login: what is known is the network address."""

    kit: Kit
    open_work: OpenWork
    open_township: OpenTownship
    address: str


async def send_self_report(stranger: Stranger, body: SelfReportBody) -> Outcome[ReceiptView]:
    """Store a self-report. The outcome's problem is IdReused.

    Raises:
        TooMany: too many from this address, poster or phone.
        Invalid: a false poster; an ID number or a day that cannot be.
    """
    async with writing(stranger, body.poster, None, body.phone, again=("self_reports", body.id)) as (
        work,
        unit_code,
    ):
        assert unit_code is not None
        item = await store_self_report(work, unit_code, body)
        return await _receipt(work, "self_reports", item)


async def send_tip(stranger: Stranger, body: PublicTipBody) -> Outcome[ReceiptView]:
    """Store a tip. The outcome's problem is IdReused.

    Raises:
        TooMany: too many from this address, to this place, or from this phone.
        Invalid: a false poster, or not just one of poster and township.
        NotFound: no such township.
    """
    place = body.poster, body.township_code
    async with writing(stranger, *place, body.phone, again=("tips", body.id)) as (work, unit_code):
        told = TipBody(
            id=body.id,
            unit_code=None if unit_code is None else str(unit_code),
            text=body.text,
            phone=body.phone,
            photo_ids=body.photo_ids,
        )
        (item,) = await store_tips(work, [told], source=TipSource.PUBLIC)
        return await _receipt(work, "tips", item)


@asynccontextmanager
async def writing(
    stranger: Stranger,
    poster: str | None,
    township: str | None,
    phone: str | None = None,
    counts: str = "place",
    again: tuple[str, UUID | None] = ("tips", None),
) -> AsyncIterator[tuple[Work, int | None]]:
    """Admit a stranger, and open work in the township to which they write; yield the poster's unit, if there is one.

    Whoever shows a false poster has been counted, and nothing else has been asked of the database. `again` is a table
    and an id: what is stored there is repeated, or sent more of, also with a poster that was renewed since.

    Raises:
        TooMany: too many from this address, to this place (by what `counts` there), or from this phone.
        Invalid: a false poster, or not just one of poster and township.
        NotFound: no such township.
    """
    if (poster is None) == (township is None):
        raise at("/poster", "one-place")
    code: PosterCode | None = None
    async with admitted(stranger.kit, stranger.open_work, {"address": stranger.address}):
        pass
    if poster is not None:
        code = true_poster(stranger.kit.vault, poster)
    place = str(code.unit_code) if code else str(township)
    town = township_of(code.unit_code) if code else int(place)
    who = {counts: place} | ({"phone": f"{town} {plain_phone(phone)[-11:]}"} if phone else {})
    async with admitted(stranger.kit, stranger.open_work, who), stranger.open_township(town) as work:
        if code:
            await _refuse_void(work, code, again)
        yield work, code and code.unit_code


async def _refuse_void(work: Work, code: PosterCode, again: tuple[str, UUID | None]) -> None:
    try:
        await refuse_void(work, code)
    except Invalid:
        if await _recorded_at(work, *again) is None:
            raise


async def _receipt(work: Work, table: str, item: Item[Any]) -> Outcome[ReceiptView]:
    if item.problem is not None:
        return Outcome(item.id, problem=item.problem)
    recorded_at = await _recorded_at(work, table, item.id)
    assert recorded_at is not None
    return Outcome(item.id, ReceiptView(id=item.id, recorded_at=recorded_at), item.replayed)


async def _recorded_at(work: Work, table: str, id_: UUID | None) -> datetime | None:
    found: datetime | None = await work.sql.fetchval(_RECORDED.format(table=table), work.township_code, id_)
    return found
