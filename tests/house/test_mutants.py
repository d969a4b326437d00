"""The mutants of `make mutants` still fit the tree: each patch applies, and each test is there."""

import ast
import shutil
from pathlib import Path

import pytest

from tests.mutants.__main__ import apply
from tests.mutants.catalogue import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_patch_applies_to_python_that_stays_python(mutant: Mutant, tmp_path: Path) -> None:
    for file in {patch.file for patch in mutant.patches}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for path, text in apply(tmp_path, mutant.patches):
        assert path.read_text() != text
        ast.parse(path.read_text())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_names_a_test(mutant: Mutant) -> None:
    file, _, name = mutant.test.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name.partition("[")[0] in functions
