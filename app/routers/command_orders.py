"""Orders of the command post (指令), and what units answer."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.command_orders import Answer, OrderStatus
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.command_orders import (
    AcknowledgeBody,
    AnswerBody,
    CommandOrderBody,
    CommandOrderPatch,
    CommandOrderView,
    OrderHead,
)
from app.schemas.fields import Id
from app.services import command_orders, order_answers, order_views

router = APIRouter(prefix="/v1/orders", tags=["command"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.ORDERS_READ)]
Writer = Annotated[Work, allow(Permission.ORDERS_WRITE)]
Answerer = Annotated[Work, allow(Permission.ORDERS_ANSWER)]


@router.get("")
async def list_orders(work: Reader, paging: Paged, status: OrderStatus | None = None) -> Page[OrderHead]:
    """List orders, the latest written first; units see those that were issued to them."""
    return await order_views.list_orders(work, status, paging)


@router.post("", status_code=201)
async def create_order(work: Writer, body: CommandOrderBody, response: Response) -> CommandOrderView:
    """Write an order to units. With `issue_at` it waits as a draft, and the clock issues it at that minute."""
    return created(response, await command_orders.create_order(work, body))


@router.get("/{order_id}")
async def show_order(work: Reader, order_id: Id) -> CommandOrderView:
    """Show an order: who has it, who has acknowledged, answered and done it, and after how many minutes."""
    return await order_views.show_order(work, order_id)


@router.patch("/{order_id}")
async def change_order(work: Writer, order_id: Id, body: CommandOrderPatch) -> CommandOrderView:
    """Change a draft. What units have received stays as it is (409 `already-issued`)."""
    return await command_orders.change_order(work, order_id, body)


@router.post("/{order_id}/withdraw")
async def withdraw_order(work: Writer, order_id: Id) -> CommandOrderView:
    """Take an order back. Units see that it asks for nothing any more."""
    return await command_orders.withdraw_order(work, order_id)


@router.post("/{order_id}/acknowledge", status_code=201)
async def acknowledge(
    work: Answerer, order_id: Id, body: AcknowledgeBody, response: Response
) -> CommandOrderView:
    """Acknowledge an order for a unit (签收). The first sets the minutes."""
    return created(response, await order_answers.answer_order(work, order_id, Answer.ACKNOWLEDGE, body))


@router.post("/{order_id}/feedback", status_code=201)
async def give_feedback(
    work: Answerer, order_id: Id, body: AnswerBody, response: Response
) -> CommandOrderView:
    """Say how it goes (反馈); this acknowledges it too. Every feedback is kept."""
    return created(response, await order_answers.answer_order(work, order_id, Answer.FEEDBACK, body))


@router.post("/{order_id}/complete", status_code=201)
async def complete(work: Answerer, order_id: Id, body: AnswerBody, response: Response) -> CommandOrderView:
    """Report that it is done (落实); this acknowledges it too."""
    return created(response, await order_answers.answer_order(work, order_id, Answer.COMPLETE, body))
