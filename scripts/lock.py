"""Write the hashed pins in requirements/ from pyproject.toml, for every Python and platform at once."""

import os
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The widest first: its choices bind the others, so that one environment can hold several tiers.
TIERS = {
    "dev": ["embedded", "demo", "dev"],
    "demo": ["embedded", "demo"],
    "runtime": [],
    "lock": ["lock"],
}
COMPILE = [
    "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11",
    "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
    "--custom-compile-command", "make lock",
]  # fmt: skip


def pin(tier: str, extras: list[str], backend: str) -> None:
    """Resolve one tier into its file; exits with uv's message when no set of versions satisfies it."""
    target = f"requirements/{tier}.txt"
    command = [*COMPILE, "pyproject.toml", "-", "--output-file", target]
    for extra in extras:
        command += ["--extra", extra]
    if tier == "lock":
        command = [*COMPILE, "-", "--output-file", target]
    elif tier != "dev":
        command += ["--constraint", "requirements/dev.txt"]
    if os.environ.get("UPGRADE"):
        command.append("--upgrade")
    subprocess.run(command, cwd=ROOT, input=backend, text=True, check=True)
    print(f"wrote {target}")


def main() -> None:
    """Pin every tier, each with the build backend: the project is installed without build isolation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    backend = project["build-system"]["requires"]
    for tier, extras in TIERS.items():
        own = project["project"]["optional-dependencies"]["lock"] if tier == "lock" else []
        pin(tier, extras, "\n".join(backend + own))


if __name__ == "__main__":
    main()
