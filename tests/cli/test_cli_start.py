"""A command loads what it needs and no more: modules are counted, not seconds."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import OFFICE, Aios

PARSERS = {"phonenumbers", "email_validator"}


def loaded(folder: Path, *words: str) -> set[str]:
    """The modules that a command has loaded at its end, in a process of its own."""
    code = "import sys; from aios_connect.cli import main; code = main(sys.argv[1:]); print('|', *sys.modules); sys.exit(code)"
    environment = {**os.environ, "AIOS_KEY_FILE": str(folder / "key")}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("|")[2].split())


def test_asking_the_store_loads_no_mapping_and_no_network(sheets: Path) -> None:
    modules = loaded(sheets, "exceptions")
    assert "aios_connect.store.engine" in modules
    assert not modules & {"aios_connect.mappings.compile", "alembic", "httpx2", "keyring", "rich.progress", *PARSERS}


def test_mappings_are_tried_by_the_first_command_and_not_by_the_next(sheets: Path) -> None:
    for name in ("office", "field"):
        (sheets / name / "people.csv").write_text(OFFICE.partition("\n")[0] + "\n", encoding="utf-8")
    assert loaded(sheets, "plan", "two-sheets") >= PARSERS
    again = loaded(sheets, "plan", "two-sheets")
    assert "aios_connect.mappings.compile" in again
    assert not again & PARSERS


@pytest.mark.parametrize(("words", "code"), [(["connectors"], 0), (["connectors", "--nonsense"], 2), (["nonsense"], 2)])
def test_garbage_is_collected_again_once_a_command_is_loaded(aios: Aios, words: list[str], code: int) -> None:
    assert aios(*words).code == code
    assert gc.isenabled()
