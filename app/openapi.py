"""The OpenAPI document: what FastAPI cannot see by itself is the door, and the problems that every operation shares."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from app.access import Door, PublicDoor
from app.domain.enums import Role
from app.domain.permissions import GRANTS, Permission
from app.schemas.sync import OpBody

DESCRIPTION = """A township's epidemic control (网格): household checks, home quarantine, checkpoints, disinfection and
the daily report. Log in at `POST /v1/auth/token`; every error is `application/problem+json` (RFC 9457).
Examples are real answers of one made-up day, with stand-ins for ids, hashes and marks; lists are cut after three."""

TAGS = [
    {"name": "auth", "description": "Logins and one's own account."},
    {"name": "grid", "description": "Townships, units, rosters, staff, keys of dashboards (网格)."},
    {"name": "households", "description": "Households, people and checks at their doors (上门排查)."},
    {"name": "quarantine", "description": "Home quarantine: orders, visits, alerts (居家隔离)."},
    {"name": "checkpoints", "description": "Checkpoints, their rules and decisions (卡点)."},
    {
        "name": "passes",
        "description": "Passes: signed QR codes that gates verify with signal or without (通行证).",
    },
    {"name": "disinfection", "description": "Disinfection sites and logs (清洁消毒)."},
    {"name": "sync", "description": "Phones that were offline: push, pull, conflicts (docs/sync.md)."},
    {"name": "photos", "description": "Photos that visits and logs name (照片)."},
    {
        "name": "command",
        "description": "The daily cycle: reports at 16:00, the meeting, orders at 19:00 (作战机制).",
    },
    {"name": "live", "description": "Server-Sent Events of what happens in the caller's scope."},
    {"name": "outcomes", "description": "Tips, squads, incidents, bulletins (举报、突击小分队、公开)."},
    {
        "name": "public",
        "description": "What the public sends without a login, and posters (主动报告、群众举报).",
    },
    {"name": "reports", "description": "The daily report and series, for dashboards."},
    {"name": "imports", "description": "Sheets as a village office keeps them."},
    {"name": "system", "description": "Health, metrics, public keys."},
]

_SCHEMES = {
    "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/v1/auth/token", "scopes": {}}}},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "A stable slug."},
        "request_id": {"type": "string", "format": "uuid"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "message")},
            },
        },
    },
}

_PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

_REPEATED = {
    "description": "The same id with the same content as before: as it is stored.",
    "headers": {"Idempotent-Replay": {"schema": {"type": "string", "const": "true"}, "required": True}},
}

_COMMON = {"400": "Unreadable request", "503": "Temporarily unavailable"}
_GUARDED = {
    "401": "No valid token",
    "403": "A role that may never do this",
    "404": "Not there, or not for you",
}


def doors(route: APIRoute) -> Iterator[Door | PublicDoor]:
    """Yield the doors among a route's dependencies."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Door | PublicDoor):
            yield dependency.call


def permission_of(route: BaseRoute) -> Permission | None:
    """Return the permission that a route names, or None for a route on the public list."""
    if not isinstance(route, APIRoute):
        return None
    return next((door.permission for door in doors(route) if isinstance(door, Door)), None)


def api_routes(app: FastAPI) -> Iterator[APIRoute]:
    """Yield every route of the application that is an API operation."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            yield context.original_route


def install_openapi(app: FastAPI) -> None:
    """Let `app.openapi()` return FastAPI's document with the door's security and the shared problems in it."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = original()
            _complete(document, app)
            app.openapi_schema = document
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any], app: FastAPI) -> None:
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    schemas["OpBody"] = OpBody.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, answer in _examples().items():
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        content["application/json"]["example"] = answer
    for route in api_routes(app):
        for method in route.methods or ():
            operation = document["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _complete_operation(operation, permission_of(route))


def _examples() -> dict[str, Any]:
    """Return by path what a GET answered, really: a test writes it down and compares it."""
    text = files("app").joinpath("data/openapi_examples.json").read_text(encoding="utf-8")
    examples: dict[str, Any] = json.loads(text)
    return examples


def _complete_operation(operation: dict[str, Any], permission: Permission | None) -> None:
    problems = dict(_COMMON)
    if permission is not None:
        problems |= _GUARDED
        operation["security"] = [{"token": []}]
        roles = GRANTS[permission]
        if Role.OBSERVER in roles:
            operation["security"].append({"api_key": []})
        named = ", ".join(role.value for role in Role if role in roles)
        operation["description"] = operation.get("description", "") + f"\n\nRoles: {named}."
    if "requestBody" in operation or "parameters" in operation:
        problems["422"] = "A rule is broken"
    if "requestBody" in operation:
        problems |= {"409": "Against what is stored", "413": "Too large", "415": "Wrong content type"}
    answers = operation["responses"]
    for status, text in problems.items():
        if status == "422" or status not in answers:
            answers[status] = {"description": text}
    for status, answer in answers.items():
        if status >= "400":
            answer.setdefault("content", _PROBLEM_CONTENT)
    if "201" in answers:
        answers["200"] = {**_REPEATED, **answers.get("200", {}), "content": answers["201"]["content"]}
