"""Every route passes the door, and every permission leads somewhere."""

from fastapi import FastAPI

from app.domain.enums import Role
from app.domain.permissions import GRANTS, LANES, Permission
from app.openapi import api_routes, doors, permission_of

PUBLIC = {
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/.well-known/jwks.json"),
    ("POST", "/v1/auth/token"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/public/self-reports"),
    ("POST", "/v1/public/tips"),
    ("PUT", "/v1/public/tips/{tip_id}/photos/{sha256}"),
}


PAGES = {("GET", "/docs"), ("GET", "/docs/oauth2-redirect")}


def test_every_operation_declares_security_unless_on_the_public_list(app: FastAPI) -> None:
    open_ones = {
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if not operation.get("security")
    }
    assert open_ones == PUBLIC


def test_every_other_route_has_exactly_one_door_with_a_permission(app: FastAPI) -> None:
    for route in api_routes(app):
        guarded = {(method, route.path) for method in route.methods or ()} - PUBLIC - PAGES
        if guarded:
            assert len(list(doors(route))) == 1, route.path
            assert permission_of(route) is not None, route.path


def test_every_permission_is_granted_to_a_role_and_used_by_a_route(app: FastAPI) -> None:
    used = {permission_of(route) for route in api_routes(app)} - {None}
    in_services = {Permission.SERVICE_VISITS_WRITE}  # asked about one kind of visit, inside an open door
    assert used | in_services == set(Permission)
    assert set(GRANTS) == set(Permission)
    assert all(GRANTS.values())


def test_observers_hold_nothing_but_numbers() -> None:
    held = {p for p, roles in GRANTS.items() if Role.OBSERVER in roles}
    assert held == {Permission.REPORTS_READ, Permission.RANKINGS_READ}
    assert set(LANES[Role.OBSERVER]) == {"grid", "tally"}


def test_the_document_tells_of_repeats_and_of_the_shape_of_every_refusal(app: FastAPI) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            for status, answer in answers.items():
                if status >= "400" and (path, status) != ("/readyz", "503"):
                    assert answer["content"]["application/problem+json"]["schema"] == problem, (path, status)
            if "201" in answers:
                assert answers["200"]["content"] == answers["201"]["content"], (method, path)
                assert "Idempotent-Replay" in answers["200"]["headers"], (method, path)
            takes_something = "requestBody" in operation or operation.get("parameters")
            assert ("422" in answers) == bool(takes_something), (method, path)
