"""Decisions at checkpoints: the route that is called most, so its answer is written as bytes."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access import allow
from app.core.direct_route import DirectRoute
from app.core.outcome import Outcome
from app.core.paging import Page, Paged
from app.core.strict_route import StrictRoute
from app.core.work import Work
from app.domain.enums import Verdict
from app.domain.permissions import Permission
from app.schemas.decisions import DecisionBody, DecisionItem, DecisionView, DisagreementView
from app.schemas.fields import Day, Id
from app.services import decision_list, decisions, judged_again
from app.services.decision_list import DecisionFilter
from app.services.gate_rulings import Ruling

router = APIRouter(prefix="/v1/checkpoints", tags=["checkpoints"], route_class=StrictRoute)
busiest = APIRouter(prefix="/v1/checkpoints", tags=["checkpoints"], route_class=DirectRoute)


@busiest.post(
    "/{checkpoint_id}/decisions",
    status_code=201,
    response_model=DecisionView,
    responses={
        200: {"model": DecisionView, "description": "The same id and content again: the stored answer."}
    },
)
async def decide(
    work: Annotated[Work, allow(Permission.DECISIONS_WRITE)],
    checkpoint_id: Id,
    body: DecisionBody,
    request: Request,
) -> Response:
    """Judge one person at a checkpoint. A denial is a success (201), with every reason that applies.

    A quarantined person is denied at any checkpoint, and their monitor and the township are alerted.
    """
    outcomes = await decisions.decide(work, checkpoint_id, [body])
    return _answered(outcomes[0], request.state.language)


def _answered(outcome: Outcome[Ruling], language: str) -> Response:
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    if outcome.replayed:
        headers["Idempotent-Replay"] = "true"
    content = outcome.take().to_json(language)
    return Response(content, 200 if outcome.replayed else 201, headers, "application/json")


@router.get("/{checkpoint_id}/decisions")
async def list_decisions(
    work: Annotated[Work, allow(Permission.DECISIONS_READ)],
    checkpoint_id: Id,
    paging: Paged,
    request: Request,
    response: Response,
    day: Day | None = None,
    verdict: Verdict | None = None,
) -> Page[DecisionItem]:
    """List a checkpoint's decisions, newest first, of one day or with one verdict if asked."""
    language = response.headers["Content-Language"] = request.state.language
    response.headers["Vary"] = "Accept-Language"
    wanted = DecisionFilter(day, verdict)
    return await decision_list.list_decisions(work, checkpoint_id, wanted, paging, language)


@router.get("/{checkpoint_id}/disagreements")
async def list_disagreements(
    work: Annotated[Work, allow(Permission.DISAGREEMENTS_READ)],
    checkpoint_id: Id,
    paging: Paged,
    request: Request,
    response: Response,
) -> Page[DisagreementView]:
    """List rulings that a gate gave without signal and the server would have given otherwise, newest first."""
    language = response.headers["Content-Language"] = request.state.language
    response.headers["Vary"] = "Accept-Language"
    return await judged_again.list_disagreements(work, checkpoint_id, paging, language)
