"""The sweep: every operation, called from outside with ids that exist, answers the bytes of ids that do not.

No line is written here for a new noun: operations, paths and bodies come from the OpenAPI document.
"""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.domain.enums import Role
from app.domain.permissions import holds
from app.models.fence import FENCE, for_all_units
from app.openapi import api_routes, permission_of
from tests.house.scenario import Scenario, make_scenario
from tests.house.schema_bodies import body_for
from tests.town import Town

NOBODY = "01900000-0000-7000-8000-0000000000ff"


def operations(app: FastAPI) -> list[tuple[str, str, Any]]:
    """Every guarded operation under /v1: method, path and permission."""
    return sorted(
        (method, route.path, permission_of(route))
        for route in api_routes(app)
        for method in route.methods or ()
        if permission_of(route) is not None
    )


def nonexistent(path: str, name: str) -> str | None:
    """The counterpart of an id: of the same form, and nobody's."""
    if name == "unit_code":
        return "499999999999"
    if name == "code":
        return "499999999"
    if name == "sha256":
        return "0" * 64
    return NOBODY if name == "id" or name.endswith(("_id", "_ids")) else None


def names_of(path: str) -> list[str]:
    return [
        part[1:-1] for part in path.split("/") if part.startswith("{") and part not in ("{day}", "{kind}")
    ]


def fill(path: str, give: Any) -> str | None:
    """Return the path with its ids filled in; None where there is no such record."""
    for name in names_of(path):
        value = give(path, name)
        if value is None:
            return None
        path = path.replace("{" + name + "}", value, 1)
    return path.replace("{day}", "2020-02-03").replace("{kind}", "households")


async def call(client: AsyncClient, app: FastAPI, method: str, path: str, give: Any) -> Response | None:
    """Call an operation with the ids that `give` gives, in path and body."""
    document = app.openapi()
    filled = fill(path, give)
    if filled is None:
        return None
    body = body_for(document, document["paths"][path][method.lower()], lambda name: give(path, name))
    return await client.request(method, filled, json=body)


def bytes_of(answer: Response) -> tuple[int, bytes]:
    """An answer without its request id and the time of the call."""
    request_id = answer.headers["x-request-id"].encode()
    timeless = re.sub(rb'"server_time": "[^"]*"', b"", answer.content)
    return answer.status_code, timeless.replace(request_id, b"-")


def concerns_a_record(app: FastAPI, method: str, path: str) -> bool:
    """Tell whether an operation names any record, in its path or its body."""
    document = app.openapi()
    named: list[str] = []

    def note(name: str) -> str | None:
        named.append(name)
        return nonexistent(path, name)

    body_for(document, document["paths"][path][method.lower()], note)
    return bool(names_of(path)) or any(nonexistent(path, name) for name in named)


@pytest.fixture
async def scenario(town: Town) -> Scenario:
    return await make_scenario(town)


def for_every_unit(path: str) -> bool:
    """Tell whether a path's noun is what the township says to all of its units."""
    noun = path.split("/")[2].replace("-", "_")
    return noun == "townships" or FENCE.get(noun) == for_all_units(noun)


async def outsiders(scenario: Scenario, other_town: Town) -> dict[str, AsyncClient]:
    """Everybody who may not see the first unit of the scenario's township."""
    town = scenario.town
    return {
        "township of another": await other_town.township(),
        "village of another": await other_town.village(),
        "clinic of another": await other_town.clinic(),
        "checkpoint of another": await other_town.login("checkpoint", [other_town.units[0]]),
        "village of a sibling unit": await town.village(1),
        "checkpoint of a sibling unit": await town.login("checkpoint", [town.units[1]]),
    }


async def test_what_a_caller_may_not_see_does_not_exist(
    app: FastAPI, scenario: Scenario, other_town: Town
) -> None:
    hidden = 0
    for who, client in (await outsiders(scenario, other_town)).items():
        role = Role(who.split()[0])
        for method, path, permission in operations(app):
            if ("sibling" in who and for_every_unit(path)) or not concerns_a_record(app, method, path):
                continue
            there = await call(client, app, method, path, scenario.id_for)
            if there is None:
                continue
            nowhere = await call(client, app, method, path, nonexistent)
            assert nowhere is not None
            assert bytes_of(there) == bytes_of(nowhere), (who, method, path)
            if not holds(role, permission):
                assert there.status_code == 403, (who, method, path)
            elif names_of(path) and method != "PUT":  # what a PUT names is the caller's own content
                assert there.status_code == 404, (who, method, path, there.text)
                hidden += 1
    assert hidden > 60


async def test_the_swept_ids_do_exist(app: FastAPI, scenario: Scenario) -> None:
    """The sweep would prove nothing with ids that nobody can see."""
    for method, path, _ in operations(app):
        if method == "GET" and names_of(path):
            answer = await call(scenario.office, app, method, path, scenario.id_for)
            assert answer is not None, f"no record for {path}: the scenario lacks this noun"
            assert answer.status_code == 200, (path, answer.text)


@pytest.mark.parametrize("role", ["checkpoint", "clinic", "observer"])
async def test_a_role_that_may_never_gets_403_whatever_the_id(
    app: FastAPI, scenario: Scenario, role: str
) -> None:
    client = await scenario.town.login(
        role, [scenario.town.units[0] if role == "checkpoint" else str(scenario.town.code)]
    )
    for method, path, permission in operations(app):
        if not holds(Role(role), permission):
            for give in (scenario.id_for, nonexistent):
                answer = await call(client, app, method, path, give)
                assert answer is None or answer.status_code == 403, (method, path)
