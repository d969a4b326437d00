"""Who may use a data folder, and where its database server has its home.

<data folder>/postgres.lock   held for the life of the owner; says who it is and where its socket is
<data folder>/postgres.log    what the server says (no statements, no values)
<data folder>/postgres/       the home: 0700, of the server's account; a link where it lives apart
<data folder>/postgres/data/  the cluster
"""

import logging
import os
import shutil
import stat
from pathlib import Path

from app.core.embedded.account import DataFolderUnusable, server_account
from app.core.embedded.apart import lock_path_of, name_home
from app.core.embedded.folder_lock import FolderLock, give_to_owner_of, read_owner
from app.core.embedded.sockets import remove_socket_dir, settle_socket_dir

_LOG_LIMIT = 10 * 1024 * 1024

logger = logging.getLogger(__name__)


class DataFolderBusy(RuntimeError):
    """Another program owns the data folder. `pid` is its process, where that is known."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        """Word the refusal."""
        self.data_dir = data_dir
        self.pid = pid
        owner = f"process {pid}" if pid else "another process"
        super().__init__(
            f"The data folder {data_dir} is in use by {owner}. Stop that program, or choose another data folder."
        )


class DataFolder:
    """A data folder that this process owns, from `DataFolder(...)` to `close()`."""

    def __init__(self, data_dir: Path) -> None:
        """Lock the folder, making it where it is missing, and settle the server's account, home and socket.

        Raises DataFolderBusy when another process owns it, DataFolderUnusable when it cannot serve.
        """
        self.data_dir = data_dir.resolve()
        made = _make(self.data_dir)
        self._locks: list[FolderLock] = []
        try:
            self._lock(lock_path(self.data_dir))
            self.account = server_account(self.data_dir)
            if made and os.geteuid() == 0:  # a folder of our own making: the server may pass through it
                os.chown(self.data_dir, 0, self.account.gid)
                self.data_dir.chmod(0o710)
            self.home = self._settle_home()
            self.socket_dir = settle_socket_dir(self.home, self.account)
            self._sign(str(self.socket_dir))
        except BaseException:
            self._release()
            raise

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.data_dir / "postgres.log"

    def open_log(self) -> int:
        """Return a descriptor that appends to the log; a log above 10 MB is put aside first, one such is kept."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        give_to_owner_of(self.data_dir, descriptor)
        return descriptor

    def close(self) -> None:
        """Give the folder up, once the server is down. Idempotent."""
        if self._locks:
            remove_socket_dir(self.socket_dir, self.home)
        self._release()

    def destroy(self) -> None:
        """Remove the cluster and its log, wherever they lie. The server must be down."""
        link = self.data_dir / "postgres"
        shutil.rmtree(self.home)
        if link.is_symlink():
            link.unlink()
            lock_path_of(self.home).unlink()
        for log in (self.log, self.log.with_suffix(".log.1")):
            log.unlink(missing_ok=True)

    def _lock(self, path: Path) -> None:
        try:
            self._locks.append(FolderLock(path))
        except BlockingIOError:
            raise DataFolderBusy(self.data_dir, (read_owner(path) or {}).get("pid")) from None
        except PermissionError as error:
            raise DataFolderUnusable(
                f"{path} belongs to another user; choose another data folder."
            ) from error
        self._sign()

    def _sign(self, socket_dir: str | None = None) -> None:
        for lock in self._locks:
            lock.write({"pid": os.getpid(), "data_dir": str(self.data_dir), "socket_dir": socket_dir})

    def _release(self) -> None:
        while self._locks:
            self._locks.pop().release()

    def _settle_home(self) -> Path:
        home = self.data_dir / "postgres"
        if home.is_symlink():
            home = self._follow(home)
        elif not home.exists():
            if not self.account.passes(self.data_dir):
                return self._home_apart(home)
            self.account.make_private(home)
        status = home.stat()
        if status.st_uid != self.account.uid:
            raise DataFolderUnusable(
                f"{home} belongs to the user {status.st_uid}: run as that user, or choose another data folder."
            )
        if stat.S_IMODE(status.st_mode) != 0o700:
            home.chmod(0o700)  # whoever can enter can log in as anyone
        return home

    def _follow(self, link: Path) -> Path:
        if not link.exists():
            raise DataFolderUnusable(
                f"{link} points to {link.readlink()}, which is gone. Bring it back, or remove the link to begin "
                "with an empty database."
            )
        home = link.resolve()
        self._lock(lock_path_of(home))
        return home

    def _home_apart(self, link: Path) -> Path:
        home = name_home()
        self._lock(lock_path_of(home))
        self.account.make_private(home)
        link.symlink_to(home)
        logger.info("the server's account cannot enter %s: its data live in %s", self.data_dir, home)
        return home


def lock_path(data_dir: Path) -> Path:
    """Return the lock file of a data folder."""
    return data_dir / "postgres.lock"


def _make(data_dir: Path) -> bool:
    """Make a data folder, private; return whether it was missing. Raises DataFolderUnusable when that fails."""
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700)
    except FileExistsError:
        return False
    except OSError as error:
        raise DataFolderUnusable(f"cannot make the data folder {data_dir}: {error.strerror}") from error
    return True
