"""Webhooks: dashboards that want to be told instead of asking."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access import allow
from app.core.kit import Kit
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Id
from app.schemas.webhooks import NewWebhookView, WebhookBody, WebhookView
from app.services import webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["live"], route_class=StrictRoute)

Writer = Annotated[Work, allow(Permission.WEBHOOKS)]


@router.get("")
async def list_webhooks(work: Writer, paging: Paged) -> Page[WebhookView]:
    """List the township's webhooks, with what has not arrived."""
    return await webhooks.list_webhooks(work, paging)


@router.post("", status_code=201)
async def create_webhook(
    work: Writer, request: Request, body: WebhookBody, response: Response
) -> NewWebhookView:
    """Set up a webhook. Messages are signed after the Standard Webhooks specification, tried again for three days, and
    tell of numbers and orders, never of a person."""
    kit: Kit = request.app.state.kit
    anywhere = kit.settings.webhooks_anywhere
    return created(response, await webhooks.create_webhook(work, body, anywhere))


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(work: Writer, webhook_id: Id) -> None:
    """Tell a webhook nothing more."""
    await webhooks.delete_webhook(work, webhook_id)
