"""A server as an operator runs it: `wangge serve` in a process of its own, seen from outside."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from app.access import in_townships_name
from app.cli import operators
from app.cli.opening import run_with_kit
from app.core.database import APP_ROLE
from app.core.embedded import EmbeddedServer
from app.core.kit import Kit
from app.core.provision import NAME
from app.core.settings import Settings
from app.domain.enums import Role
from app.services.staff_users import create_user

ROOT = Path(__file__).resolve().parents[2]
TOWNSHIP = "511303106"
UNITS = ("511303106243", "511303106244")
PATIENCE = 60.0


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def until(condition: Callable[[], Awaitable[object]], seconds: float = PATIENCE) -> None:
    """Poll until a condition holds; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        await asyncio.sleep(0.02)


def lives(pid: int) -> bool:
    """Say whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[int]:
    """The living processes that descend from a process."""
    direct = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and lives(int(entry.name)):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                direct.append(int(entry.name))
    return direct + [deeper for child in direct for deeper in children_of(child)]


def settle(settings: Settings, place: Path) -> str:
    """Make the township with its units and an account of its office; return the account's password."""
    units = place / "units.csv"
    rows = [f"{code},第{n}村,village" for n, code in enumerate(UNITS)]
    units.write_text("\n".join(["unit_code,name,kind", *rows]), encoding="utf-8")
    assert operators.create_township(settings, TOWNSHIP, "试验镇", "Asia/Shanghai", units) == (
        True,
        len(UNITS),
    )

    async def make_office(kit: Kit) -> str:
        async with in_townships_name(kit, int(TOWNSHIP)) as work:
            return (await create_user(work, "office", "张三", Role.TOWNSHIP)).password or ""

    return run_with_kit(settings, make_office)


class Site:
    """A data folder, its environment, and the server on it when there is one."""

    def __init__(self, **environment: str) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="wangge-test-"))
        self.place.chmod(0o755)
        self.data = self.place / "township"
        self.port = free_port()
        self.log = self.place / "stderr"
        self.environment = environment
        self.settings: dict[str, str] = {}
        self.process: asyncio.subprocess.Process | None = None
        self.password = ""
        self._token = ("", 0.0)

    # -- the process ---------------------------------------------------------------------------------------------

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("WANGGE_", "PG")) and name not in ("DATABASE_URL", "PORT")
        }
        own = {"WANGGE_DATA": str(self.data), "PORT": str(self.port)}
        return kept | own | self.environment | settings

    async def launch(self, **settings: str) -> asyncio.subprocess.Process:
        """Start `wangge serve` and return at once."""
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "app.cli",
                "serve",
                cwd=ROOT,
                env=self._environment(settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def start(self, **settings: str) -> None:
        """Have a server with these settings: the one that runs, or a new one; return when it is ready."""
        if self.process is not None:
            if self.process.returncode is None and settings == self.settings and await self.ready():
                return
            await self.stop()
        self.process = await self.launch(**settings)
        self.settings = settings
        try:
            await until(self._ready_or_dead)
        except AssertionError:
            raise AssertionError(self.log.read_text()[-3000:]) from None

    async def _ready_or_dead(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, self.log.read_text()[-4000:]
        return await self.ready()

    async def ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            async with httpx.AsyncClient(base_url=self.base_url, timeout=10) as client:
                return (await client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """End the server; return its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(sign)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def rest(self) -> None:
        """Have no server, but the data of one."""
        if self.process is not None:
            await self.stop()

    async def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def close(self) -> None:
        """Stop it and remove what it made."""
        try:
            if self.process is not None:
                await self.stop()
        finally:
            if self.process is not None and self.process.returncode is None:
                await self.kill()
            EmbeddedServer.destroy(self.data)
            shutil.rmtree(self.place)

    async def command(self, *arguments: str, **settings: str) -> tuple[int, str, str]:
        """Run a `wangge` command on the data folder; return its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "app.cli",
            *arguments,
            cwd=ROOT,
            env=self._environment(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out.decode(), err.decode()

    async def settle(self) -> None:
        """Make the township with its units and an account of its office, beside the running server."""
        settings = Settings(
            data=self.data, database_url=self.owner_url, app_database_url=self.url_of(APP_ROLE)
        )
        self.password = await asyncio.to_thread(settle, settings, self.place)

    # -- what one sees of it -------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def owner_url(self) -> str:
        """The embedded database, for its owner."""
        return self.url_of("postgres")

    def url_of(self, role: str) -> str:
        """The embedded database, for a role."""
        url = EmbeddedServer.running_url(self.data, role, NAME)
        assert url is not None
        return url

    @property
    def postmaster(self) -> int:
        """The process id of the embedded PostgreSQL."""
        return int((self.data / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    @property
    def postgres_log(self) -> str:
        return (self.data / "postgres.log").read_text()

    def lines(self) -> list[dict[str, Any]]:
        """What the servers on this folder logged so far: JSON, line by line."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def mishaps(self) -> list[dict[str, Any]]:
        """What the program logged as its own faults."""
        return [line for line in self.lines() if line["message"] == "unhandled"]

    async def sql(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Ask the database itself."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator["Locks"]:
        """Lock a table from outside, so that writes wait in the middle of their transaction."""
        connection = await asyncpg.connect(self.owner_url)
        await connection.execute(f"BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE")
        locks = Locks(self, connection)
        try:
            yield locks
        finally:
            await locks.release()

    async def token(self) -> str:
        """An access token of the township's office, good for some minutes more."""
        token, ends = self._token
        if time.monotonic() > ends:
            form = {"username": "office", "password": self.password}
            async with httpx.AsyncClient(base_url=self.base_url, timeout=30) as door:
                answer = await door.post("/v1/auth/token", data=form)
            assert answer.status_code == 200, answer.text
            token = answer.json()["access_token"]
            self._token = token, time.monotonic() + 300
        return token

    async def client(self, **more: Any) -> httpx.AsyncClient:
        """A client that is logged in as the township's office."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        return httpx.AsyncClient(base_url=self.base_url, timeout=30, headers=headers, **more)


class Locks:
    """A table lock held from outside."""

    def __init__(self, site: Site, connection: asyncpg.Connection) -> None:
        self.site, self.connection = site, connection

    async def waiting(self) -> int:
        """How many transactions of the application wait for a lock."""
        rows = await self.site.sql(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'wangge' AND wait_event_type = 'Lock'"
        )
        return len(rows)

    async def somebody_waits(self) -> bool:
        return await self.waiting() > 0

    async def release(self) -> None:
        """Let them go on."""
        if not self.connection.is_closed():
            await self.connection.close()


def household(id_: str | None = None, unit: str = UNITS[0], **more: Any) -> dict[str, Any]:
    """The body that registers a household of one."""
    return {
        "id": id_ or str(uuid.uuid4()),
        "unit_code": unit,
        "address": "一组1号",
        "head": {"name": "李四"},
    } | more


def is_unavailable(answer: httpx.Response) -> bool:
    """Whether an answer is the one refusal that means: send the same again, later."""
    if answer.status_code != 503:
        return False
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unavailable"
    assert int(answer.headers["retry-after"]) > 0
    return True
