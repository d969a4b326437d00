"""Home quarantine (居家隔离): orders."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.enums import OrderStatus
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Id, UnitCode
from app.schemas.quarantine import OrderBody, OrderDetail, OrderPatch, OrderView, ReleaseBody
from app.services import quarantine_changes, quarantine_orders, quarantine_views

router = APIRouter(prefix="/v1/quarantine-orders", tags=["quarantine"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.QUARANTINE_READ)]
Writer = Annotated[Work, allow(Permission.QUARANTINE_WRITE)]


@router.post(
    "", status_code=201, responses={409: {"description": "Already quarantined, or the id was used."}}
)
async def open_order(work: Writer, body: OrderBody, response: Response) -> OrderView:
    """Put a registered person under home quarantine. One active order a person."""
    return created(response, (await quarantine_orders.create_orders(work, [body]))[0])


@router.get("")
async def list_orders(
    work: Reader,
    paging: Paged,
    status: OrderStatus | None = None,
    unit_code: UnitCode | None = None,
    monitor: Annotated[
        Literal["me"] | None, Query(description="`me`: those that the caller answers for.")
    ] = None,
    due: Annotated[
        bool | None, Query(description="True: with a visit owed in this half day and not yet made.")
    ] = None,
) -> Page[OrderView]:
    """List quarantine orders, the latest opened first."""
    return await quarantine_views.list_orders(work, paging, status, unit_code, monitor, due)


@router.get("/{order_id}")
async def show_order(work: Reader, order_id: Id) -> OrderDetail:
    """Show an order with its calendar: every slot of every day, what became of it, and the visits made for it."""
    return await quarantine_views.show_order(work, order_id)


@router.patch("/{order_id}", responses={409: {"description": "The order has been released."}})
async def change_order(work: Writer, order_id: Id, body: OrderPatch) -> OrderView:
    """Name another monitor or other helpers. The township may extend the order by a later `ends_on`."""
    return await quarantine_changes.change_order(work, order_id, body)


@router.post("/{order_id}/release", responses={409: {"description": "Released before, for another reason."}})
async def release_order(work: Writer, order_id: Id, body: ReleaseBody) -> OrderView:
    """Release a person before their time. Visits still to come are owed no longer; the same again changes nothing."""
    return await quarantine_changes.release_order(work, order_id, body.reason)
