"""`make demo` and `make test` set up the clone they lie in: once, also when started twice, killed or moved.

The set-up is the real one (scripts/in-venv, venv, pip with hashes) in a small clone of its own that needs no network:
one wheel to pin, and a build backend that lies in the tree.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = """
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "wangge-0.1-py3-none-any.whl"
    info = "wangge-0.1.dist-info/"
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        wheel.writestr("wangge.pth", str(Path.cwd()))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: wangge\\nVersion: 0.1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nwangge = app:main\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""

APP = """
import sys

def main():
    import pinned
    print("ran", *sys.argv[1:])
"""


def write_wheel(folder: Path) -> str:
    """Write a wheel called pinned, version 1; returns its digest."""
    path = folder / "pinned-1-py3-none-any.whl"
    files = {
        "pinned.py": "VALUE = 1\n",
        "pinned-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: pinned\nVersion: 1\n",
        "pinned-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        record = []
        for name, text in files.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(text)}")
        wheel.writestr("pinned-1.dist-info/RECORD", "\n".join([*record, "pinned-1.dist-info/RECORD,,", ""]))
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Clone:
    """A clone with the real scripts, and what it takes to run them apart from this machine's settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder.parent / "wheels"
        self.wheels.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "requirements").mkdir()
        (folder / "pyproject.toml").write_text(PYPROJECT)
        (folder / "backend.py").write_text(BACKEND)
        (folder / "app.py").write_text(APP)
        self.pin(write_wheel(self.wheels))

    def pin(self, digest: str) -> None:
        (self.folder / "requirements" / "demo.txt").write_text(f"pinned==1 --hash=sha256:{digest}\n")

    @property
    def packages(self) -> Path:
        return next((self.folder / ".venv" / "lib").glob("python*/site-packages"))

    def start(self, *command: str, **settings: str) -> "subprocess.Popen[str]":
        env = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder.parent), "PYTHON": sys.executable,
            "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), **settings,
        }  # fmt: skip
        words = ["sh", str(self.folder / "scripts" / "in-venv"), *command]
        return subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        process = self.start(*command, **settings)
        output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that was set up by two commands started at once."""
    made = Clone(tmp_path_factory.mktemp("setup") / "clone")
    both = [made.start("demo", "wangge", "demo"), made.start("demo", "wangge", "twice")]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert [output for output, _ in outputs] == ["ran demo\n", "ran twice\n"]
    errors = "".join(error for _, error in outputs)
    assert errors.count("making .venv") == 1
    assert errors.count("installing requirements/demo.txt") == 1
    return made


def test_a_second_run_sets_nothing_up_and_passes_arguments_and_the_exit_code_on(clone: Clone) -> None:
    again = clone.run("demo", "wangge", "again", "a b")
    assert (again.returncode, again.stdout, again.stderr) == (0, "ran again a b\n", "")
    assert clone.run("demo", "python", "-c", "raise SystemExit(5)").returncode == 5


def test_what_a_killed_pip_left_is_repaired(clone: Clone) -> None:
    (clone.folder / ".venv" / ".pinned").unlink()
    (clone.packages / "pinned.py").unlink()
    (clone.packages / "pinned-1.dist-info" / "INSTALLER").unlink()
    (clone.packages / "pinned-1.dist-info" / "RECORD").unlink()
    assert clone.run("demo", "wangge", "demo").stdout == "ran demo\n"


def test_a_moved_clone_gets_a_new_environment_and_a_stopped_set_up_continues(clone: Clone) -> None:
    right = (clone.folder / "requirements" / "demo.txt").read_text()
    clone.folder = clone.folder.rename(clone.folder.with_name("elsewhere"))
    clone.pin("0" * 64)
    refused = clone.run("demo", "wangge", "demo")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "making .venv" in refused.stderr
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert "run the same command again" in refused.stderr

    (clone.folder / "requirements" / "demo.txt").write_text(right)
    continued = clone.run("demo", "wangge", "demo")
    assert continued.stdout == "ran demo\n"
    assert "making .venv" not in continued.stderr
    assert str(clone.folder) in (clone.packages / "wangge.pth").read_text()


def test_without_a_python_that_serves_it_says_what_is_missing(tmp_path: Path) -> None:
    bare = Clone(tmp_path / "clone")
    none = bare.run("demo", "wangge", "demo", PYTHON="no-such-python")
    assert none.returncode == 1
    assert "needs Python 3.11 or later; none of these is: no-such-python" in none.stderr

    crippled = tmp_path / "crippled-python"
    block = "import sys; sys.modules['ensurepip'] = None; exec(sys.argv[-1])"
    crippled.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{block}" "$@"\n')
    crippled.chmod(0o755)
    lacking = bare.run("demo", "wangge", "demo", PYTHON=str(crippled))
    assert lacking.returncode == 1
    assert "ModuleNotFoundError: import of ensurepip halted" in lacking.stderr
    assert "apt install python3-venv" in lacking.stderr
    assert not (bare.folder / ".venv").exists()
