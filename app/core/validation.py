"""What a bad field is called: Pydantic's findings as pointers, stable slugs and words in two languages.

No finding carries the value that was sent, nor a member's name that the schema does not declare.
"""

from collections.abc import Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from app.core.field_texts import FIELD_TEXTS
from app.core.problems import FieldError, Invalid

_BY_PYDANTIC: dict[str, str] = {
    "missing": "required",
    "extra_forbidden": "unknown-field",
    "string_too_short": "too-short",
    "too_short": "too-short",
    "string_too_long": "too-long",
    "too_long": "too-long",
    "bytes_too_long": "too-long",
    "literal_error": "not-allowed",
    "enum": "not-allowed",
    "string_pattern_mismatch": "invalid-format",
    "value_error": "invalid-format",
    "assertion_error": "invalid-format",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
    "multiple_of": "out-of-range",
    "finite_number": "out-of-range",
    "decimal_max_places": "out-of-range",
    "decimal_max_digits": "out-of-range",
    "decimal_whole_digits": "out-of-range",
    "json_invalid": "json-invalid",
}


def fault(code: str) -> PydanticCustomError:
    """Return the error that a schema's validator raises for a slug of FIELD_TEXTS."""
    return PydanticCustomError("house:" + code, "{code}", {"code": code})


def field_errors(findings: Sequence[Any]) -> list[FieldError]:
    """Translate Pydantic's findings."""
    return [_field_error(finding) for finding in findings]


def _field_error(finding: Any) -> FieldError:
    kind, place = finding["type"], list(finding["loc"])
    code = kind[6:] if kind.startswith("house:") else _BY_PYDANTIC.get(kind)
    if code is None:
        code = "invalid-format" if kind.endswith(("_parsing", "_invalid")) else "invalid-type"
    if code == "unknown-field":
        place.pop()
    if place and place[0] in ("body", "query", "path", "header", "cookie"):
        place.pop(0)
    if kind == "json_invalid":
        place = []
    return FieldError("".join(f"/{part}" for part in place), code, FIELD_TEXTS[code])


def invalid(findings: Sequence[Any]) -> Invalid:
    """Return the 422 for Pydantic's findings."""
    return Invalid(field_errors(findings))
