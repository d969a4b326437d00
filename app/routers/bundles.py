"""What a checkpoint's phone takes along for the time without signal (离线包)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.access import allow_late, in_townships_name
from app.core.kit import Kit
from app.core.representations import JSON, packed
from app.core.strict_route import StrictRoute
from app.core.work import OpenWork
from app.domain.permissions import Permission
from app.schemas.bundles import BundleView
from app.schemas.fields import Id
from app.services import bundles
from app.services.checkpoint_places import gate_number

router = APIRouter(prefix="/v1/checkpoints", tags=["passes"], route_class=StrictRoute)

Reader = Annotated[OpenWork, allow_late(Permission.BUNDLES_READ)]
Have = Annotated[
    int | None, Query(ge=0, le=2**31 - 1, description="The `bundle_no` that the phone holds whole.")
]
_JSON: dict[int | str, dict[str, Any]] = {200: {"model": BundleView, "description": "The bundle, signed."}}


@router.get("/{checkpoint_id}/bundle", response_class=Response, responses=_JSON)
async def fetch_bundle(open_work: Reader, request: Request, checkpoint_id: Id, have: Have = None) -> Response:
    """Issue a bundle with which the checkpoint's phone rules without signal; `have` leaves out what has not changed.

    It names nobody. Who already knows an ID number can try it against a stolen bundle, at the price of one slow hash.
    """
    kit: Kit = request.app.state.kit
    async with open_work() as work:
        await gate_number(work, checkpoint_id)
        township = work.township_code
    # The bundle tells of people in every unit, which this caller may not see: it is made in the township's name.
    async with in_townships_name(kit, township) as work:
        content = await bundles.issue_bundle(work, checkpoint_id, have, kit.settings.gate_hash_cost)
    return packed(request.headers, content, JSON)
