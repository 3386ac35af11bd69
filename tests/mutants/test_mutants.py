"""The conformance suite, measured: every way to break the reference connector makes a test red whose name says why."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aios_connect.testing.conformance import Conformance

from .catalogue import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
REFERENCE = "tests/conformance/test_plain.py"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes below keep what they have compiled, so that each starts fast."""
    return tmp_path_factory.mktemp("compiled")


def tried(compiled: Path, *words: str, edit: tuple[str, str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The suite on the reference connector, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS")}
    environment |= {"PYTHONPYCACHEPREFIX": str(compiled), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment |= {"AIOS_EDIT": json.dumps(edit)} if edit else {}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--noconftest",
        "-p",
        "tests.mutants.planting",
        "-p",
        "no:cacheprovider",
        "--tb=line",
    ]
    with TemporaryDirectory() as own:  # pytest tidies the folder that all of its processes share, each as it ends
        return subprocess.run(
            [*command, f"--basetemp={own}/of-this-one", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def source(module: str) -> Path:
    found = find_spec(module)
    assert found is not None and found.origin is not None
    return Path(found.origin)


def test_there_are_enough_of_them_and_no_two_are_alike() -> None:
    assert len(MUTANTS) >= 60
    assert len({(one.module, one.old, one.new) for one in MUTANTS}) == len(MUTANTS)
    assert len({one.what for one in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_every_edit_fits_its_text_and_names_tests_that_exist(mutant: Mutant) -> None:
    text = source(mutant.module).read_text("utf-8")
    assert f"\n{text}".count(f"\n{mutant.old}") == 1
    compile(f"\n{text}".replace(f"\n{mutant.old}", f"\n{mutant.new}"), mutant.module, "exec", dont_inherit=True)
    assert [name for name in mutant.seen_by if not hasattr(Conformance, name)] == []


def test_no_test_of_the_suite_knows_of_a_mutant() -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "src/aios_connect/testing/conformance").glob("*.py")]
    assert not [one.what for one in MUTANTS if any(one.what in text or "AIOS_EDIT" in text for text in texts)]


@pytest.mark.mutants
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_it_is_seen(compiled: Path, mutant: Mutant) -> None:
    """Only the tests that are named are run: others may see it too, but these say why."""
    tests = f"tests/conformance/test_{mutant.on}.py"
    done = tried(compiled, "-k", " or ".join(mutant.seen_by), tests, edit=(mutant.module, mutant.old, mutant.new))
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-1000:]
    failed = set(re.findall(r"^FAILED \S+::(test_\w+)", done.stdout, re.MULTILINE))
    assert failed == set(mutant.seen_by), done.stdout[-3000:]
    assert not re.search(r"(NameError|ImportError|UnboundLocalError|AttributeError): ", done.stdout), "it does not even run"


@pytest.mark.mutants
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_seen_where_nothing_is_broken_in_whatever_order(compiled: Path, seed: int) -> None:
    done = tried(compiled, "-p", "pytest_randomly", f"--randomly-seed={seed}", REFERENCE)
    assert done.returncode == 0, done.stdout[-3000:]
