"""The Python that BottleCRM's server needs is looked for by running what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from aios_connect.testing.servers.interpreters import python_of

VERSION = "3.99"


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it but what a test puts there."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def answering(path: Path, version: str = VERSION) -> Path:
    return program(path, f"echo '{version} {path}'")


def test_one_on_the_path_that_refuses_is_passed_over(machine: Path) -> None:
    program(machine / "one" / f"python{VERSION}", "echo 'command not found' >&2; exit 127")
    good = answering(machine / "two" / f"python{VERSION}")
    assert python_of(VERSION) == str(good)


def test_one_of_pyenvs_is_found_though_its_command_refuses(machine: Path) -> None:
    program(machine / "one" / f"python{VERSION}", "exit 127")
    good = answering(machine / "pyenv" / "versions" / f"{VERSION}.1" / "bin" / f"python{VERSION}")
    assert python_of("3.98", VERSION) == str(good)


def test_one_that_says_it_is_another_version_is_not_taken(machine: Path) -> None:
    answering(machine / "one" / f"python{VERSION}", version="3.11")
    with pytest.raises(RuntimeError):
        python_of(VERSION)


def test_where_there_is_none_it_is_said_what_to_install(machine: Path) -> None:
    with pytest.raises(RuntimeError, match=r"no Python 3\.99 or 3\.98 here.*uv python install 3\.99") as caught:
        python_of(VERSION, "3.98")
    assert "pyenv install" in str(caught.value)
