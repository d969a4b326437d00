"""Bodies made from the OpenAPI document: just the required members, and every id that a body can name."""

from collections.abc import Callable
from typing import Any

Named = Callable[[str], str | None]
"""Gives the id for a member's name, or None where the member names no record."""


def body_for(document: dict[str, Any], operation: dict[str, Any], named: Named) -> dict[str, Any] | None:
    """Return a valid body for an operation, whose ids come from `named`; None for one without a JSON body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    body = _value(document, content["schema"], "", named)
    return body if isinstance(body, dict) else None


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return _resolve(document, next(s for s in schema["anyOf"] if s.get("type") != "null"))
    if "allOf" in schema:
        return _resolve(document, schema["allOf"][0])
    return schema


def _value(document: dict[str, Any], schema: dict[str, Any], name: str, named: Named) -> Any:
    examples, schema = schema.get("examples"), _resolve(document, schema)
    examples = examples or schema.get("examples")
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            return _members(document, schema, named)
        case "array":
            items = schema.get("items", {})
            return (
                [_value(document, items, name.removesuffix("s"), named)]
                if schema.get("minItems") or _names(name)
                else []
            )
        case "boolean":
            return True
        case "integer":
            return examples[0] if examples else int(schema.get("minimum", 1))
        case "number":
            return examples[0] if examples else schema.get("minimum", 1)
    if (given := named(name)) is not None:
        return given
    return (
        examples[0]
        if examples
        else {"date": "2020-02-03", "date-time": "2020-02-03T01:00:00Z"}.get(
            schema.get("format", ""), "试验" * max(1, schema.get("minLength", 1))
        )
    )


def _names(name: str) -> bool:
    return name.endswith("_ids") and name != "photo_ids"


def _members(document: dict[str, Any], schema: dict[str, Any], named: Named) -> dict[str, Any]:
    required = schema.get("required", [])
    return {
        member: _value(document, inner, member, named)
        for member, inner in schema.get("properties", {}).items()
        if member in required
        or (member != "id" and (member.endswith("_id") or _names(member)) and named(member.removesuffix("s")))
    }
