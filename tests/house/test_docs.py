"""What the documents promise exists: settings, commands, paths."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from typer.main import get_command

from app.cli import app as command_line
from app.core.field_texts import FIELD_TEXTS
from app.core.problems import CATALOGUE
from app.core.settings import Settings

ROOT = Path(__file__).parents[2]
READMES = ["README.md", "README.zh-CN.md"]
DOCUMENTS = [*READMES, "docs/operations.md", "docs/imports.md"]


def environment_name(field: str) -> str:
    return {"database_url": "DATABASE_URL", "port": "PORT"}.get(field, f"WANGGE_{field.upper()}")


def test_every_setting_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    assert documented == {environment_name(field) for field in Settings.model_fields}


def shell_lines(document: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_a_document_names_is_one_that_runs(document: str) -> None:
    commands = get_command(command_line).commands  # type: ignore[attr-defined]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in shell_lines(document):
        for target in re.findall(r"\bmake ([a-z-]+)", line):
            assert target in targets, line
        for name, sub in re.findall(r"\bwangge ([a-z-]+)(?: ([a-z-]+))?", line):
            assert name in commands, line
            if hasattr(commands[name], "commands"):
                assert sub in commands[name].commands, line


@pytest.mark.parametrize("document", READMES)
def test_every_path_that_a_readme_calls_is_an_operation(app: FastAPI, document: str) -> None:
    patterns = [re.sub(r"\{[a-z_]+\}", "[^/]+", path) for path in app.openapi()["paths"]]
    text = re.sub(r"\$\([^)]*\)", "x", "\n".join(shell_lines(document)))
    called = re.findall(r"\$BASE(/[^\s'\"?]*)", text) + [
        f"/v1/{p}" for p in re.findall(r"post \$[A-Z]+ (\S+)", text)
    ]
    paths = [re.sub(r"\$[A-Z]+", "x", path) for path in called if "$2" not in path]
    assert len(paths) >= 4
    for path in paths:
        assert any(re.fullmatch(pattern, path) for pattern in patterns), path


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_problem_speaks_both_languages(code: str) -> None:
    problem = CATALOGUE[code]
    assert re.fullmatch(r"[a-z0-9-]+", code)
    for text in (problem.title, problem.detail_text):
        assert re.search(r"[\u4e00-\u9fff]", text.zh), code
        assert text.en.isascii(), code
        assert text.en


@pytest.mark.parametrize("code", sorted(FIELD_TEXTS))
def test_every_field_error_speaks_both_languages(code: str) -> None:
    text = FIELD_TEXTS[code]
    assert re.fullmatch(r"[a-z0-9-]+", code)
    assert re.search(r"[\u4e00-\u9fff]", text.zh), code
    assert not re.search(r"[\u4e00-\u9fff]", text.en), code
