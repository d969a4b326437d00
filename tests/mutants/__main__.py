"""Break each promise on purpose, in a copy of the tree, and see that its test notices:

    make mutants        make mutants ARGS="cursor photo"    only those with such a name

A test proves a promise only if it turns red when the promise is broken. Ends with 1 if one stays green.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.catalogue import MUTANTS, Mutant, Patch

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 180
_IGNORED = shutil.ignore_patterns(".*", "__pycache__")


class Run:
    """One run of tests in the copy: how it ended, and the first thing that it said was wrong."""

    def __init__(self, copy: Path, *tests: str) -> None:
        began = time.monotonic()
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
        try:
            done = subprocess.run(
                command, cwd=copy, capture_output=True, text=True, timeout=SECONDS, check=False
            )
            self.code, self.output = done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            self.code, self.output = -1, f"not done after {SECONDS} s"
        self.seconds = time.monotonic() - began

    @property
    def failed(self) -> bool:
        """Whether the test itself failed: neither its set-up, nor the reading of a broken file."""
        last = self.output.strip().rpartition("\n")[2]
        return self.code == 1 and re.search(r"\b\d+ failed\b", last) is not None

    @property
    def why(self) -> str:
        """The first line in which a failure is explained."""
        found = re.search(r"^E +(.+)$", self.output, re.MULTILINE)
        return found[1] if found else self.output.strip().rpartition("\n")[2]


def apply(copy: Path, patches: tuple[Patch, ...]) -> list[tuple[Path, str]]:
    """Apply patches to a copy; return the files as they were."""
    before = []
    for file, old, new in patches:
        path = copy / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise LookupError(f"{file} has the text {text.count(old)} times: {old}")
        before.append((path, text))
        path.write_text(text.replace(old, new), encoding="utf-8")
    return before


def judge(copy: Path, mutant: Mutant) -> tuple[str, str, float]:
    """Return how a mutant fared: `red` as it should be, or what is wrong, with the reason and the time it took."""
    try:
        before = apply(copy, mutant.patches)
    except LookupError as error:
        return "NO PATCH", str(error), 0.0
    run = Run(copy, mutant.test)
    for path, text in reversed(before):
        path.write_text(text, encoding="utf-8")
    verdict = "red" if run.failed else "GREEN" if run.code == 0 else "BROKEN"
    return verdict, run.why, run.seconds


def main(names: list[str]) -> int:
    """Judge the mutants and print the table; return the exit code."""
    chosen = [m for m in MUTANTS if not names or any(name in m.name for name in names)]
    console = Console(width=200 if not sys.stdout.isatty() else None)
    table = Table("mutant", "promise", "test", "verdict", "what the test said", "s")
    with tempfile.TemporaryDirectory(prefix="wangge-mutants-") as place:
        copy = Path(place) / "tree"
        shutil.copytree(ROOT, copy, ignore=_IGNORED)
        whole = Run(copy, *dict.fromkeys(mutant.test for mutant in chosen))
        if whole.code != 0:
            console.print("The tests are red without a mutant:", whole.output[-3000:], markup=False)
            return 1
        verdicts = []
        for mutant in chosen:
            verdict, why, seconds = judge(copy, mutant)
            verdicts.append(verdict)
            test = mutant.test.rpartition("::")[2]
            table.add_row(mutant.name, mutant.promise, test, verdict, why[:120], f"{seconds:.0f}")
            console.print(f"{verdict:8} {mutant.name}", markup=False, highlight=False)
    console.print(table)
    return 0 if set(verdicts) == {"red"} else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
