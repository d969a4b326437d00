"""What is left after crashes of the owner, of the server, of initdb, and how the next start deals with it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.core.embedded import DataFolderBusy, EmbeddedServer, find_binaries
from app.core.embedded.account import Account
from app.core.embedded.binaries import binaries_for_account
from app.core.embedded.postmaster import parented, server_processes
from app.core.embedded.server import _pause_after

pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs Linux's /proc")


@pytest.fixture(params=["self", "ordinary"])
def place(request, empty_folder):
    """(data folder, arguments for `owners`): this user's, and an ordinary user's below a 0700 folder."""
    if request.param == "self":
        return empty_folder, (), {}
    ordinary = request.getfixturevalue("ordinary")
    return ordinary.data, ("--binaries", str(ordinary.binaries)), ordinary.popen


def cluster_of(folder: Path) -> Path:
    return (folder / "postgres").resolve() / "data"


def account_of(folder: Path) -> Account:
    status = (folder / "postgres").stat()
    return Account(status.st_uid, status.st_gid)


def ended_in_good_order(folder: Path) -> bool:
    """Say whether the server's last words are those of a fast shutdown, with its checkpoint."""
    last = (folder / "postgres.log").read_text().rpartition("ready to accept connections")[2]
    return "fast shutdown" in last and last.rstrip().endswith("database system is shut down")


def test_the_server_dies_with_a_killed_owner_and_loses_nothing(place, owners, tools):
    folder, arguments, popen = place
    owner = owners(folder, *arguments, **popen).wait_ready()
    tools.sql(owner.url, "CREATE TABLE note (word text)", "INSERT INTO note VALUES ('kept')")
    assert Path(f"/proc/{owner.server_pid}").stat().st_uid == account_of(folder).uid != 0 or os.geteuid() != 0
    owner.process.kill()
    owner.process.wait()
    tools.until(lambda: not tools.lives(owner.server_pid), 10)
    tools.until(lambda: not server_processes(cluster_of(folder)), 10)
    again = owners(folder, *arguments, **popen).wait_ready()
    assert tools.sql(again.url, "SELECT word FROM note") == "kept"


def test_the_next_owner_need_not_wait_for_the_last_ones_end(folder, owners, tools):
    owner = owners(folder).wait_ready()
    tools.sql(owner.url, "CREATE TABLE note AS SELECT 'kept' AS word")
    owner.process.kill()
    owner.process.wait()
    with EmbeddedServer.start(folder) as server:  # at once, while the old server may still be going down
        assert tools.sql(server.url(), "SELECT word FROM note") == "kept"


def test_sigterm_with_a_handler_stops_in_good_order(place, owners, tools):
    folder, arguments, popen = place
    owner = owners(folder, "--polite", *arguments, **popen).wait_ready()
    owner.process.terminate()
    assert owner.process.wait(30) == 0
    assert not tools.lives(owner.server_pid)
    assert ended_in_good_order(folder)
    assert not (cluster_of(folder) / "postmaster.pid").exists()


def test_sigterm_without_a_handler_leaves_no_server(folder, owners, tools):
    owner = owners(folder).wait_ready()
    owner.process.terminate()
    assert owner.process.wait(30) == -signal.SIGTERM
    tools.until(lambda: not server_processes(cluster_of(folder)), 10)


def test_the_end_of_the_program_stops_the_server(folder, tools):
    program = (
        "import sys; from pathlib import Path; from app.core.embedded import EmbeddedServer;"
        "print(EmbeddedServer.start(Path(sys.argv[1])).pid)"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=root, capture_output=True, text=True, check=True
    )
    assert not tools.lives(int(run.stdout))
    assert ended_in_good_order(folder)


def test_a_second_owner_is_refused_politely(place, owners, tools):
    folder, arguments, popen = place
    owner = owners(folder, *arguments, **popen).wait_ready()
    with pytest.raises(DataFolderBusy) as refusal:
        EmbeddedServer.start(folder)
    assert refusal.value.pid == owner.pid
    assert str(folder) in str(refusal.value)
    assert str(owner.pid) in str(refusal.value)
    second = owners(folder, *arguments, stderr=subprocess.PIPE, **popen)
    _, complaint = second.process.communicate(timeout=30)
    assert f"The data folder {folder} is in use by process {owner.pid}." in complaint
    assert tools.answers(owner.url)


def test_others_learn_where_the_running_server_is(folder, owners, tools):
    assert EmbeddedServer.running_url(folder) is None
    owner = owners(folder).wait_ready()
    assert EmbeddedServer.running_url(folder) == owner.url
    owner.process.kill()
    owner.process.wait()
    assert EmbeddedServer.running_url(folder) is None


def test_a_killed_server_comes_back_with_what_was_committed(folder, tools):
    with EmbeddedServer.start(folder) as server:
        tools.sql(server.url(), "CREATE TABLE note (word text)", "INSERT INTO note VALUES ('kept')")
        url, pids = server.url(), [server.pid]
        for _ in range(3):
            os.kill(pids[-1], signal.SIGKILL)
            tools.until(lambda: server.pid != pids[-1] and server.ready)
            assert server.url() == url
            assert tools.sql(url, "SELECT word FROM note") == "kept"
            pids.append(server.pid)
        assert len(set(pids)) == 4
    assert not tools.lives(pids[-1])


