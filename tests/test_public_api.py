"""The public face: what is promised is there, is typed, and costs nothing until it is used."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import aios_connect
from aios_connect import errors

PROMISED = {
    "connection": {"Connection", "Reading", "connect"},
    "connectors.contract": {"Quarantined", "Receipt", "Tombstone"},
    "errors": set(errors.__all__),
    "model": {"Activity", "Company", "Deal", "Event", "ExternalRef", "Intake", "Money", "Person", "Record", "Task", "User"},
    "project": {"Project"},
}
"""Module -> what integrators take from the public face. A name that leaves this list breaks somebody."""


def test_everything_promised_is_in_the_public_face_and_nothing_else() -> None:
    assert sorted(aios_connect.__all__) == sorted(name for names in PROMISED.values() for name in names)
    assert set(dir(aios_connect)) == set(aios_connect.__all__)


@pytest.mark.parametrize("module", PROMISED)
def test_every_public_name_is_the_one_of_its_module(module: str) -> None:
    home = importlib.import_module(f"aios_connect.{module}")
    for name in PROMISED[module]:
        assert getattr(aios_connect, name) is getattr(home, name)


def test_every_public_name_says_what_it_is() -> None:
    assert [name for name in aios_connect.__all__ if not inspect.getdoc(getattr(aios_connect, name))] == []


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        aios_connect.conect  # type: ignore[attr-defined] # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(str(aios_connect.__file__)).read_text(encoding="utf-8"))
    (typed,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = [alias.name for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(seen) == sorted(aios_connect.__all__)


def test_importing_the_package_loads_no_library() -> None:
    code = "import sys, aios_connect; print(*sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    done = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split()) - {"__main__", "sitecustomize", "usercustomize"}
    assert {name for name in loaded if not name.startswith("_")} == {"aios_connect"}
