"""Sync (contract, section 9): phones push what they did, and pull what others did."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from app.access import allow, allow_late
from app.core.kit import Kit
from app.core.paging import Page, Paged, ascii_number
from app.core.strict_route import PackedRoute, StrictRoute
from app.core.work import OpenWork, Work
from app.domain.permissions import Permission
from app.domain.sync import Status
from app.schemas.fields import Id, instant_text
from app.schemas.sync import (
    DifferView,
    HeldDecision,
    OperationView,
    PullView,
    PushBody,
    PushView,
    SnapshotView,
    VerifyBody,
    VerifyView,
)
from app.services.sync import held, pulling, review, snapshots
from app.services.sync import push as pushing

packed = APIRouter(prefix="/v1/sync", tags=["sync"], route_class=PackedRoute)
router = APIRouter(prefix="/v1/sync", tags=["sync"], route_class=StrictRoute)

Phone = Annotated[OpenWork, allow_late(Permission.SYNC)]
Reader = Annotated[Work, allow(Permission.SYNC)]
Limit = Annotated[
    int, Query(ge=1, le=500, description="Changes a page, 1 to 500."), BeforeValidator(ascii_number)
]
Wait = Annotated[
    int,
    Query(ge=0, le=25, description="Seconds to wait for news, at most 25."),
    BeforeValidator(ascii_number),
]
CursorText = Annotated[str | None, Query(max_length=4_800, description="`next` of the pull before.")]


@packed.post("/push", response_model=PushView)
async def push(open_work: Phone, body: PushBody, request: Request) -> Response:
    """Take in a phone's operations, at most 500 in 1 MiB (8 MiB unpacked with gzip), each with its own result.

    A 4xx or 5xx for the whole means that nothing is known to be applied: send the same operations again.
    """
    pushed = await pushing.push(open_work, body, request.state.caller.scope, request.state.received_at)
    language = request.state.language
    answer = {
        "server_time": instant_text(pushed.server_time),
        "results": [result.answer(language) for result in pushed.results],
    }
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(json.dumps(answer, ensure_ascii=False).encode(), 200, headers, "application/json")


@router.get("/pull", response_model=PullView)
async def pull(
    open_work: Phone, request: Request, cursor: CursorText = None, limit: Limit = 200, wait: Wait = 0
) -> Response:
    """Return what changed behind a cursor in the caller's scopes; without one, from the beginning."""
    kit: Kit = request.app.state.kit
    body = await pulling.pull(kit.watch, open_work, cursor, limit, wait)
    return Response(body, media_type="application/json")


@router.get("/snapshot", response_model=SnapshotView)
async def snapshot(
    work: Reader, paging: Paged, scope: Annotated[str, Query(max_length=40)], cursor: CursorText = None
) -> Response:
    """Return a scope's records as they stand, for a phone that starts; pull from `cursor` afterwards."""
    text = await snapshots.snapshot(work, scope, paging, cursor)
    return Response(text.encode(), media_type="application/json")


@router.post("/verify")
async def verify(work: Reader, body: VerifyBody) -> VerifyView:
    """Compare the digests of what a phone holds with the records; a phone at the head must find no difference."""
    found = await snapshots.differences(work, body.digests)
    return VerifyView(differ=[DifferView.model_validate({"scope": s, "kind": k}) for s, k in found])


@router.get("/ops/{op_id}", response_model=OperationView, response_model_exclude_unset=True)
async def show_operation(work: Reader, op_id: Id) -> dict[str, Any]:
    """Show what became of an operation: one's own; a unit's leader and the township see those of others too."""
    return await review.show_operation(work, op_id)


@router.get("/rejected", response_model=Page[OperationView], response_model_exclude_unset=True)
async def list_rejected(work: Reader, paging: Paged) -> Page[dict[str, Any]]:
    """List operations that were not applied, as they were sent: nothing that was typed is lost."""
    return await review.list_operations(work, paging, Status.REJECTED)


@router.get("/held", response_model=Page[OperationView], response_model_exclude_unset=True)
async def list_held(work: Reader, paging: Paged) -> Page[dict[str, Any]]:
    """List operations that wait for their predecessor or for the township."""
    return await review.list_operations(work, paging, Status.HELD)


@router.post("/held/{op_id}", response_model=OperationView, response_model_exclude_unset=True)
async def decide_held(
    work: Annotated[Work, allow(Permission.HELD_WRITE)], op_id: Id, body: HeldDecision
) -> dict[str, Any]:
    """Apply or refuse an operation that somebody made outside their units."""
    return await held.decide_held(work, op_id, body)
