"""Checkpoints and their rules."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.access import allow
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.permissions import Permission
from app.routers.answers import created
from app.schemas.checkpoints import CheckpointBody, CheckpointPatch, CheckpointView, RulesPatch, RulesView
from app.schemas.fields import Id, UnitCode
from app.services import checkpoint_rules, checkpoints

router = APIRouter(prefix="/v1/checkpoints", tags=["checkpoints"], route_class=StrictRoute)

Reader = Annotated[Work, allow(Permission.CHECKPOINTS_READ)]
Writer = Annotated[Work, allow(Permission.CHECKPOINTS_WRITE)]


@router.get("")
async def list_checkpoints(
    work: Reader, paging: Paged, unit_code: UnitCode | None = None
) -> Page[CheckpointView]:
    """List the checkpoints in the caller's scope, by number; staff of a checkpoint see their own."""
    return await checkpoints.list_checkpoints(work, int(unit_code) if unit_code else None, paging)


@router.post("", status_code=201)
async def create_checkpoint(work: Writer, body: CheckpointBody, response: Response) -> CheckpointView:
    """Set up a checkpoint with the default rules of its kind. A number that is taken is 409 `number-taken`."""
    return created(response, await checkpoints.create_checkpoint(work, body))


@router.get("/{checkpoint_id}")
async def show_checkpoint(work: Reader, checkpoint_id: Id) -> CheckpointView:
    """Show one checkpoint."""
    return await checkpoints.show_checkpoint(work, checkpoint_id)


@router.patch("/{checkpoint_id}")
async def change_checkpoint(work: Writer, checkpoint_id: Id, body: CheckpointPatch) -> CheckpointView:
    """Rename a checkpoint."""
    return await checkpoints.change_checkpoint(work, checkpoint_id, body)


@router.get("/{checkpoint_id}/rules")
async def show_rules(work: Annotated[Work, allow(Permission.RULES_READ)], checkpoint_id: Id) -> RulesView:
    """Show the rules in force at a checkpoint."""
    return await checkpoint_rules.show_rules(work, checkpoint_id)


@router.patch("/{checkpoint_id}/rules")
async def change_rules(
    work: Annotated[Work, allow(Permission.RULES_WRITE)], checkpoint_id: Id, body: RulesPatch
) -> RulesView:
    """Change the rules; unless nothing would change, this makes a new version, in force at once."""
    return await checkpoint_rules.change_rules(work, checkpoint_id, body)
