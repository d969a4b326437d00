"""Reads the published test vectors, so that the house's tests run what any phone team runs."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "vectors"


def cases(file: str, rule: str | None = None) -> list[Any]:
    """Return a file's cases as pytest parameters (input, expected); with `rule`, only those of that rule."""
    document = json.loads((FOLDER / file).read_text(encoding="utf-8"), parse_float=Decimal)
    return [
        pytest.param(case["input"], case["expected"], id=case["name"])
        for case in document["cases"]
        if rule is None or case["input"]["rule"] == rule
    ]


def write(file: str, description: str, cases: list[dict[str, Any]]) -> None:
    """Write a file of vectors, one case a line."""
    lines = ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in cases)
    head = json.dumps(description, ensure_ascii=False)
    (FOLDER / file).write_text(
        f'{{\n  "description": {head},\n  "cases": [\n{lines}\n  ]\n}}\n', encoding="utf-8"
    )
