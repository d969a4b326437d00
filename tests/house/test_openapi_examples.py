"""The OpenAPI document's examples are what the API answers; `WANGGE_TEST_WRITE_EXAMPLES=1` writes them anew."""

import json
import os
from pathlib import Path

from fastapi import FastAPI

from app import openapi
from tests.conftest import TestClock
from tests.house.examples import operations, real_answers
from tests.town import Town

FILE = Path(openapi.__file__).parent / "data" / "openapi_examples.json"


async def test_the_examples_are_real_answers(town: Town, clock: TestClock) -> None:
    found = await real_answers(town, clock)
    if os.environ.get("WANGGE_TEST_WRITE_EXAMPLES"):
        lines = [
            f"{json.dumps(path)}: {json.dumps(found[path], ensure_ascii=False)}" for path in sorted(found)
        ]
        FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert list(stored) == sorted(found)
    for path, answer in found.items():
        assert stored[path] == answer, path


def test_every_guarded_get_that_answers_json_shows_one(app: FastAPI) -> None:
    document = app.openapi()
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert len(operations(app)) >= 40
    for path in operations(app):
        shown = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        assert shown == stored[path]
