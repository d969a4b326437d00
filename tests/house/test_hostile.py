"""Hostile input, sent to every operation that takes a body, a path or a query: always a 4xx problem, never an echo."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.openapi import api_routes
from tests.town import Town

SECRET = "5113031990010112"  # a value that no answer may repeat

BODIES: dict[str, bytes] = {
    "NaN": b'{"note": NaN, "x": "%s"}' % SECRET.encode(),
    "infinite number": b'{"litres": 1e400, "x": "%s"}' % SECRET.encode(),
    "Infinity": b'{"name": Infinity}',
    "minus Infinity": b'{"name": -Infinity}',
    "lone surrogate": rb'{"name": "\ud800%s"}' % SECRET.encode(),
    "lone surrogate in a name": rb'{"\udc00": 1}',
    "NUL": rb'{"name": "a\u0000%s"}' % SECRET.encode(),
    "NUL in a name": rb'{"a\u0000": 1}',
    "300 deep": b"[" * 300 + b"]" * 300,
    "100,000 deep": b'{"a":' * 100_000,
    "17 deep": b'{"a":' * 17 + b"1" + b"}" * 17,
    "4,000 digits": b'{"times_per_day": ' + b"9" * 4000 + b"}",
    "65 bits": b'{"times_per_day": 18446744073709551616}',
    "duplicate keys": b'{"name": "a", "name": "%s"}' % SECRET.encode(),
    "duplicate keys, escaped": rb'{"name": "a", "n\u0061me": "b"}',
    "UTF-16": '{"name": "张"}'.encode("utf-16"),
    "UTF-8 with BOM": b'\xef\xbb\xbf{"name": "a"}',
    "bad UTF-8": b'{"name": "\xff"}',
    "truncated": b'{"name": "%s' % SECRET.encode(),
    "trailing": b'{"name": "a"} {"x": 1}',
    "empty": b"",
    "a list": b"[]",
    "a text": b'"%s"' % SECRET.encode(),
    "a number": b"0",
    "null": b"null",
    "unknown field": b'{"%s": 1}' % SECRET.encode(),
    "single quotes": b"{'name': 'a'}",
}

ID = "01900000-0000-7000-8000-000000000000"


def operations(app: FastAPI) -> list[tuple[str, str]]:
    """Every operation with a JSON body, its path filled with ids that nobody has."""
    found = []
    for route in api_routes(app):
        if route.body_field is not None and route.path.startswith("/v1") and "/auth/token" not in route.path:
            found += [(method, fill(route.path)) for method in route.methods or ()]
    return found


def fill(path: str) -> str:
    """Return a path with its parameters filled."""
    for name, value in {
        "{unit_code}": "511303106243",
        "{code}": "511303106",
        "{kind}": "units",
        "{day}": "2020-02-03",
    }.items():
        path = path.replace(name, value)
    while "{" in path:
        path = path[: path.index("{")] + ID + path[path.index("}") + 1 :]
    return path


def check(answer: Response, what: Any) -> None:
    """A 4xx problem that repeats nothing."""
    assert 400 <= answer.status_code < 500, (what, answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json", what
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"/problems/{body['code']}"
    assert SECRET not in answer.text, what
    assert set(body) <= {"type", "title", "status", "detail", "code", "request_id", "errors"}


@pytest.fixture
async def office(town: Town) -> AsyncClient:
    return await town.township()


@pytest.mark.parametrize("name", list(BODIES))
async def test_every_operation_refuses_a_hostile_body(app: FastAPI, office: AsyncClient, name: str) -> None:
    assert len(operations(app)) > 10
    for method, path in operations(app):
        answer = await office.request(
            method, path, content=BODIES[name], headers={"Content-Type": "application/json"}
        )
        if method == "PATCH" and name == "unknown field":
            assert answer.status_code == 422, path
        check(answer, (method, path, name))


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "multipart/form-data",
        "é",
        "application/",
    ],
)
async def test_every_operation_refuses_other_content_types(
    app: FastAPI, office: AsyncClient, content_type: str
) -> None:
    for method, path in operations(app):
        headers = {b"Content-Type": content_type.encode("latin-1")} if content_type else {}
        answer = await office.request(method, path, content=b'{"name": "a"}', headers=headers)
        check(answer, (method, path))
        if "/imports/" not in path:
            assert answer.status_code == 415, (path, answer.text)


async def test_a_body_beyond_the_limit_is_413(app: FastAPI, office: AsyncClient) -> None:
    for method, path in operations(app):
        if "/imports/" not in path:
            content = b'{"note": "' + b"x" * (1024 * 1024) + b'"}'
            answer = await office.request(
                method, path, content=content, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 413, path
            check(answer, path)


QUERIES = [
    "?limit=0",
    "?limit=501",
    "?limit=-1",
    "?limit=1_0",
    "?limit=%EF%BC%95",
    "?limit=%D9%A3",
    "?limit=1e2",
    "?limit=",
    "?limit=99999999999999999999999",
    "?after=%00",
    "?after=x",
    "?after=%ff",
    "?after=W10",
    "?after=WyJhIl0",
    "?after=" + "A" * 501,
    "?after=" + "W" * 400,
    "?q=%00",
    "?q=%ff",
    "?x=%ed%a0%80",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_every_list_refuses_a_hostile_query(app: FastAPI, office: AsyncClient, query: str) -> None:
    checked = 0
    for route in api_routes(app):
        names = {field.alias for field in route.dependant.query_params}
        names |= {field.alias for d in route.dependant.dependencies for field in d.query_params}
        name = query[1:].partition("=")[0]
        if "GET" in (route.methods or ()) and route.path.startswith("/v1") and (name in names or name == "x"):
            answer = await office.get(fill(route.path) + query)
            missing = answer.status_code == 404 and "{" in route.path
            assert missing or answer.status_code in (400, 422), (route.path, answer.status_code, answer.text)
            check(answer, route.path)
            checked += 1
    assert checked > 0


@pytest.mark.parametrize(
    "path",
    [
        "/v1/units/%00",
        "/v1/units/%ff%fe",
        "/v1/units/５１１３０３１０６２４３",
        "/v1/units/51130310624",
        "/v1/units/511303106243%0a",
        "/v1/households/x",
        "/v1/households/%ED%A0%80",
        "/v1/households/01900000-0000-7000-8000-00000000000g",
        "/v1/households/{01900000-0000-7000-8000-000000000000}",
        "/v1/../etc/passwd",
        "/v1/%2e%2e/x",
        "/v1/" + "a" * 5000,
        "/v1/me/",
        "//v1/me",
    ],
)
async def test_hostile_paths_are_problems(office: AsyncClient, path: str) -> None:
    check(await office.get(path), path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "a" * 9000},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": b"Bearer \xff\xfe"},
        {"Authorization": "Basic YTpi"},
        {"X-Api-Key": "short"},
        {"X-Api-Key": "wgk_" + "a" * 60},
        {"X-Api-Key": b"\xff" * 30},
        {"Accept-Language": "q=;;,,*;q=x" * 50},
        {},
    ],
)
async def test_hostile_headers_are_401(town: Town, headers: dict[str, Any]) -> None:
    client = town.client()
    answer = await client.get("/v1/me", headers=headers)
    assert answer.status_code == 401
    check(answer, headers)


async def test_a_login_form_of_any_shape_is_a_problem(town: Town) -> None:
    client = town.client()
    forms: list[dict[str, Any]] = [
        {"data": {"username": "a\0b", "password": "x"}},
        {"data": {"username": "a" * 300, "password": SECRET}},
        {"data": {"username": "a"}},
        {"data": {"username": "\ud800".encode("utf-8", "surrogatepass"), "password": "x"}},
        {
            "content": b"username=%ff&password=%00",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {
            "content": b"username=a&username=b&password=c",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
        {"content": b"\0", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {
            "content": json.dumps({"username": "a", "password": SECRET}),
            "headers": {"Content-Type": "application/json"},
        },
        {"files": {"username": b"a", "password": b"b"}},
    ]
    for form in forms:
        check(await client.post("/v1/auth/token", **form), form)
