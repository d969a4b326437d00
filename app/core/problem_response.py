"""Problems as responses, and the framework's own refusals brought into the same shape."""

import json

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.core import problems
from app.core.problems import Problem
from app.core.validation import invalid

MEDIA_TYPE = "application/problem+json"

_BY_STATUS: dict[int, type[Problem]] = {
    401: problems.Unauthorized,
    403: problems.Forbidden,
    404: problems.NotFound,
    405: problems.MethodNotAllowed,
    406: problems.NotAcceptable,
    413: problems.TooLarge,
    415: problems.UnsupportedMedia,
    422: problems.Invalid,
}


def problem_response(problem: Problem, request_id: str, language: str) -> Response:
    """Return the response that a problem is answered with."""
    body = json.dumps(problem.body(request_id, language), ensure_ascii=False, separators=(",", ":"))
    headers = {**(problem.headers or {}), "content-language": language, "vary": "Accept-Language"}
    return Response(body.encode(), problem.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every refusal of the application a problem."""

    async def known(request: Request, error: Exception) -> Response:
        state = request.scope["state"]
        return problem_response(_as_problem(error), state["request_id"], state["language"])

    app.add_exception_handler(HTTPException, known)
    app.add_exception_handler(RequestValidationError, known)


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error.errors())
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(
        error.status_code, problems.BadRequest if error.status_code < 500 else problems.Broken
    )
    problem = kind()
    problem.headers = {**(problem.headers or {}), **(error.headers or {})}
    return problem
