"""The page that says which case is proved where names tests that exist, and leaves no case out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from aios_connect.testing.conformance import Conformance

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (\d+) \| (.+?) \| (.+) \|$", (ROOT / "docs/reference/conformance.md").read_text(encoding="utf-8"), re.MULTILINE
)


@cache
def written_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def unknown(proofs: str) -> list[str]:
    """Of the tests that are named, those that are nowhere."""
    named = re.findall(r"`((?:[\w/]+\.py::)?test_\w+)`", proofs)
    return [
        name
        for name, (path, _, test) in ((name, name.rpartition("::")) for name in named)
        if (test not in written_in(path) if path else not hasattr(Conformance, test))
    ]


def test_no_case_is_left_out() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 48))


@pytest.mark.parametrize(("number", "case", "proofs"), ROWS, ids=[number for number, _, _ in ROWS])
def test_every_case_names_tests_that_exist(number: str, case: str, proofs: str) -> None:
    assert "test_" in proofs
    assert unknown(proofs) == []


def test_a_test_that_is_nowhere_is_found() -> None:
    here = "tests/conformance/test_cases.py"
    assert unknown(f"`test_nobody_wrote_this`, `{here}::test_nor_this`, `{here}::test_no_case_is_left_out`") == [
        "test_nobody_wrote_this",
        f"{here}::test_nor_this",
    ]
