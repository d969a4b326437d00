"""Publicity: 宣传单、标语、广播."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.domain.publicity import MaterialKind
from app.routers.answers import created
from app.schemas.fields import Day, Id, ScopeCode
from app.schemas.publicity import MaterialBody, MaterialView, PublicityBody, PublicityReport, PublicityView
from app.services import publicity, publicity_quotas, records

router = APIRouter(prefix="/v1", tags=["publicity"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.PUBLICITY_READ)]


@router.get("/publicity-materials")
async def list_materials(work: Reader, paging: Paged, kind: MaterialKind | None = None) -> Page[MaterialView]:
    """List the township's materials, newest first."""
    return await records.page(work, publicity.MATERIALS, paging, kind=kind)


@router.post("/publicity-materials", status_code=201)
async def create_material(
    work: Annotated[Work, allow(Permission.MATERIALS_WRITE)], body: MaterialBody, response: Response
) -> MaterialView:
    """Add a material to the township's catalogue."""
    return created(response, (await publicity.create_materials(work, [body]))[0])


@router.get("/publicity-materials/{material_id}")
async def show_material(work: Reader, material_id: Id) -> MaterialView:
    """Show one material."""
    return await records.show(work, publicity.MATERIALS, material_id)


@router.get("/publicity-logs")
async def list_logs(
    work: Reader,
    paging: Paged,
    day: Day | None = None,
    code: ScopeCode | None = None,
    material_id: Id | None = None,
    kind: MaterialKind | None = None,
) -> Page[PublicityView]:
    """List what was handed out, put up and read out, newest first; of kind `broadcast`: when broadcasts were sent."""
    wanted = {"day": day, "material_id": material_id, "kind": kind}
    return await records.page(work, publicity.LOGS, paging, code=code, **wanted)


@router.post("/publicity-logs", status_code=201)
async def record_publicity(
    work: Annotated[Work, allow(Permission.PUBLICITY_WRITE)], body: PublicityBody, response: Response
) -> PublicityView:
    """Record what was handed out, put up or read out."""
    items = await publicity.store_logs(work, [body])
    return created(response, (await records.outcomes(work, publicity.LOGS, items))[0])


@router.get("/publicity-logs/{log_id}")
async def show_log(work: Reader, log_id: Id) -> PublicityView:
    """Show one publicity log."""
    return await records.show(work, publicity.LOGS, log_id)


@router.get("/publicity")
async def show_publicity(
    work: Reader,
    code: Annotated[ScopeCode | None, Query(description="Default: the caller's whole scope.")] = None,
) -> PublicityReport:
    """What each unit has done against its quotas, with what is still owed."""
    return await publicity_quotas.publicity_report(work, code)
