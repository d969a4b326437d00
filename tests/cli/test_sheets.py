"""`wangge import`: what it prints, what it writes, and how it ends."""

import csv
import io
import stat
from pathlib import Path

import pytest
from rich.console import Console

from app.cli.sheets import import_file
from app.core.settings import Settings
from tests.sheets import FOLDER, as_csv
from tests.town import Town


@pytest.fixture
def out() -> Console:
    return Console(record=True, width=200, file=io.StringIO())


def test_good_rows_load_and_bad_rows_lie_in_a_private_file_beside(
    town: Town, settings: Settings, tmp_path: Path, out: Console
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes((FOLDER / "households.csv").read_bytes())
    assert import_file(settings, "households", file, str(town.code), None, out) is False
    rejects = tmp_path / "people.csv.rejects.csv"
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    with rejects.open(encoding="utf-8-sig", newline="") as lines:
        assert [row["行号"] for row in csv.DictReader(lines)] == ["8", "9", "10", "12"]
    text = out.export_text()
    assert "8 rows: 4 created, 0 updated, 0 unchanged, 4 rejected." in text
    assert str(rejects) in text


def test_no_file_of_rejects_where_there_are_none(
    town: Town, settings: Settings, tmp_path: Path, out: Console
) -> None:
    file = tmp_path / "units.csv"
    file.write_bytes(as_csv([["代码", "名称"], [f"{town.code}301", "新桥村"]]))
    assert import_file(settings, "units", file, str(town.code), None, out) is True
    assert import_file(settings, "units", file, str(town.code), None, out) is True
    assert "1 rows: 0 created, 0 updated, 1 unchanged, 0 rejected." in out.export_text()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("kind", "township", "content", "word"),
    [
        ("people", "511303106", b"x", "import units, staff, households"),
        ("units", "5113", b"x", "9 digits"),
        ("units", "511303999", b"x", "there is no township 511303999"),
        ("units", None, b"", "The file is empty"),
    ],
)
def test_what_is_refused_says_why(
    town: Town,
    settings: Settings,
    tmp_path: Path,
    out: Console,
    kind: str,
    township: str | None,
    content: bytes,
    word: str,
) -> None:
    file = tmp_path / "sheet.csv"
    file.write_bytes(content)
    with pytest.raises(SystemExit, match=word):
        import_file(settings, kind, file, township or str(town.code), None, out)
