"""The public's own door (主动报告、群众举报): no login, a poster's code, few at a time; and the posters themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.access import Front, allow, public
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRequest, StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.domain.self_reports import SelfReportStatus
from app.routers.answers import created
from app.routers.photos import PHOTO_BODY, require_picture
from app.schemas.fields import Day, Id, PhotoId, ScopeCode, TownshipCode, UnitCode
from app.schemas.outcomes import ClosingBody
from app.schemas.public import (
    PhotoReceiptView,
    PosterText,
    PosterView,
    PublicTipBody,
    ReceiptView,
    RenewBody,
    SelfReportBody,
    SelfReportView,
)
from app.services import posters, public_photos, public_reports, self_reports
from app.services.photo_uploads import LARGEST_PHOTO
from app.services.public_limits import turn_away
from app.services.public_reports import Stranger


class PublicRequest(StrictRequest):
    """A request of anybody's: of an address that must wait nothing is read."""

    async def look_first(self) -> None:
        """Turn an address away that has sent too much."""
        await turn_away(self.app.state.kit, self.client.host if self.client else "")


class PublicRoute(StrictRoute):
    """A route for anybody: its bodies are short."""

    body_limit = 16 * 1024
    request_class = PublicRequest


class PhotoRoute(PublicRoute):
    """A route for anybody's photo."""

    body_limit = LARGEST_PHOTO


router = APIRouter(prefix="/v1/public", tags=["public"], route_class=PublicRoute)
pictures = APIRouter(prefix="/v1/public", tags=["public"], route_class=PhotoRoute)
papers = APIRouter(prefix="/v1", tags=["public"], route_class=StrictRoute)

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_LIMITED: dict[int | str, dict[str, Any]] = {
    429: {"description": "Too many from this address, poster or phone; see Retry-After", "content": _PROBLEM}
}
_NO_TOWNSHIP: dict[int | str, dict[str, Any]] = {
    404: {"description": "No such township", "content": _PROBLEM}
}
_NO_TIP: dict[int | str, dict[str, Any]] = {
    404: {"description": "No such township, or no such tip that names the photo", "content": _PROBLEM}
}
_NO_STORE = {"Cache-Control": "no-store"}

Reader = Annotated[Work, allow(Permission.SELF_REPORTS_READ)]
PosterReader = Annotated[Work, allow(Permission.POSTERS_READ)]


def _stranger(front: Front) -> Stranger:
    return Stranger(front.kit, front.open_work, front.open_township, front.address)


@router.post("/self-reports", status_code=201, responses=_LIMITED)
async def send_self_report(
    front: Annotated[Front, public()], body: SelfReportBody, response: Response
) -> ReceiptView:
    """Say that one has come home (主动报告). The answer is the same whoever is named."""
    return created(response, await public_reports.send_self_report(_stranger(front), body))


@router.post("/tips", status_code=201, responses=_LIMITED | _NO_TOWNSHIP)
async def send_tip(front: Annotated[Front, public()], body: PublicTipBody, response: Response) -> ReceiptView:
    """Report a gathering, mahjong, a banquet (群众举报): by a poster's code, or to a township."""
    return created(response, await public_reports.send_tip(_stranger(front), body))


@pictures.put(
    "/tips/{tip_id}/photos/{sha256}",
    status_code=201,
    responses=_LIMITED | _NO_TIP | {413: {"description": "More than 5 MiB."}},
    openapi_extra=PHOTO_BODY,
)
async def send_tip_photo(
    front: Annotated[Front, public()],
    request: Request,
    response: Response,
    tip_id: Id,
    sha256: PhotoId,
    poster: PosterText | None = None,
    township_code: TownshipCode | None = None,
) -> PhotoReceiptView:
    """Send a photo of a tip that names it, whole, within a day of the tip: JPEG, PNG or WebP, at most 5 MiB.

    `poster` or `township_code` as with the tip. What is kept is a copy without metadata.
    """
    require_picture(request)
    sent = public_photos.send_tip_photo(
        _stranger(front), tip_id, sha256, (poster, township_code), request.stream()
    )
    return created(response, await sent)


@papers.get("/self-reports")
async def list_self_reports(
    work: Reader,
    paging: Paged,
    status: SelfReportStatus | None = None,
    code: ScopeCode | None = None,
    day: Annotated[Day | None, Query(description="The day on which they came in.")] = None,
) -> Page[SelfReportView]:
    """List self-reports, newest first, each beside the household check that settles it, with what does not fit."""
    return await self_reports.list_self_reports(work, paging, status, code, day)


@papers.get("/self-reports/{report_id}")
async def show_self_report(work: Reader, report_id: Id) -> SelfReportView:
    """Show one self-report."""
    return await self_reports.show_self_report(work, report_id)


@papers.post("/self-reports/{report_id}/close")
async def close_self_report(
    work: Annotated[Work, allow(Permission.SELF_REPORTS_WRITE)], report_id: Id, body: ClosingBody
) -> SelfReportView:
    """Close a self-report with a note, whatever it is held against."""
    return await self_reports.close_self_report(work, report_id, body.note)


@papers.get("/units/{unit_code}/poster")
async def show_poster(work: PosterReader, unit_code: UnitCode, response: Response) -> PosterView:
    """Show the code of a unit's poster."""
    response.headers.update(_NO_STORE)
    return await posters.show_poster(work, int(unit_code))


@papers.get(
    "/units/{unit_code}/poster.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}},
)
async def draw_poster(work: PosterReader, unit_code: UnitCode) -> Response:
    """Draw the QR code of a unit's poster."""
    poster = await posters.show_poster(work, int(unit_code))
    return Response(posters.poster_svg(poster.code), media_type="image/svg+xml", headers=_NO_STORE)


@papers.post("/units/{unit_code}/poster/renew")
async def renew_poster(
    work: Annotated[Work, allow(Permission.POSTERS_WRITE)], unit_code: UnitCode, body: RenewBody
) -> PosterView:
    """Make a unit's poster of this version void. Again shows the one that has replaced it."""
    return await posters.renew_poster(work, int(unit_code), body.version)
