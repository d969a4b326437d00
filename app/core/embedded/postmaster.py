"""One PostgreSQL cluster and the process that serves it: make it, launch it, see it ready, clear up after a crash."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core.embedded.account import Account
from app.core.embedded.data_folder import DataFolder
from app.core.embedded.sockets import PORT, SOCKET

_LAUNCHER = Path(__file__).with_name("parented.py")
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}  # and no PG* variable of the caller's
_CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8", "C")
_FAST_SECONDS, _IMMEDIATE_SECONDS, _LIMIT_SECONDS = 30.0, 40.0, 60.0

# For two to four cores and a few GB. fsync stays on: an acknowledged write survives any kill.
DEFAULTS: Mapping[str, str] = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # An ERROR can quote a value, so a person's data: the program that sent the statement gets it, the log does not.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "log_line_prefix": "%m [%p] ",
}


class ServerFailed(RuntimeError):
    """PostgreSQL could not be set up or started; the message carries what it said."""


@dataclass(frozen=True)
class Cluster:
    """A cluster: its folder, its programs (and their major version), its settings beyond the defaults."""

    folder: DataFolder
    binaries: Path
    major: int
    settings: Mapping[str, str]

    def initialise(self) -> None:
        """Make the cluster unless it is there: under a temporary name, renamed when done. Raises ServerFailed."""
        if self.folder.data.exists():
            return
        building = self.folder.home / f"data.new-{secrets.token_hex(4)}"
        try:
            self._initdb(building)
            building.rename(self.folder.data)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        _sync_folder(self.folder.home)

    def _initdb(self, target: Path) -> None:
        """Run `initdb`, with the first type of characters that the machine knows (pg_trgm needs one for Chinese)."""
        for character_type in _CHARACTER_TYPES:
            result = subprocess.run(
                parented(self.folder.account, signal.SIGKILL, self._initdb_arguments(target, character_type)),
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,
            )
            if result.returncode == 0:
                return
            if "invalid locale name" not in result.stderr:
                break
        raise ServerFailed(f"initdb failed in {target.parent}: {result.stderr.strip() or result.returncode}")

    def _initdb_arguments(self, target: Path, character_type: str) -> list[str]:
        arguments = [
            str(self.binaries / "initdb"),
            "-D",
            str(target),
            "--username=postgres",
            "--encoding=UTF8",
        ]
        arguments += ["--locale=C", f"--lc-ctype={character_type}", "--data-checksums", "--no-instructions"]
        arguments += ["--auth-local=trust", "--auth-host=scram-sha-256"]
        if self.major >= 17:
            arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.settings.get("fsync") == "off":
            arguments += ["--no-sync"]
        return arguments

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the server as a direct child. It ends at the death of the *thread* that calls this."""
        closed = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.folder.socket_dir),
            "unix_socket_permissions": "0700",
        }
        arguments = [str(self.binaries / "postgres"), "-D", str(self.folder.data)]
        for name, value in {**DEFAULTS, **self.settings, **closed}.items():
            arguments += ["-c", f"{name}={value}"]
        log = self.folder.open_log()
        try:
            return subprocess.Popen(
                parented(self.folder.account, signal.SIGQUIT, arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C in the terminal is for the owner alone
            )
        finally:
            os.close(log)

    def is_ready(self, pid: int) -> bool:
        """Say whether the server `pid` accepts connections (line 8 of postmaster.pid)."""
        lines = _pid_file_lines(self.folder.data)
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def clear_the_way(folder: DataFolder, wait: Callable[[float], object] = time.sleep) -> None:
    """End what a crashed server, `initdb` or owner left in a folder, and remove its stale files.

    `wait(seconds)` may return true to give up. Raises ServerFailed when a process does not go.
    """
    pid_file = folder.data / "postmaster.pid"
    if pid_file.exists():
        if not _end_leftovers(folder.data, wait):
            return
        # PostgreSQL takes any living process of that number for a server, be it a zombie or a stranger,
        # and refuses an empty file. A dead number it judges itself, by its shared memory too.
        pid = _postmaster_pid(folder.data)
        if pid is None or _is_taken(pid):
            pid_file.unlink(missing_ok=True)
    for name in (SOCKET, f"{SOCKET}.lock"):
        (folder.socket_dir / name).unlink(missing_ok=True)
    for unfinished in folder.home.glob("data.new-*"):
        if _end_leftovers(unfinished, wait):
            shutil.rmtree(unfinished, ignore_errors=True)


def parented(account: Account, death_signal: signal.Signals, arguments: list[str]) -> list[str]:
    """Return the command that runs `arguments` as `account`, with a signal when the calling thread dies."""
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    return [
        *launcher,
        str(account.uid),
        str(account.gid),
        str(os.getpid()),
        str(int(death_signal)),
        *arguments,
    ]


def server_processes(data: Path) -> list[int]:
    """Return the living processes of a server on the cluster `data`, its children included where /proc shows them."""
    processes = Path("/proc")
    if not (processes / "self" / "cwd").exists():
        return _ask_ps(_postmaster_pid(data))
    return [int(entry.name) for entry in processes.iterdir() if entry.name.isdigit() and _serves(entry, data)]


def _serves(process: Path, data: Path) -> bool:
    """Say whether a process is PostgreSQL's and works in `data`. A zombie works nowhere."""
    try:
        return (process / "comm").read_text() == "postgres\n" and (process / "cwd").readlink() == data
    except OSError:  # it is gone, or another user's
        return False


def _ask_ps(pid: int | None) -> list[int]:
    """The same for a system without /proc: only the postmaster, by its name."""
    if pid is None:
        return []
    answer = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True)
    return [pid] if Path(answer.stdout.strip()).name == "postgres" else []


def _end_leftovers(data: Path, wait: Callable[[float], object]) -> bool:
    """Stop an orphaned server as `pg_ctl stop` would; what has lost its postmaster is killed (recovery mends it).

    Return whether all are gone (not so when `wait` gave up).
    """
    began = time.monotonic()
    sent: set[tuple[int, int]] = set()
    while processes := server_processes(data):
        late = time.monotonic() - began
        if late > _LIMIT_SECONDS:
            raise ServerFailed(f"processes {processes} of an earlier server on {data} do not end")
        head = _postmaster_pid(data)
        sign = signal.SIGKILL
        if head in processes and late < _IMMEDIATE_SECONDS:
            processes, sign = [head], signal.SIGINT if late < _FAST_SECONDS else signal.SIGQUIT
        for pid in processes:
            if (pid, sign) not in sent:
                _send(pid, sign)
                sent.add((pid, sign))
        if wait(0.01):
            return False
    return True


def _send(pid: int, sign: int) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        return


def _is_taken(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _postmaster_pid(data: Path) -> int | None:
    lines = _pid_file_lines(data)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _pid_file_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
