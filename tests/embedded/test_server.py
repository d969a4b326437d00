"""Start, stop, and what the server is like in between."""

import asyncio
import os
import signal
import stat
import tempfile
import threading
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.core.embedded import DataFolderBusy, EmbeddedServer, ServerFailed
from app.core.embedded.account import Account
from app.core.embedded.sockets import remove_socket_dir, settle_socket_dir


def test_data_outlive_a_stop(empty_folder, tools):
    folder = empty_folder
    with EmbeddedServer.start(folder) as server:
        first = server.pid
        tools.sql(server.url(), "CREATE TABLE note (word text)", "INSERT INTO note VALUES ('网格')")
    assert not tools.lives(first)
    assert not server.ready
    with EmbeddedServer.start(folder) as server:
        assert tools.sql(server.url(), "SELECT word FROM note") == "网格"


def test_stop_may_be_called_twice_and_gives_the_folder_up(folder, tools):
    server = EmbeddedServer.start(folder, settings=tools.quick)
    server.stop()
    server.stop()
    with EmbeddedServer.start(folder, settings=tools.quick) as again:
        assert again.ready


def test_listens_on_a_private_socket_only(folder, tools):
    wishes = {**tools.quick, "listen_addresses": "*", "unix_socket_permissions": "0777", "port": "6000"}
    with EmbeddedServer.start(folder, settings=wishes) as server:
        assert tools.sql(server.url(), "SHOW listen_addresses") == ""
        socket_dir = Path(tools.sql(server.url(), "SHOW unix_socket_directories"))
        home = (folder / "postgres").resolve()
        for private in (socket_dir, home):
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
            assert private.stat().st_uid == Path(f"/proc/{server.pid}").stat().st_uid
        assert stat.S_IMODE((socket_dir / ".s.PGSQL.5432").stat().st_mode) == 0o700
        rules = tools.sql(
            server.url(), "SELECT array_agg(DISTINCT type || ' ' || auth_method) FROM pg_hba_file_rules"
        )
        assert sorted(rules) == ["host scram-sha-256", "local trust"]


def test_a_loosened_home_is_closed_again(folder, tools):
    EmbeddedServer.start(folder, settings=tools.quick).stop()
    home = (folder / "postgres").resolve()
    home.chmod(0o755)
    EmbeddedServer.start(folder, settings=tools.quick).stop()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_the_cluster_is_made_as_the_design_says(empty_folder, tools):
    with EmbeddedServer.start(empty_folder) as server:
        facts = {
            name: tools.sql(server.url(), f"SHOW {name}")
            for name in (
                "data_checksums",
                "fsync",
                "server_encoding",
                "shared_buffers",
                "max_connections",
                "jit",
            )
        }
        assert facts == {
            "data_checksums": "on",
            "fsync": "on",
            "server_encoding": "UTF8",
            "shared_buffers": "256MB",
            "max_connections": "100",
            "jit": "off",
        }
        if int(tools.sql(server.url(), "SHOW server_version_num")) >= 170000:
            locale = (
                "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'postgres'"
            )
            assert tools.sql(server.url(), locale) == "b C.UTF-8"
        assert tools.sql(server.url(), "SELECT lower('ÀÉ')") == "àé"
        assert (
            tools.sql(server.url(), "CREATE EXTENSION pg_trgm", "SELECT cardinality(show_trgm('黄溪村'))")
            == 4
        )


def test_settings_can_be_overridden(folder, tools):
    with EmbeddedServer.start(folder, settings={"fsync": "off", "work_mem": "5MB"}) as server:
        assert tools.sql(server.url(), "SHOW fsync") == "off"
        assert tools.sql(server.url(), "SHOW work_mem") == "5MB"


def test_a_server_that_does_not_start_says_why_and_frees_the_folder(folder, tools):
    with pytest.raises(ServerFailed, match='unrecognized configuration parameter "no_such_setting"'):
        EmbeddedServer.start(folder, settings={"no_such_setting": "1"})
    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        assert server.ready


async def test_url_serves_sqlalchemy_and_ignores_the_callers_environment(folder, tools, monkeypatch):
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "192.0.2.1")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        engine = create_async_engine(server.url().replace("postgresql:", "postgresql+asyncpg:", 1))
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT current_user::text"))).scalar_one() == "postgres"
        await engine.dispose()
        driver = await asyncpg.connect(server.url(database="template1"))
        assert await driver.fetchval("SELECT current_database()::text") == "template1"
        await driver.close()


@pytest.mark.parametrize("name", ["long-" + "x" * 120, "东观镇 2020", "a,b:c?d=e&f%41"])
def test_any_path_will_do(tmp_path, name, tools):
    folder = tmp_path / name / "data"
    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        socket_dir = Path(tools.sql(server.url(), "SHOW unix_socket_directories"))
        assert len(bytes(socket_dir / ".s.PGSQL.5432")) <= 107
    if socket_dir != (folder / "postgres").resolve():
        assert not socket_dir.exists()
    EmbeddedServer.destroy(folder)


