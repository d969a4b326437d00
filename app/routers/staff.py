"""Staff and their logins."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import allow, allow_steps
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import OpenWork, Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Id, Name, UnitCode
from app.schemas.staff import OneTimePasswordView, StaffBody, StaffPatch, StaffRole, StaffView
from app.services import staff, staff_change, staff_create, staff_users

router = APIRouter(prefix="/v1", tags=["grid"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.STAFF_READ)]
Writer = Annotated[Work, allow(Permission.STAFF_WRITE)]
Stepper = Annotated[OpenWork, allow_steps(Permission.STAFF_WRITE)]


@router.get("/staff")
async def list_staff(
    work: Reader,
    paging: Paged,
    unit_code: Annotated[UnitCode | None, Query()] = None,
    role: Annotated[StaffRole | None, Query()] = None,
    q: Annotated[Name | None, Query(description="Part of the name or the user name.")] = None,
) -> Page[StaffView]:
    """List the staff of the caller's units."""
    wanted = staff.StaffFilter(int(unit_code) if unit_code else None, role, q)
    return await staff.list_staff(work, wanted, paging)


@router.post(
    "/staff",
    status_code=201,
    responses={200: {"model": StaffView, "description": "Sent before: as it is stored."}},
)
async def create_staff(work: Writer, body: StaffBody, response: Response) -> StaffView:
    """Create a staff member and their login; `POST /v1/staff/{id}/password` then gives it a password."""
    outcomes = await staff_create.create_staff(work, [body])
    return created(response, outcomes[0])


@router.get("/staff/{staff_id}")
async def show_staff(work: Reader, staff_id: Id) -> StaffView:
    """Show a staff member."""
    return await staff.show_staff(work, staff_id)


@router.patch("/staff/{staff_id}")
async def change_staff(work: Writer, staff_id: Id, body: StaffPatch) -> StaffView:
    """Change a staff member; role, scope and status act on their next request, and a closed account is logged out."""
    return await staff_change.change_staff(work, staff_id, body)


@router.post("/staff/{staff_id}/password")
async def give_password(open_work: Stepper, staff_id: Id) -> OneTimePasswordView:
    """Give a staff member a one-time password, shown only here and good for 7 days; they are logged out everywhere."""
    return OneTimePasswordView(password=await staff_users.give_temporary_password(open_work, staff_id))
