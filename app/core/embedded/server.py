"""The supervisor: starts the server, watches it, restarts it after a crash, stops it."""

import atexit
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from app.core.embedded.binaries import binaries_for_account, binaries_for_data
from app.core.embedded.data_folder import DataFolder, lock_path
from app.core.embedded.folder_lock import read_owner
from app.core.embedded.postmaster import Cluster, ServerFailed, clear_the_way
from app.core.embedded.sockets import PORT

_STEADY_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 30.0
_STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None))

logger = logging.getLogger(__name__)


class EmbeddedServer:
    """A PostgreSQL server of our own, from `start` to `stop` (or to the end of this process, however it comes)."""

    def __init__(self, cluster: Cluster) -> None:
        """Take a cluster whose folder this process owns; use `start`."""
        self._cluster = cluster
        self._owner = os.getpid()
        self._stopping = threading.Event()
        self._was_ready = threading.Event()
        self._launching = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._watchdog = threading.Thread(target=self._supervise, name="postgres-watchdog", daemon=True)

    @classmethod
    def start(
        cls, data_dir: Path, *, binaries: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> Self:
        """Start the server of a data folder, making folder and cluster where they are missing; block until ready.

        `binaries` is the folder of `postgres` and `initdb` (default: `find_binaries()`); `settings` override
        the defaults of `postmaster.DEFAULTS`, but never open a TCP port. Raises DataFolderBusy, DataFolderUnusable,
        NoPostgres or ServerFailed.
        """
        folder = DataFolder(data_dir)
        try:
            programs, major = binaries_for_data(folder.data, binaries)
            cluster = Cluster(folder, binaries_for_account(folder.account, programs), major, settings or {})
            clear_the_way(folder)
            cluster.initialise()
        except BaseException:
            folder.close()
            raise
        server = cls(cluster)
        server._begin()
        return server

    @staticmethod
    def running_url(data_dir: Path, user: str = "postgres", database: str = "postgres") -> str | None:
        """Return the URL of the server that another living process runs on a data folder, or None."""
        owner = read_owner(lock_path(data_dir.resolve())) or {}
        socket_dir = owner.get("socket_dir")
        return _url(Path(socket_dir), user, database) if socket_dir else None

    @staticmethod
    def destroy(data_dir: Path) -> None:
        """Remove the cluster of a data folder, also one that lives apart. Raises DataFolderBusy when it is in use."""
        if data_dir.exists():
            folder = DataFolder(data_dir)
            try:
                clear_the_way(folder)
                folder.destroy()
            finally:
                folder.close()

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """Return the address for asyncpg (for SQLAlchemy change the scheme to postgresql+asyncpg)."""
        return _url(self._cluster.folder.socket_dir, user, database)

    @property
    def pid(self) -> int:
        """The process id of the current postmaster; it changes with a restart."""
        return self._child.pid if self._child else 0

    @property
    def ready(self) -> bool:
        """Whether the server accepts connections now."""
        child = self._child
        return child is not None and child.returncode is None and self._cluster.is_ready(child.pid)

    @property
    def log(self) -> Path:
        """The file to which the server writes its messages."""
        return self._cluster.folder.log

    def stop(self) -> None:
        """Stop the server (SIGINT; SIGQUIT after 30 s) and give the folder up. Idempotent."""
        if os.getpid() != self._owner:  # a forked copy of the owner owns nothing
            return
        with self._launching:
            self._stopping.set()
        for sign, patience in _STOP_STEPS:
            if self._watchdog.is_alive() and self._child is not None:
                self._child.send_signal(sign)
            self._watchdog.join(patience)
        self._cluster.folder.close()
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _begin(self) -> None:
        log_start = self.log.stat().st_size if self.log.exists() else 0
        self._watchdog.start()
        atexit.register(self.stop)
        try:
            while not self.ready:
                if not self._watchdog.is_alive():
                    raise ServerFailed(f"PostgreSQL did not start: {_said_since(self.log, log_start)}")
                time.sleep(0.005)
            self._was_ready.set()
        except BaseException:
            self.stop()
            raise

    def _supervise(self) -> None:
        """Launch and wait, again and again. This thread is the child's parent: the server dies with it."""
        crashes = 0
        while not self._stopping.wait(_pause_after(crashes)):
            began = time.monotonic()
            try:
                code = self._serve_once()
            except (OSError, ServerFailed) as error:
                logger.error("PostgreSQL could not be restarted: %s", error)
            else:
                if not self._stopping.is_set():
                    logger.error("PostgreSQL ended (%s) and is started again", code)
            if not self._was_ready.is_set():
                return  # the very first start: `start` reports it
            crashes = 1 if time.monotonic() - began > _STEADY_SECONDS else crashes + 1

    def _serve_once(self) -> int:
        if self._was_ready.is_set():
            clear_the_way(self._cluster.folder, self._stopping.wait)
        with self._launching:
            if self._stopping.is_set():
                return 0
            self._child = self._cluster.launch()
        return self._child.wait()


def _pause_after(crashes: int) -> float:
    """Seconds before the next launch: none after the first crash, then 0.5, 1, 2, ... 30."""
    return 0.0 if crashes < 2 else min(_LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** (crashes - 2))


def _url(socket_dir: Path, user: str, database: str) -> str:
    host = quote(str(socket_dir), safe="/")
    return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}&port={PORT}"


def _said_since(log: Path, position: int) -> str:
    """Return the end of what the server wrote to its log after `position`."""
    if not log.exists():
        return "it wrote nothing"
    with log.open("rb") as file:
        file.seek(position if position <= log.stat().st_size else 0)
        return file.read()[-2000:].decode(errors="replace").strip() or "it wrote nothing"
