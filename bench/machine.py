"""What a run stands on: an embedded PostgreSQL, a township, one server process, and pgbench beside it."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from app.core.embedded import find_binaries
from app.core.settings import Settings

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Machine:
    """The settings of a run's server, with the addresses of its database."""

    settings: Settings

    @property
    def owner_url(self) -> str:
        """The database as its owner."""
        assert self.settings.database_url is not None
        return self.settings.database_url

    def on(self, database: str) -> "Machine":
        """Return the same machine on another database of its server."""
        urls = {
            name: make_url(url).set(database=database).render_as_string(hide_password=False)
            for name in ("database_url", "app_database_url")
            if (url := getattr(self.settings, name)) is not None
        }
        return Machine(self.settings.model_copy(update=urls))


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def serving(machine: Machine, port: int, program: str = "app.cli") -> Iterator[int]:
    """Run one server process on the port and yield its process id; it is stopped at the end."""
    environment = os.environ | {
        "DATABASE_URL": machine.owner_url,
        "WANGGE_APP_DATABASE_URL": machine.settings.app_database_url or "",
        "WANGGE_DATA": str(machine.settings.data),
        "WANGGE_LOG_LEVEL": "warning",
        "PORT": str(port),
    }
    server = subprocess.Popen([sys.executable, "-m", program, "serve"], env=environment)
    try:
        _wait_until_ready(port, server)
        yield server.pid
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_ready(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit("the server did not start")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server did not become ready")


_PGBENCH = r"""
\set id random(1, 10000)
SELECT payload FROM bench_people WHERE id = :id;
INSERT INTO bench_decisions (id, person, verdict, at) VALUES (gen_random_uuid(), :id, 'pass', now());
"""

_PGBENCH_TABLES = """
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS bench_people (id int PRIMARY KEY, payload text NOT NULL);
INSERT INTO bench_people SELECT n, repeat('x', 100) FROM generate_series(1, 10000) n ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS bench_decisions
    (id uuid PRIMARY KEY, person int NOT NULL, verdict text NOT NULL, at timestamptz);
"""


def pgbench(machine: Machine, seconds: int, clients: int = 8) -> float:
    """Return how many SELECT + INSERT a second pgbench reaches on this database, with prepared statements."""
    return pgbench_script(machine, _PGBENCH_TABLES, _PGBENCH, seconds, clients)


def pgbench_script(machine: Machine, tables: str, transaction: str, seconds: int, clients: int) -> float:
    """Return how often a second pgbench runs a script of its own on this database, with prepared statements."""
    programs = find_binaries()
    subprocess.run(
        [str(programs / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-c", tables, machine.owner_url],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(transaction)
        script.flush()
        command = [
            str(programs / "pgbench"),
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            "2",
            "-T",
            str(seconds),
        ]
        run = subprocess.run(
            [*command, "-f", script.name, machine.owner_url], check=True, capture_output=True, text=True
        )
    match = re.search(r"tps = ([0-9.]+)", run.stdout)
    assert match is not None, run.stdout
    return float(match[1])
