"""Duty and patrols: AB组夜间值守、夜间巡逻."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.duty import Signing
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.duty import (
    PatrolBody,
    PatrolView,
    RotaBody,
    RotaView,
    ShiftBody,
    ShiftPatch,
    ShiftView,
    SigningBody,
)
from app.schemas.fields import Day, Id, ScopeCode
from app.services import patrols, records, rota, shift_signings, shifts

router = APIRouter(prefix="/v1", tags=["duty"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.SHIFTS_READ)]
Planner = Annotated[Work, allow(Permission.SHIFTS_WRITE)]
Signer = Annotated[Work, allow(Permission.SHIFTS_SIGN)]


@router.get("/shifts")
async def list_shifts(
    work: Reader,
    paging: Paged,
    day: Annotated[Day | None, Query(description="The day on which they start.")] = None,
    code: ScopeCode | None = None,
    vacant: Annotated[bool | None, Query(description="Only shifts without anybody, or only others.")] = None,
) -> Page[ShiftView]:
    """List shifts by their start, with posts without people, and people who have not signed in.

    Staff of checkpoints and of the clinic see the shifts on which they are posted themselves.
    """
    return await shifts.list_shifts(work, paging, day, code, vacant)


@router.post("/shifts", status_code=201)
async def create_shift(work: Planner, body: ShiftBody, response: Response) -> ShiftView:
    """Plan a shift. Whoever is unfit, on duty elsewhere or not rested is refused (409)."""
    outcomes = await shifts.create_shifts(work, [body])
    return created(response, outcomes[0])


@router.post("/shifts/generate")
async def generate_rota(work: Planner, body: RotaBody) -> RotaView:
    """Plan nights for up to 31 days, A and B alternating, of all units in the code; what is planned stays.

    Each unit's fit staff is dealt to the two groups in turn. A night for which nobody is free and rested is made all
    the same, and shown as vacant.
    """
    return await rota.generate(work, body)


@router.get("/shifts/{shift_id}")
async def show_shift(work: Reader, shift_id: Id) -> ShiftView:
    """Show one shift: who is posted, and who came."""
    return await shifts.show_shift(work, shift_id)


@router.patch("/shifts/{shift_id}")
async def change_shift(work: Planner, shift_id: Id, body: ShiftPatch) -> ShiftView:
    """Change a shift's people or times, or cancel it."""
    return await shifts.change_shift(work, shift_id, body)


@router.post("/shifts/{shift_id}/sign-in", status_code=201)
async def sign_in(work: Signer, shift_id: Id, body: SigningBody, response: Response) -> ShiftView:
    """Come on duty (签到). The first counts; every one is kept."""
    return created(response, await shift_signings.sign(work, shift_id, Signing.IN, body))


@router.post("/shifts/{shift_id}/sign-out", status_code=201)
async def sign_out(work: Signer, shift_id: Id, body: SigningBody, response: Response) -> ShiftView:
    """Go off duty (签退). The last one stands."""
    return created(response, await shift_signings.sign(work, shift_id, Signing.OUT, body))


@router.get("/patrols")
async def list_patrols(
    work: Annotated[Work, allow(Permission.PATROLS_READ)],
    paging: Paged,
    day: Day | None = None,
    code: ScopeCode | None = None,
) -> Page[PatrolView]:
    """List patrols, newest first."""
    return await records.page(work, patrols.PATROLS, paging, code=code, day=day)


@router.post("/patrols", status_code=201)
async def record_patrol(
    work: Annotated[Work, allow(Permission.PATROLS_WRITE)], body: PatrolBody, response: Response
) -> PatrolView:
    """Record a patrol, with what it met."""
    items = await patrols.store_patrols(work, [body])
    return created(response, (await records.outcomes(work, patrols.PATROLS, items))[0])


@router.get("/patrols/{patrol_id}")
async def show_patrol(work: Annotated[Work, allow(Permission.PATROLS_READ)], patrol_id: Id) -> PatrolView:
    """Show one patrol."""
    return await records.show(work, patrols.PATROLS, patrol_id)
