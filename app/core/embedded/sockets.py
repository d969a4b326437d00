"""Where the server's socket lies: in its home, or in a short private folder where the home's path is too long."""

import hashlib
import os
import re
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from app.core.embedded.account import Account, DataFolderUnusable

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
_PLAIN = re.compile(r"[A-Za-z0-9._/+-]+")  # no comma or colon: drivers read those as lists of hosts


def settle_socket_dir(home: Path, account: Account) -> Path:
    """Return a private folder in which the server can listen. Raises DataFolderUnusable when none will do."""
    if _PLAIN.fullmatch(str(home)) and _can_listen(home):
        return home
    name = f"wangge-{account.uid}-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    runtime = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
    for base in (runtime, tempfile.gettempdir(), "/tmp"):  # noqa: S108 - private and checked
        if base and os.access(base, os.W_OK) and _make_or_own(Path(base) / name, account):
            if _can_listen(Path(base) / name):
                return Path(base) / name
            (Path(base) / name).rmdir()
    raise DataFolderUnusable(
        f"no folder will do for a socket: the path {home} is too long, and so are the others"
    )


def remove_socket_dir(socket_dir: Path, home: Path) -> None:
    """Remove the short folder of a server that is down; leave the home."""
    if socket_dir != home:
        (socket_dir / SOCKET).unlink(missing_ok=True)
        (socket_dir / f"{SOCKET}.lock").unlink(missing_ok=True)
        with suppress(OSError):
            socket_dir.rmdir()


def _make_or_own(folder: Path, account: Account) -> bool:
    """Make a private folder, or take the one that is there if it is ours alone: its name can be guessed."""
    try:
        account.make_private(folder)
    except FileExistsError:
        status = folder.lstat()
        return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and status.st_mode & 0o077 == 0
    return True


def _can_listen(folder: Path) -> bool:
    """Try it: a path may be too long (107 bytes on Linux), and some mounted file systems know no sockets."""
    probe = folder / SOCKET.replace("PGSQL", "PROBE")
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(probe))
            probe.unlink()
    except OSError:
        return False
    return True
