"""The live stream: Server-Sent Events of whatever is told to the caller (全天动态共享)."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse
from starlette.types import Send

from app.access import allow, allow_live
from app.core.kit import Kit
from app.core.strict_route import StrictRoute
from app.core.wire import CUT
from app.core.work import LookTogether, Work
from app.domain.permissions import Permission
from app.schemas.live import TicketView
from app.services import live

log = logging.getLogger("wangge.live")

LONGEST_MARK = 60_000
"""A township of two hundred units needs some ten thousand characters."""

router = APIRouter(prefix="/v1/live", tags=["live"], route_class=StrictRoute)

Mark = Annotated[
    str | None, Query(max_length=LONGEST_MARK, description="The `id` of the last event, as Last-Event-ID.")
]
_EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string"},
        "data": {
            "type": "string",
            "description": "JSON: scope, seq, kind, id, rev, op, at, and the record as `data`.",
        },
        "id": {"type": "string"},
        "retry": {"type": "integer"},
    },
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events: `hello`, then one a change, named after the record's kind; comments as heart-beat.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}


class LiveResponse(EventSourceResponse):
    """A stream whose reader must take what is sent."""

    def __init__(self, events: AsyncIterator[bytes], request: Request) -> None:
        super().__init__(events, headers={"X-Accel-Buffering": "no"})
        self._patience: float = request.app.state.kit.settings.live_patience
        self._cut: Callable[[], None] | None = request.scope.get("extensions", {}).get(CUT, {}).get("cut")

    async def stream_response(self, send: Send) -> None:
        """Send the events; a reader who takes nothing for too long is dropped, and resumes where it was."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for event in self.body_iterator:
                async with asyncio.timeout(self._patience):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
        except TimeoutError:
            log.info("slow reader dropped")
            if self._cut is not None:
                self._cut()
                await asyncio.sleep(0)  # let the server notice
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@router.get("", response_class=Response, responses=_STREAM)
async def read_live(
    look: Annotated[LookTogether, allow_live(Permission.LIVE)],
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=LONGEST_MARK)] = None,
    cursor: Mark = None,
    ticket: Annotated[
        str | None, Query(max_length=100, description="Instead of a token, for browsers.")
    ] = None,
) -> LiveResponse:
    """Stream what happens in the caller's scope, from now on, or behind the last event that was read.

    Each event's `id` is where to resume: none is told twice, none left out. A browser cannot send headers here: it asks
    for a ticket first, and after a break for another, with `cursor`.
    """
    kit: Kit = request.app.state.kit
    events = live.stream(kit.watch, look, last_event_id or cursor)
    first = await anext(events)  # what is wrong with the request is answered as a problem

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for event in events:
            yield event

    return LiveResponse(whole(), request)


@router.post("/ticket", status_code=201)
async def issue_ticket(work: Annotated[Work, allow(Permission.LIVE)]) -> TicketView:
    """Issue a ticket for one connection within 60 seconds."""
    return TicketView.model_validate(await live.issue_ticket(work, secrets.token_urlsafe(32)))
