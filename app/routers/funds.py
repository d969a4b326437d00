"""Funds: 专项经费."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.funds import FundKind
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.fields import Day, Id, ScopeCode
from app.schemas.funds import FundBalanceView, FundBody, FundView
from app.services import funds, records

router = APIRouter(prefix="/v1/funds", tags=["supplies"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.FUNDS_READ)]


@router.get("")
async def list_funds(
    work: Reader,
    paging: Paged,
    code: ScopeCode | None = None,
    kind: FundKind | None = None,
    day: Day | None = None,
) -> Page[FundView]:
    """List what was granted, spent and returned, newest first."""
    return await records.page(work, funds.FUNDS, paging, code=code, kind=kind, day=day)


@router.post("", status_code=201)
async def record_fund(
    work: Annotated[Work, allow(Permission.FUNDS_WRITE)], body: FundBody, response: Response
) -> FundView:
    """Record money. The township grants; a unit spends and returns, never more than it has (409)."""
    items = await funds.store_funds(work, [body])
    return created(response, (await records.outcomes(work, funds.FUNDS, items))[0])


@router.get("/balances")
async def list_balances(work: Reader, paging: Paged, code: ScopeCode | None = None) -> Page[FundBalanceView]:
    """List what each unit was granted, has spent and returned, and still has."""
    return await funds.list_balances(work, paging, code)


@router.get("/{fund_id}")
async def show_fund(work: Reader, fund_id: Id) -> FundView:
    """Show one record."""
    return await records.show(work, funds.FUNDS, fund_id)
