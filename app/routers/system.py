"""What stands outside /v1: health, metrics, keys."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.core.kit import Kit
from app.services import health

router = APIRouter(tags=["system"])


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Tell that the process runs."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=dict[str, str],
    responses={503: {"model": dict[str, str], "description": "Not ready: the answer says why."}},
)
async def readyz(request: Request) -> JSONResponse:
    """Tell whether requests can be served: database reachable, migrations at head, not draining."""
    findings = await health.readiness(request.app.state.kit.database, request.app.state.draining)
    ready = all(state == "ok" for state in findings.values())
    headers = {} if ready else {"Retry-After": "2"}
    return JSONResponse(
        {"status": "ok" if ready else "not-ready", **findings}, 200 if ready else 503, headers
    )


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """Prometheus metrics of all server processes."""
    return Response(health.metrics(), media_type=health.METRICS_TYPE)


@router.get("/.well-known/jwks.json")
async def jwks(request: Request) -> dict[str, Any]:
    """The public keys of access tokens (RFC 7517)."""
    kit: Kit = request.app.state.kit
    return kit.ring.jwks()
