"""Logins and the caller's own account."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from pydantic import StringConstraints

from app.access import Front, allow, allow_steps, public
from app.core.strict_route import StrictRoute
from app.core.work import OpenWork, Work
from app.domain.permissions import Permission
from app.schemas.auth import MeView, PasswordBody, RefreshBody, TokenView
from app.schemas.fields import Line
from app.services import me, sessions

router = APIRouter(prefix="/v1", tags=["auth"], route_class=StrictRoute)

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "Wrong name, password or refresh token", "content": _PROBLEM}
}
_LIMITED: dict[int | str, dict[str, Any]] = {
    429: {"description": "Too many wrong passwords; see Retry-After", "content": _PROBLEM}
}

Text200 = Annotated[str, StringConstraints(max_length=200)]


@router.post("/auth/token", responses=_REFUSED | _LIMITED)
async def token(
    front: Annotated[Front, public()],
    username: Annotated[Text200, Form()],
    password: Annotated[Text200, Form()],
    device_id: Annotated[
        Line | None, Form(description="Any name that stays the same on this device.")
    ] = None,
    grant_type: Annotated[str | None, Form(pattern="^password$")] = None,
) -> TokenView:
    """Log in with name and password (OAuth2 password form)."""
    return await sessions.login(front.kit, front.open_work, username, password, device_id, front.address)


@router.post("/auth/refresh", responses=_REFUSED)
async def refresh(front: Annotated[Front, public()], body: RefreshBody) -> TokenView:
    """Exchange the refresh token; repeated within 10 minutes by the same device it gives the same successor."""
    return await sessions.renew(front.kit, front.open_work, body.refresh_token, body.device_id)


@router.post("/auth/logout", status_code=204)
async def logout(work: Annotated[Work, allow(Permission.ME)]) -> None:
    """End this session; its tokens stop at once."""
    assert work.caller.session_id is not None
    await sessions.end_session(work, work.caller.session_id)


@router.get("/me")
async def show_me(work: Annotated[Work, allow(Permission.ME)]) -> MeView:
    """Show the caller's account: role, scope and township."""
    return await me.describe(work)


@router.post("/me/password", status_code=204, responses=_LIMITED)
async def change_password(
    open_work: Annotated[OpenWork, allow_steps(Permission.ME)], body: PasswordBody
) -> None:
    """Change one's own password; other sessions end."""
    await me.change_password(open_work, body.old, body.new)
