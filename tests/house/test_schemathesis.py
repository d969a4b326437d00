"""The OpenAPI document is a promise: schemathesis calls every operation with what the document allows, and with what it
forbids, over real HTTP, and compares the answers with it. `WANGGE_TEST_FUZZ=200` looks longer."""

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from app.core.settings import Settings
from app.main import create_app
from tests.conftest import TestClock
from tests.house.scenario import Scenario, make_scenario
from tests.resilience.site import free_port
from tests.town import Town

# schemathesis reads the greater part of itself when it is first used. Python 3.11 may fail to parse a file while a
# thread or a greenlet comes in between, so it is read here, where nothing else runs.
READ = OpenApiSchema

EXAMPLES = int(os.environ.get("WANGGE_TEST_FUZZ", "10"))
ENDLESS = {"GET /v1/live"}
"""A stream that never ends has tests of its own (tests/api/test_live.py)."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def address(settings: Settings, clock: TestClock) -> Iterator[str]:
    """The application on a port of the loopback interface, in a thread of this process."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, clock), port=port, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
async def scenario(town: Town) -> Scenario:
    return await make_scenario(town)


@pytest.fixture
async def tokens(scenario: Scenario) -> list[str]:
    """Tokens of the township's office, one for each operation: some operations end the session."""
    made = []
    for _ in range(200):
        client = await scenario.town.township()
        request = client.build_request("GET", "/")
        assert client.auth is not None
        next(client.auth.auth_flow(request))
        made.append(request.headers["Authorization"])
    return made


@pytest.fixture
def document(address: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{address}/openapi.json", timeout=30).json()
    return found


def test_no_answer_breaks_the_contract(
    address: str, document: dict[str, Any], scenario: Scenario, tokens: list[str]
) -> None:
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
    broken, called = [], 0
    with requests.Session() as session:
        for found, token in zip(schema.get_all_operations(), [*tokens], strict=False):
            operation = found.ok()  # type: ignore[union-attr]
            session.headers["Authorization"] = token
            called += 1
            if operation.label in ENDLESS:
                continue
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                try:
                    _fuzz(operation, mode, scenario, session, address)
                except Unsatisfiable:
                    assert mode is GenerationMode.NEGATIVE
                    assert not _takes_anything(document["paths"][operation.path][operation.method])
                except Exception as error:  # noqa: BLE001 - everything that is wrong, in one run
                    broken.append(f"--- {operation.label} ({mode.value})\n{_words(error)}")
    assert called == sum(len(methods) for methods in document["paths"].values())
    assert not broken, "\n".join(broken)


def _takes_anything(operation: dict[str, Any]) -> bool:
    return "requestBody" in operation or bool(operation.get("parameters"))


def _words(error: Exception) -> str:
    inner = getattr(error, "exceptions", (error,))
    return "\n".join(str(one)[:1500] for one in inner)


def _fuzz(
    operation: APIOperation,
    mode: GenerationMode,
    scenario: Scenario,
    session: requests.Session,
    address: str,
) -> None:
    """Call one operation many times: with ids that nobody has, and with those of the scenario."""
    checks = [*CHECKS, negative_data_rejection] if mode is GenerationMode.NEGATIVE else CHECKS

    @given(case=operation.as_strategy(mode), real=st.booleans())
    @examples(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="WANGGE_TEST_FUZZ" not in os.environ,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case, real: bool) -> None:
        if real and mode is GenerationMode.POSITIVE:
            for name in case.path_parameters:
                case.path_parameters[name] = (
                    scenario.id_for(operation.path, name) or case.path_parameters[name]
                )
        case.call_and_validate(base_url=address, session=session, checks=checks, timeout=30)

    check()