def test_a_server_is_restarted_over_a_backend_that_does_not_notice(folder, tools):
    endless = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
    who = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()"

    def work() -> None:
        with pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
            tools.sql(server.url(), endless)

    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        tools.until(lambda: tools.sql(server.url(), who))
        backend, old = tools.sql(server.url(), who), server.pid
        os.kill(old, signal.SIGKILL)
        try:
            tools.until(lambda: server.pid != old and server.ready)
            assert not tools.lives(backend)
        finally:
            if tools.lives(backend):
                os.kill(backend, signal.SIGKILL)
        assert tools.answers(server.url())
        worker.join()


def test_a_server_that_cannot_come_back_can_still_be_stopped(folder, tools, caplog):
    server = EmbeddedServer.start(folder, settings=tools.quick)
    cluster = cluster_of(folder)
    cluster.rename(cluster.with_name("elsewhere"))
    os.kill(server.pid, signal.SIGKILL)
    tools.until(lambda: caplog.text.count("is started again") >= 3)
    assert not server.ready
    cluster.with_name("elsewhere").rename(cluster)
    tools.until(lambda: server.ready)
    server.stop()
    assert not tools.lives(server.pid)


def test_pauses_grow_to_half_a_minute():
    assert [_pause_after(crashes) for crashes in range(10)] == [0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_initdb_leaves_nothing_half_made(place, owners, tools, sign):
    folder, arguments, popen = place
    owner = owners(folder, *arguments, stderr=subprocess.DEVNULL, **popen)
    tools.until(lambda: list(folder.glob("postgres/data.new-*/base/1/*")))
    owner.process.send_signal(sign)
    assert owner.process.wait(30) != 0
    assert not cluster_of(folder).exists()
    again = owners(folder, *arguments, **popen).wait_ready()
    assert tools.answers(again.url)
    assert sorted(path.name for path in (folder / "postgres").iterdir() if not path.is_socket()) in (
        ["data"],  # where the socket is elsewhere
        [".s.PGSQL.5432.lock", "data"],
    )


def test_initdb_dies_with_its_owner(empty_folder, owners, tools):
    folder = empty_folder
    owner = owners(folder)
    tools.until(lambda: list(folder.glob("postgres/data.new-*/base/1/*")))
    children = Path(f"/proc/{owner.pid}/task/{owner.pid}/children").read_text().split()
    assert len(children) == 1
    owner.process.kill()
    owner.process.wait()
    tools.until(lambda: not tools.lives(int(children[0])), 5)


def stale(folder: Path, pid: int) -> None:
    """Let the pid file and the socket's lock name a process, as after a crash."""
    home = (folder / "postgres").resolve()
    lines = [str(pid), str(home / "data"), "1600000000", "5432", str(home), "", "", "ready"]
    (home / "data" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    (home / ".s.PGSQL.5432.lock").write_text("\n".join(lines) + "\n")
    (home / ".s.PGSQL.5432").write_text("")


def test_a_stale_pid_file_that_names_a_stranger(folder, tools):
    # Someone looks around in the cluster's folder, under the number that the server once had.
    sleep = parented(account_of(folder), signal.SIGKILL, ["/bin/sleep", "600"])
    stranger = subprocess.Popen(sleep, cwd=cluster_of(folder))
    try:
        tools.until(lambda: Path(f"/proc/{stranger.pid}/comm").read_text() == "sleep\n")
        stale(folder, stranger.pid)
        with EmbeddedServer.start(folder, settings=tools.quick) as server:
            assert tools.answers(server.url())
        assert tools.lives(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_stale_pid_file_that_names_a_zombie(folder, tools):
    zombie = subprocess.Popen(parented(account_of(folder), signal.SIGKILL, ["/bin/true"]))
    try:
        tools.until(lambda: not tools.lives(zombie.pid))
        stale(folder, zombie.pid)
        with EmbeddedServer.start(folder, settings=tools.quick) as server:
            assert tools.answers(server.url())
    finally:
        zombie.wait()


@pytest.mark.parametrize("content", ["", "not a number\n"])
def test_a_spoilt_pid_file(folder, tools, content):
    (cluster_of(folder) / "postmaster.pid").write_text(content)
    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        assert tools.answers(server.url())


def run_alone(folder: Path) -> "subprocess.Popen[bytes]":
    """Run a server on a folder's cluster that knows no owner, as a crash might leave one on another system."""
    account, home = account_of(folder), (folder / "postgres").resolve()
    program = binaries_for_account(account, find_binaries()) / "postgres"
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={home}"]
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        [str(program), "-D", str(home / "data"), *options],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **identity,
    )


def test_an_orphaned_server_is_stopped_before_a_new_one_starts(folder, tools):
    orphan = run_alone(folder)
    url = f"postgresql://postgres@/postgres?host={(folder / 'postgres').resolve()}"
    try:
        tools.until(lambda: tools.answers(url))
        tools.sql(url, "CREATE TABLE note AS SELECT 'kept' AS word")
        with EmbeddedServer.start(folder) as server:
            assert orphan.wait(10) == 0  # SIGINT: an orderly stop
            assert server.pid != orphan.pid
            assert tools.sql(server.url(), "SELECT word FROM note") == "kept"
    finally:
        orphan.kill()
        orphan.wait()


def test_an_orphan_is_found_without_proc_too(folder, tools):
    from app.core.embedded.postmaster import _ask_ps

    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        assert _ask_ps(server.pid) == [server.pid]
        assert _ask_ps(os.getpid()) == []
        assert _ask_ps(None) == []
        assert server.pid in server_processes(cluster_of(folder))
