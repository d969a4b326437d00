"""Passes (通行证): issue, show, print, revoke, verify."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Id, UnitCode
from app.schemas.passes import PassBody, PassView, RevokeBody, VerifyBody, VerifyView
from app.services import gate_passes, pass_sheets, pass_views, passes

router = APIRouter(prefix="/v1/passes", tags=["passes"], route_class=StrictRoute)
sheets = APIRouter(prefix="/v1/units", tags=["passes"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.PASSES_READ)]
Writer = Annotated[Work, allow(Permission.PASSES_WRITE)]

_SECRET = {"Cache-Control": "no-store"}
"""Whoever has a code can use it."""
_STYLED = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


@router.post("", status_code=201, responses={409: {"description": "In quarantine, or the id was used."}})
async def issue_pass(work: Writer, body: PassBody, response: Response) -> PassView:
    """Issue a pass to a registered person. Who is in home quarantine gets none."""
    return created(response, (await passes.issue_passes(work, [body]))[0])


@router.get("")
async def list_passes(
    work: Reader, paging: Paged, person_id: Id | None = None, unit_code: UnitCode | None = None
) -> Page[PassView]:
    """List passes, the latest issued first."""
    return await pass_views.list_passes(work, paging, person_id, int(unit_code) if unit_code else None)


@router.post("/verify", response_model_exclude_unset=True)
async def verify_pass(work: Annotated[Work, allow(Permission.PASSES_VERIFY)], body: VerifyBody) -> VerifyView:
    """Judge a code step by step, as every gate does; nothing is used up. For authors of clients."""
    return await gate_passes.verify_pass(work, body)


@router.get("/{pass_id}")
async def show_pass(work: Reader, pass_id: Id) -> PassView:
    """Show a pass with its code."""
    return await pass_views.show_pass(work, pass_id)


@router.get("/{pass_id}/qr.svg", response_class=Response, responses={200: {"content": {"image/svg+xml": {}}}})
async def show_svg(work: Reader, pass_id: Id) -> Response:
    """Draw a pass's QR code, version 6-M."""
    picture = pass_sheets.qr_svg((await pass_views.show_pass(work, pass_id)).code)
    return Response(picture, media_type="image/svg+xml", headers=_SECRET)


@router.get("/{pass_id}/qr.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def show_png(work: Reader, pass_id: Id) -> Response:
    """Draw a pass's QR code as PNG."""
    picture = pass_sheets.qr_png((await pass_views.show_pass(work, pass_id)).code)
    return Response(picture, media_type="image/png", headers=_SECRET)


@router.post("/{pass_id}/revoke")
async def revoke_pass(work: Writer, pass_id: Id, body: RevokeBody) -> PassView:
    """Revoke a pass for good, at every gate with its next bundle."""
    return await passes.revoke_pass(work, pass_id, body.reason)


@sheets.get("/{unit_code}/passes/sheet", response_class=HTMLResponse)
async def print_sheet(work: Reader, unit_code: UnitCode, paging: Paged) -> HTMLResponse:
    """A page with valid passes of a unit, the first issued first, to print on A4 and cut: ten a sheet."""
    return HTMLResponse(await pass_sheets.unit_sheet(work, int(unit_code), paging), headers=_SECRET | _STYLED)
