"""The place of root's servers whose account cannot enter the data folder (it lies below /root, say).

Nobody's folders are opened for it. Homes and copies of the programs live apart, in /var/lib/wangge-postgres, which
belongs to root and lets others only through.
"""

import logging
import secrets
import shutil
import tempfile
from pathlib import Path

from app.core.embedded.account import DataFolderUnusable
from app.core.embedded.folder_lock import FolderLock, read_note

APART = Path("/var/lib/wangge-postgres")

logger = logging.getLogger(__name__)


def make_apart() -> Path:
    """Make the place and return it. Raises DataFolderUnusable when that fails."""
    try:
        APART.mkdir(parents=True, exist_ok=True)
        APART.chmod(0o711)
    except OSError as error:
        raise DataFolderUnusable(
            f"cannot make {APART}: {error.strerror}. Choose another data folder."
        ) from error
    return APART


def name_home() -> Path:
    """Return a fresh name for a home apart, after removing what temporary data folders left behind."""
    make_apart()
    for lock_path in APART.glob("data-*.lock"):
        _sweep(lock_path.with_suffix(""), lock_path)
    return APART / f"data-{secrets.token_hex(6)}"


def lock_path_of(home: Path) -> Path:
    """Return the lock file of a home apart: a copied data folder links to the same home."""
    return home.with_name(home.name + ".lock")


def _sweep(home: Path, lock_path: Path) -> None:
    """Remove a home whose data folder was a temporary one and is gone. Any other is somebody's database: keep it."""
    data_dir = read_note(lock_path).get("data_dir")
    if data_dir is None or _links_to(Path(data_dir), home):
        return
    if not Path(data_dir).is_relative_to(Path(tempfile.gettempdir()).resolve()):
        logger.warning("%s is a database made for %s, which no longer links to it", home, data_dir)
        return
    try:
        lock = FolderLock(lock_path)
    except BlockingIOError:
        return
    shutil.rmtree(home, ignore_errors=True)
    lock_path.unlink()
    lock.release()


def _links_to(data_dir: Path, home: Path) -> bool:
    link = data_dir / "postgres"
    return link.is_symlink() and link.readlink() == home