@pytest.mark.parametrize(
    ("name", "stays"),
    [("plain-1.2_x", True), ("东观镇", False), ("a,b", False), ("a:b", False), ("x" * 90, False)],
)
def test_the_socket_lies_in_the_home_where_its_path_is_short_and_plain(name, stays):
    with tempfile.TemporaryDirectory(prefix="wangge-") as place:
        home = Path(place) / name
        home.mkdir(mode=0o700)
        chosen = settle_socket_dir(home, Account(os.geteuid(), os.getegid()))
        assert (chosen == home) is stays
        assert stat.S_IMODE(chosen.stat().st_mode) == 0o700
        remove_socket_dir(chosen, home)
        assert chosen.exists() is stays


def test_two_folders_do_not_disturb_each_other(tmp_path, tools):
    one, two = tmp_path / "one", tmp_path / "two"
    with EmbeddedServer.start(one, settings=tools.quick) as first:
        with EmbeddedServer.start(two, settings=tools.quick) as second:
            assert first.pid != second.pid
            tools.sql(first.url(), "CREATE TABLE only_here ()")
            assert tools.sql(second.url(), "SELECT to_regclass('only_here') IS NULL") is True
        assert tools.sql(first.url(), "SELECT to_regclass('only_here') IS NOT NULL") is True
    for folder in (one, two):
        EmbeddedServer.destroy(folder)


def test_a_second_owner_in_the_same_process_is_refused(folder, tools):
    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        with pytest.raises(DataFolderBusy) as refusal:
            EmbeddedServer.start(folder)
        with pytest.raises(DataFolderBusy):
            EmbeddedServer.destroy(folder)
        assert refusal.value.pid == os.getpid()
        assert str(folder) in str(refusal.value)
        assert str(os.getpid()) in str(refusal.value)
        assert tools.answers(server.url())


def test_the_server_outlives_the_thread_that_started_it(folder, tools):
    started: list[EmbeddedServer] = []
    thread = threading.Thread(
        target=lambda: started.append(EmbeddedServer.start(folder, settings=tools.quick))
    )
    thread.start()
    thread.join()
    with started[0] as server:
        pid = server.pid
        # The kernel would have signalled before join() returned; a connection proves that nothing came.
        assert tools.sql(server.url(), "SELECT count(*) FROM pg_class") > 0
        assert server.pid == pid


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(folder, tools):
    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        assert os.getsid(server.pid) != os.getsid(0)


def test_the_log_holds_no_values(folder, tools):
    secret = "13800138000"
    with EmbeddedServer.start(folder, settings=tools.quick) as server:
        tools.sql(
            server.url(),
            "CREATE TABLE person (phone text PRIMARY KEY)",
            f"INSERT INTO person VALUES ('{secret}')",
        )
        with pytest.raises(asyncpg.UniqueViolationError):
            tools.sql(server.url(), f"INSERT INTO person VALUES ('{secret}')")
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            tools.sql(server.url(), f"SELECT 'x{secret}'::int")
        # A crash of a backend is logged, and where verbosity allows with the statement that it ran.
        backend = _crash_a_backend(server, secret, tools)
        tools.until(lambda: f"(PID {backend}) was terminated by signal 9" in server.log.read_text())
        assert secret not in server.log.read_text()


def _crash_a_backend(server: EmbeddedServer, secret: str, tools) -> int:
    """Kill a backend in the middle of a statement; return its process id."""

    async def run() -> int:
        victim = await asyncpg.connect(server.url())
        backend = int(await victim.fetchval("SELECT pg_backend_pid()"))
        statement = asyncio.create_task(victim.execute(f"SELECT pg_sleep(600), '{secret}'"))
        doing = f"SELECT wait_event FROM pg_stat_activity WHERE pid = {backend}"
        await asyncio.to_thread(tools.until, lambda: tools.sql(server.url(), doing) == "PgSleep")
        os.kill(backend, signal.SIGKILL)
        with pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
            await statement
        return backend

    return asyncio.run(run())


def test_a_long_log_is_put_aside_at_the_start(folder, tools):
    EmbeddedServer.start(folder, settings=tools.quick).stop()
    log = folder / "postgres.log"
    with log.open("ab") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    EmbeddedServer.start(folder, settings=tools.quick).stop()
    assert log.stat().st_size < 100_000
    assert (folder / "postgres.log.1").stat().st_size == 10 * 1024 * 1024 + 1
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_destroy_removes_the_database_and_nothing_else(folder, tools):
    EmbeddedServer.start(folder, settings=tools.quick).stop()
    (folder / "keys.json").write_text("{}")
    home = (folder / "postgres").resolve()
    EmbeddedServer.destroy(folder)
    assert not home.exists()
    assert sorted(path.name for path in folder.iterdir()) == ["keys.json", "postgres.lock"]
