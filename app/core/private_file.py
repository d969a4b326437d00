"""A small file of secrets: readable by its owner only, replaced whole, changed by one process at a time."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGEST = 1024 * 1024


class ExposedFile(Exception):
    """A file of secrets that others than its owner may read or write."""


def read(path: Path) -> bytes:
    """Return the file's content.

    Raises:
        ExposedFile: its mode gives anything to group or others.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            raise ExposedFile(f"others may read it; make it private: chmod 600 {path}")
        return file.read(LARGEST)


def write(path: Path, content: bytes) -> None:
    """Put the content in the file's place, durably: a crash leaves the old file or the new one."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _hand_over(descriptor, path)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from changing the file; the lock ends with its holder, however that ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _hand_over(descriptor, path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _hand_over(descriptor: int, path: Path) -> None:
    """Leave what root makes to the owner of the file or its folder, or a rotation would lock the server out."""
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.parent).stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
