"""As whom the server runs: PostgreSQL refuses root, so root lends it an unprivileged account."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

_LENT_BY_ROOT = ("wangge", "postgres", "nobody")


class DataFolderUnusable(RuntimeError):
    """The data folder cannot be used as it is; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The user and group of the server's processes."""

    uid: int
    gid: int

    def passes(self, folder: Path) -> bool:
        """Say whether the permission bits let this account through `folder` and every folder above it."""
        folder = folder.resolve()
        return all(self._granted(path, 0o1) for path in (folder, *folder.parents))

    def reads(self, path: Path) -> bool:
        """Say whether this account can reach and read a file or list a folder; a program it can also run."""
        path = path.resolve()
        wanted = 0o5 if os.access(path, os.X_OK) else 0o4
        return self._granted(path, wanted) and self.passes(path.parent)

    def _granted(self, path: Path, wanted: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & wanted == wanted

    def make_private(self, folder: Path) -> None:
        """Make a folder that only this account (and root) can enter. Raises FileExistsError."""
        folder.mkdir(mode=0o700)
        if os.geteuid() != self.uid:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)


def server_account(data_dir: Path) -> Account:
    """Return ourselves; for root, the owner of the data that are there, else an unprivileged account.

    Raises DataFolderUnusable when the machine has none.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for owned in (data_dir / "postgres", data_dir):
        if owned.exists() and (uid := owned.stat().st_uid) != 0 and _is_known(uid):
            return Account(uid, pwd.getpwuid(uid).pw_gid)
    for name in _LENT_BY_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise DataFolderUnusable(
        f"PostgreSQL does not run as root, and none of the users {', '.join(_LENT_BY_ROOT)} exists."
    )


def _is_known(uid: int) -> bool:
    """Say whether the user has a name: `initdb` insists on one."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
