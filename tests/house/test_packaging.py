"""What a clean clone is promised: pins with hashes, security floors, nothing of one machine or one registry."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
BACKEND: list[str] = PROJECT["build-system"]["requires"]

# What each file of pins must satisfy, beside the build backend.
TIERS = {
    "runtime": RUNTIME,
    "demo": RUNTIME + EXTRAS["embedded"] + EXTRAS["demo"],
    "dev": RUNTIME + EXTRAS["embedded"] + EXTRAS["demo"] + EXTRAS["dev"],
    "lock": EXTRAS["lock"],
}
PIN = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?: ; [^\\]+?)?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)


def pin_lines(tier: str) -> list[str]:
    """A file's requirements, each on one line, without comments."""
    text = (ROOT / "requirements" / f"{tier}.txt").read_text(encoding="utf-8")
    lines = (line.split("#")[0] for line in text.replace("\\\n", " ").splitlines())
    return [re.sub(r" +", " ", line).strip() for line in lines if line.strip()]


def pins(tier: str) -> dict[str, Version]:
    """Each pinned distribution and its version."""
    found = (PIN.fullmatch(line) for line in pin_lines(tier))
    return {match["name"]: Version(match["version"]) for match in found if match}


def test_the_tiers_are_the_files() -> None:
    assert sorted(path.stem for path in (ROOT / "requirements").glob("*.txt")) == sorted(TIERS)
    assert sorted(EXTRAS) == ["demo", "dev", "embedded", "lock"]


@pytest.mark.parametrize("tier", TIERS)
def test_every_requirement_is_an_exact_version_with_hashes(tier: str) -> None:
    unpinned = [line for line in pin_lines(tier) if not PIN.fullmatch(line)]
    assert unpinned == []
    assert len(pins(tier)) == len(pin_lines(tier))


@pytest.mark.parametrize("tier", TIERS)
def test_pins_satisfy_what_the_project_asks_for(tier: str) -> None:
    pinned = pins(tier)
    for wanted in map(Requirement, TIERS[tier] + BACKEND):
        version = pinned.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted.name} is not in requirements/{tier}.txt: run make lock"
        assert wanted.specifier.contains(version), f"{wanted} is pinned at {version}: run make lock"


def test_tiers_agree_so_that_one_environment_holds_them_all() -> None:
    dev = pins("dev")
    for tier in ("runtime", "demo"):
        assert {name: dev.get(name) for name in pins(tier)} == pins(tier)


@pytest.mark.parametrize("tier", ["runtime", "demo", "dev"])
@pytest.mark.parametrize(("name", "floor"), [("starlette", "1.3.1"), ("python-multipart", "0.0.27")])
def test_versions_with_known_holes_are_out(tier: str, name: str, floor: str) -> None:
    assert pins(tier)[name] >= Version(floor)


def test_the_pins_leave_the_choice_of_a_registry_to_the_user() -> None:
    for tier in TIERS:
        text = (ROOT / "requirements" / f"{tier}.txt").read_text(encoding="utf-8")
        assert not re.search(r"://|index-url|find-links|trusted-host", text), tier


def tracked_files() -> list[Path]:
    """What a clone gets: the files that git tracks."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a clone to tell which files are tracked")
    return [ROOT / name for name in listed.split("\0") if name]


# Written in pieces, so that this file does not name them either.
HOSTS = [
    "pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "npm" + "mirror.com",
]  # fmt: skip
# A home folder, the folders that build machines check out into, a scratch folder.
MACHINE = re.compile(
    r"(?<![\w.})\]])/(?:home|Users|" + "work" + r"|workspace|builds)/[\w.-]+|/tmp" + r"/\w/|/root" + r"/[\w.]"
)


def test_no_tracked_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    named = []
    for path in tracked_files():
        if not path.is_file():  # removed, but not yet committed so
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if any(host in line for host in HOSTS) or MACHINE.search(line) or str(ROOT) in line:
                named.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert named == []


def imported_modules(folder: str) -> Iterator[tuple[str, Path]]:
    """Every top-level name that a folder's code imports, with the file that does."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.split(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0], path


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("app", ["embedded", "demo"]),
        ("alembic", []),
        ("bench", ["embedded", "demo", "dev"]),
        ("scripts", ["dev"]),
        ("tests", ["embedded", "demo", "dev"]),
    ],
)
def test_every_import_is_a_declared_dependency(folder: str, extras: list[str]) -> None:
    declared = {
        Requirement(line).name for line in RUNTIME + [line for name in extras for line in EXTRAS[name]]
    }
    allowed = {canonicalize_name(name) for name in declared}
    own = {"app", "bench", "tests"}
    providers = packages_distributions()
    undeclared = [
        f"{path.relative_to(ROOT)}: {module}"
        for module, path in imported_modules(folder)
        if module not in sys.stdlib_module_names
        and module not in own
        and not allowed & {canonicalize_name(name) for name in providers.get(module, [])}
    ]
    assert undeclared == []


def test_the_domain_contract_forbids_every_dependency() -> None:
    contracts = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
    forbidden = set(contracts["pure-domain"]["forbidden_modules"])
    declared = RUNTIME + EXTRAS["embedded"] + EXTRAS["demo"]
    wanted = {canonicalize_name(Requirement(line).name) for line in declared}
    modules = {
        module
        for module, providers in packages_distributions().items()
        if wanted & {canonicalize_name(name) for name in providers}
        and not module.startswith("_")
        and module.isidentifier()
    }
    assert modules - forbidden == set()


def test_the_licence_is_the_one_declared() -> None:
    assert PROJECT["project"]["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
