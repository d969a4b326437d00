"""How outcomes become answers: 201 for the first creation, 200 with `Idempotent-Replay` for a repeat."""

from typing import TypeVar

from starlette.responses import Response

from app.core.outcome import Outcome

T = TypeVar("T")


def created(response: Response, outcome: Outcome[T]) -> T:
    """Return the outcome's value for a create route, or raise its problem."""
    value = outcome.take()
    if outcome.replayed:
        response.status_code = 200
        response.headers["Idempotent-Replay"] = "true"
    return value
