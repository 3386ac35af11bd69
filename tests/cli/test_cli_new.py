"""aios new connector: what it lays down is green as it lies there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aios_connect.cli.scaffolding import new
from aios_connect.errors import ConfigError


@pytest.fixture
def laid(tmp_path: Path) -> Path:
    folder = tmp_path / "aios-connect-big_crm"
    new("connector", "big_crm", folder)
    return folder


def test_its_tests_are_green_without_being_installed(laid: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment |= {"PYTHONPATH": "src", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'own'}"]
    done = subprocess.run(command, cwd=laid, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


def test_it_is_a_distribution_that_announces_its_connector(laid: Path) -> None:
    text = (laid / "pyproject.toml").read_text("utf-8")
    assert 'name = "aios-connect-big_crm"' in text
    assert 'big_crm = "aios_connect_big_crm:BigCrm"' in text
    assert (laid / "src/aios_connect_big_crm/py.typed").exists()
    assert (laid / "mappings/big_crm/contacts.yaml").exists()
    assert (laid / "cassettes/big_crm").is_dir()


def test_no_place_for_a_word_is_left_open(laid: Path) -> None:
    assert [path for path in laid.rglob("*") if path.is_file() and "{{" in path.read_text("utf-8")] == []


def test_it_is_as_well_kept_as_the_rest(laid: Path) -> None:
    settings = Path(__file__).parents[2] / "pyproject.toml"
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--config",
        str(settings),
        "--select",
        "E,F,W,I,B,UP,PTH",
        "src",
    ]
    done = subprocess.run(command, cwd=laid, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_that_is_there_is_written_over(laid: Path) -> None:
    with pytest.raises(ConfigError, match="there is something in"):
        new("connector", "big_crm", laid)


@pytest.mark.parametrize("name", ["Acme", "big-crm", "1st", "class", "", "a__b", "café"])
def test_a_name_that_python_cannot_import_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no name for a connector") as caught:
        new("connector", name, tmp_path / "new")
    assert "such as acme" in caught.value.hint
    assert not (tmp_path / "new").exists()
