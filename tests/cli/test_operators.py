"""The operators' commands, against a database of their own."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.core.keys import KeyRing
from app.core.settings import get_settings
from tests.conftest import _with_database

UNITS = (
    "unit_code,name,kind\n430101001201,东村村民委员会,village\n430101001001,桥头社区居民委员会,community\n"
)


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command with its own key ring, and return the result."""
    monkeypatch.setenv(
        "DATABASE_URL", _with_database(database_url, database_url.partition("?")[0].rpartition("/")[2])
    )
    monkeypatch.setenv("WANGGE_DATA", str(tmp_path))
    monkeypatch.setenv("WANGGE_APP_DATABASE_URL", "")
    monkeypatch.delenv("WANGGE_APP_DATABASE_URL")
    KeyRing.create(tmp_path / "keys.json", 0)
    get_settings.cache_clear()
    runner = CliRunner()
    yield lambda *words: runner.invoke(command_line, list(words))
    get_settings.cache_clear()


def test_a_township_with_units_and_its_first_account(run: Any, tmp_path: Path) -> None:
    sheet = tmp_path / "units.csv"
    sheet.write_text(UNITS)
    made = run("create-township", "430101001", "桥头镇", "--units", str(sheet))
    assert made.exit_code == 0, made.output
    assert "Created 430101001 桥头镇, 2 units loaded." in made.stderr
    assert "Kept" in run("create-township", "430101001", "桥头镇").stderr
    user = run("create-user", "430101001", "qiaotou", "--role", "village", "--code", "430101001201")
    assert user.exit_code == 0, user.output
    assert len(user.stdout.strip()) == 14
    again = run("create-user", "430101001", "qiaotou", "--role", "village", "--code", "430101001201")
    assert again.exit_code == 1
    assert "Traceback" not in again.output


def test_a_refusal_is_a_sentence(run: Any, tmp_path: Path) -> None:
    sheet = tmp_path / "units.csv"
    sheet.write_text("unit_code,name,kind\n510000000000,别处,village\n")
    gbk = tmp_path / "gbk.csv"
    gbk.write_bytes(UNITS.encode("gbk"))
    for words in (
        ("create-township", "12", "x"),
        ("create-township", "430101002", "x", "--timezone", "Mars/Olympus"),
        ("create-township", "430101002", "x", "--units", str(sheet)),
        ("create-township", "430101001", "x", "--units", str(gbk)),
        ("create-user", "999999999", "someone"),
        ("create-user", "430101002", "no spaces allowed"),
        ("create-api-key", "123", "x"),
        ("revoke-api-key", "nothing"),
        ("keys", "retire", "nothing"),
    ):
        result = run(*words)
        assert result.exit_code == 1, words
        assert isinstance(result.exception, SystemExit), (words, result.exception)


def test_an_observers_key_of_a_county(run: Any) -> None:
    made = run("create-api-key", "4301", "大屏", "--days", "30")
    assert made.exit_code == 0, made.output
    key = made.stdout.strip()
    assert key.startswith("wgk_")
    assert run("revoke-api-key", key.split("_")[1]).exit_code == 0


def test_showing_the_keys_leaves_their_file_alone(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    before = file.stat()
    assert run("keys", "show").exit_code == 0
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_keys_rotate_and_everything_is_sealed_again(run: Any) -> None:
    assert run("keys", "rotate-data").exit_code == 0
    assert run("keys", "rotate-tokens").exit_code == 0
    shown = run("keys", "show").stderr
    assert shown.count("data key") == 2
    assert shown.count("token key") == 2
    assert run("keys", "create").exit_code == 1
