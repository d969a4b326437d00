"""The words behind codes, for clients that work offline."""

from typing import Annotated

from fastapi import APIRouter

from app.access import allow
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.schemas.messages import MessagesView
from app.services.messages import catalogue

router = APIRouter(prefix="/v1/messages", tags=["system"], route_class=StrictRoute)


@router.get("")
async def list_messages(_: Annotated[Work, allow(Permission.MESSAGES_READ)]) -> MessagesView:
    """Every reason, problem and finding by its code, in Chinese and English: they change with the program only."""
    return MessagesView.model_validate(catalogue())
