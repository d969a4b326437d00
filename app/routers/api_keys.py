"""Keys of dashboards."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.auth import ApiKeyBody, ApiKeyView, NewApiKeyView
from app.schemas.fields import Id
from app.services import api_keys

router = APIRouter(prefix="/v1", tags=["grid"], route_class=StrictRoute)

Keeper = Annotated[Work, allow(Permission.API_KEYS)]


@router.get("/api-keys")
async def list_keys(work: Keeper, paging: Paged) -> Page[ApiKeyView]:
    """List the township's keys, without the keys; those that were revoked are left out."""
    return await api_keys.list_keys(work, paging)


@router.post(
    "/api-keys",
    status_code=201,
    responses={
        200: {"model": NewApiKeyView, "description": "Sent before: as it is stored, without the key."}
    },
)
async def create_key(work: Keeper, body: ApiKeyBody, response: Response) -> NewApiKeyView:
    """Create a key for a dashboard of the township or of one unit; `key` is shown this once."""
    return created(response, await api_keys.create_key(work, body))


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_key(work: Keeper, key_id: Id) -> None:
    """Revoke a key; it stops at once."""
    await api_keys.revoke_key(work, key_id)
