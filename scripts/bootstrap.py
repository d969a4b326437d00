"""Make or complete this clone's virtual environment, then become the command that was asked for.

    python scripts/bootstrap.py TIER COMMAND [ARGUMENT ...]

TIER names a file of hashed pins, requirements/TIER.txt. Any number of these may run at once and any of them
may be killed at any moment: one lock lets a single one work on the environment, a stamp is written after each
step that is complete, and what a killed pip left half installed is taken away before the next one starts.

Standard library only: this runs before anything is installed.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
LOCK = ROOT / ".venv.lock"
PROJECT = ROOT / "pyproject.toml"
# Stamps, each written when its step is complete.
MADE_FOR = VENV / ".made-for"  # the clone's path: an environment's scripts break when it moves
PINNED = VENV / ".pinned"  # a digest of all pins, then the tiers installed
INSTALLED = VENV / ".installed"  # a digest of pyproject.toml, by which the project itself was installed
# A user's pip settings that would install elsewhere than into the environment; mirrors and proxies stay.
ELSEWHERE = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME", "PYTHONPATH")


def say(message: str) -> None:
    """Tell the user what happens, apart from the command's own output."""
    print(f"wangge: {message}", file=sys.stderr, flush=True)


def give_up(message: str) -> NoReturn:
    """End with a message instead of a traceback."""
    say(message)
    raise SystemExit(1)


def stopped(number: int, _frame: FrameType | None) -> NoReturn:
    """On SIGTERM and SIGHUP: unwind, so that the child is ended before us and the lock goes with it."""
    raise SystemExit(128 + number)


@contextmanager
def only_one() -> Iterator[int]:
    """Hold the set-up lock; yields its descriptor, which every child inherits.

    The lock belongs to the open file, not to the process: if we are killed, it stays until pip has ended.
    """
    descriptor = os.open(LOCK, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command is setting up .venv; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def fingerprint(*files: Path) -> str:
    """A digest of files' contents: what was done for it is done for exactly these."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def holds(stamp: Path, text: str) -> bool:
    """Whether the stamp was written, and for this."""
    try:
        return stamp.read_text(encoding="utf-8").strip() == text
    except OSError:
        return False


def write(stamp: Path, text: str) -> None:
    """Put a stamp in place at once, so that none is ever half written."""
    draft = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(stamp)


def run(lock: int, *command: str | Path) -> None:
    """Run one step of the set-up, showing on a terminal what it does; one that fails says why and ends us."""
    env = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=ROOT, env=env, pass_fds=(lock,), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    said = []
    try:
        for line in process.stdout or ():
            said.append(line)
            show(line)
        status = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        show("")
    if status != 0:
        print("".join(said[-20:]), end="", file=sys.stderr)
        give_up(
            "the set-up stopped, see above; once that is mended, run the same command again and it continues"
        )


def show(line: str) -> None:
    """On a terminal, replace the line of progress; an empty one clears it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line.strip()[:76]}", end="", file=sys.stderr, flush=True)


def pip_install(lock: int, *arguments: str | Path) -> None:
    """Install with the environment's pip; a user's mirror, proxy and cache settings apply."""
    pip = [
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-color",
        "--no-input",
        "install",
        "--progress-bar=off",
    ]
    run(lock, BIN / "python", *pip, *arguments)


def environment_stands() -> bool:
    """Whether a complete environment made for this very folder is there and its Python still starts."""
    if not holds(MADE_FOR, str(ROOT)):
        return False
    if Path(sys.prefix) == VENV:
        return True
    try:
        return subprocess.run([BIN / "python", "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def make_environment(lock: int) -> None:
    """Make .venv anew; an incomplete one, or one of another folder, is replaced."""
    say(f"making .venv with Python {sys.version.split()[0]}")
    if VENV.is_dir() and not VENV.is_symlink():
        shutil.rmtree(VENV)
    run(lock, sys.executable, "-m", "venv", "--clear", VENV)
    write(MADE_FOR, str(ROOT))


def drop_half_installed() -> None:
    """Make pip forget what it was killed over: it would take a package without its last files for installed.

    INSTALLER is among the last that pip writes of a package, after the code and the commands.
    """
    for info in VENV.glob("lib/python*/site-packages/*.dist-info"):
        if not (info / "INSTALLER").exists():
            shutil.rmtree(info)


def all_pins() -> str:
    """A digest of every tier's pins: they agree with each other only as one set."""
    return fingerprint(*sorted(ROOT.glob("requirements/*.txt")))


def pinned_tiers() -> set[str]:
    """The tiers that are completely installed with the pins as they are now."""
    try:
        pins, *tiers = PINNED.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return set()
    return set(tiers) if pins == all_pins() else set()


def is_set_up(tier: str) -> bool:
    """Whether nothing is left to do for this tier."""
    return environment_stands() and tier in pinned_tiers() and holds(INSTALLED, fingerprint(PROJECT))


def set_up(tier: str) -> None:
    """Bring the environment to the tier's pins and this project, doing only what is not yet done."""
    pins = ROOT / "requirements" / f"{tier}.txt"
    if not pins.is_file():
        give_up(f"there are no pins called {tier!r} in requirements/")
    if is_set_up(tier):
        return
    with only_one() as lock:
        if not environment_stands():
            make_environment(lock)
        tiers = pinned_tiers()  # read again: the one we waited for may have done our work
        if tier not in tiers:
            say(f"installing requirements/{tier}.txt into .venv (once; it may take minutes)")
            if not tiers:  # versions may now change under every tier that was complete before
                PINNED.unlink(missing_ok=True)
            drop_half_installed()
            pip_install(lock, "--require-hashes", "-r", pins)
            write(PINNED, " ".join([all_pins(), *sorted(tiers | {tier})]))
        if not holds(INSTALLED, fingerprint(PROJECT)):
            pip_install(lock, "--no-deps", "--no-build-isolation", "--editable", ROOT)
            write(INSTALLED, fingerprint(PROJECT))


def become(command: list[str]) -> NoReturn:
    """Replace this process by the command, with the environment's programs first on the path."""
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.environ["VIRTUAL_ENV"] = str(VENV)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    program = shutil.which(command[0])
    if program is None:
        give_up(f"there is no command {command[0]!r}")
    os.execv(program, command)


def main(arguments: list[str]) -> NoReturn:
    """Set up the tier named first, then become the rest."""
    if len(arguments) < 2:
        give_up("usage: sh scripts/in-venv TIER COMMAND [ARGUMENT ...]")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopped)
    try:
        set_up(arguments[0])
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except PermissionError as refused:
        give_up(f"may not write {refused.filename}: .venv belongs to another user; use a clone of your own")
    become(arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
