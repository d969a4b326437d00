"""One owner at a time: a lock on a file, with a note in it that says who holds it."""

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

_ATTEMPTS = 10


class FolderLock:
    """An exclusive lock on a file, which ends with the process that holds it, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock at once. Raises BlockingIOError when another holds it."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            self._take()
            give_to_owner_of(path.parent, self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            raise

    def _take(self) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(0.005)  # `read_owner` in another process holds it for microseconds
            else:
                return

    def write(self, note: dict[str, Any]) -> None:
        """Say in the file who holds the lock. The note stays after the release and then means nothing."""
        content = json.dumps(note).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, content, 0)

    def release(self) -> None:
        """Let go. The file stays: removing it would let two owners lock two files of one name. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_note(path: Path) -> dict[str, Any]:
    """Return the last note written into a lock file, or {}."""
    try:
        note = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def read_owner(path: Path) -> dict[str, Any] | None:
    """Return the note of the living holder of a lock, or None when nobody holds it."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return read_note(path)
    return None


def give_to_owner_of(folder: Path, descriptor: int) -> None:
    """Give a file that root made in another user's folder to that user, so that it stays usable."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
