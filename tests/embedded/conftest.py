"""What the tests of the supervisor share. They are about processes, so most of them need Linux's /proc."""

import asyncio
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.core.embedded import EmbeddedServer, find_binaries
from app.core.embedded.account import Account
from app.core.embedded.binaries import binaries_for_account
from app.core.embedded.data_folder import DataFolder

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"fsync": "off"}

Owners = Callable[..., "OwnerProcess"]


class Tools:
    """Small helpers, handed to the tests as the fixture `tools`."""

    quick = QUICK

    @staticmethod
    def sql(url: str, *statements: str) -> Any:
        """Run statements, each on its own; return the last one's first value."""

        async def run() -> Any:
            connection = await asyncpg.connect(url)
            try:
                value = None
                for statement in statements:
                    value = await connection.fetchval(statement)
                return value
            finally:
                await connection.close()

        return asyncio.run(run())

    @staticmethod
    def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Wait for a condition; fail when it does not come."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not so after {seconds} s"
            time.sleep(0.01)

    @staticmethod
    def lives(pid: int) -> bool:
        """Say whether a process runs (a zombie does not)."""
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def answers(self, url: str) -> bool:
        """Say whether the server takes connections now."""
        try:
            return bool(self.sql(url, "SELECT true"))
        except (OSError, asyncpg.PostgresError):
            return False


class OwnerProcess:
    """A running `owner.py`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.pid = process.pid
        self.server_pid = 0
        self.url = ""

    def wait_ready(self) -> "OwnerProcess":
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"the owner ended with {self.process.wait()}"
        answer = json.loads(line)
        self.server_pid, self.url = answer["pid"], answer["url"]
        return self

    def close(self) -> None:
        """End standard input, which ends the owner in good order."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            if self.process.stdout:
                self.process.stdout.close()


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh cluster, to be copied: `initdb` takes a second."""
    place = tmp_path_factory.mktemp("template")
    EmbeddedServer.start(place, settings=QUICK).stop()
    yield (place / "postgres").resolve() / "data"
    EmbeddedServer.destroy(place)


@pytest.fixture
def empty_folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder yet to be made; removed afterwards with what it has elsewhere."""
    path = tmp_path / "township"
    yield path
    EmbeddedServer.destroy(path)


@pytest.fixture
def folder(empty_folder: Path, template: Path) -> Path:
    """A data folder with a cluster in it."""
    prepared = DataFolder(empty_folder)
    subprocess.run(["cp", "-a", template, prepared.data], check=True)
    prepared.close()
    return empty_folder


@pytest.fixture
def owners() -> Iterator[Owners]:
    """Start owners in processes of their own: `owners(data, *arguments, source=..., python=..., **popen)`."""
    started: list[OwnerProcess] = []

    def start(data: Path, *arguments: str, source: Path = ROOT, python: str = sys.executable, **popen: Any):
        script = source / "tests" / "embedded" / "owner.py"
        process = subprocess.Popen(
            [python, str(script), str(data), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **popen,
        )
        started.append(OwnerProcess(process))
        return started[-1]

    yield start
    for owner in started:
        owner.close()


class Ordinary:
    """An ordinary user (`nobody`), with a Python, sources, programs and a data folder that they can reach."""

    def __init__(self, place: Path) -> None:
        entry = pwd.getpwnam("nobody")
        self.account = Account(entry.pw_uid, entry.pw_gid)
        self.python = self._find_python()
        self.binaries = binaries_for_account(self.account, find_binaries())
        self.source = place / "clone"
        for part in ("app/__init__.py", "app/core/__init__.py", "tests/embedded/owner.py"):
            (self.source / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, self.source / part)
        shutil.copytree(ROOT / "app/core/embedded", self.source / "app/core/embedded")
        self.private = place / "private"
        self.account.make_private(self.private)
        self.data = self.private / "township"

    def _find_python(self) -> str:
        for name in (sys.executable, *(f"/usr/bin/python3.{minor}" for minor in range(11, 20))):
            if Path(name).exists() and self.account.reads(Path(name)):
                return name
        pytest.skip("needs a Python 3.11+ that the user nobody can run")

    @property
    def popen(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "python": self.python,
            "user": self.account.uid,
            "group": self.account.gid,
            "extra_groups": [],
            "env": {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
            "cwd": "/",
        }


@pytest.fixture
def ordinary() -> Iterator[Ordinary]:
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user (and this run is an ordinary user's already)")
    place = Path(tempfile.mkdtemp(prefix="wangge-test-"))
    place.chmod(0o755)
    try:
        yield Ordinary(place)
    finally:
        shutil.rmtree(place)
