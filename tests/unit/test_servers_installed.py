"""A server from the package index is installed though the network fails for a moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shlex import quote

import pytest

from aios_connect.testing.servers import running
from aios_connect.testing.servers.running import installed, nobody


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose installer says how often it was asked, and fails as often as the file ``fails`` has letters."""
    installer = tmp_path / "machine" / "bin" / "uv"
    installer.parent.mkdir(parents=True)
    program = installer.with_suffix(".py")
    program.write_text(
        "import pathlib, sys\n"
        "fails = pathlib.Path(__file__).with_name('fails')\n"
        "left = len(fails.read_text())\n"
        "fails.write_text('x' * (left - 1))\n"
        "print('the index does not answer,', left, 'to go')\n"
        "sys.exit(left > 0)\n"
    )
    installer.write_text(f'#!/bin/sh\nexec {quote(sys.executable)} {quote(str(program))} "$@"\n')  # there may be blanks in both
    installer.chmod(0o755)
    (tmp_path / "pins.txt").write_text("some-server==1.0\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "machine"))
    monkeypatch.setenv("AIOS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(running, "_PAUSES", (0.0, 0.0))
    return installer.parent


def test_an_index_that_fails_twice_is_asked_a_third_time(machine: Path, tmp_path: Path) -> None:
    (machine / "fails").write_text("xx")
    programs = installed("A server", tmp_path / "pins.txt", nobody)
    assert (programs.parents[1] / "installed").exists()


def test_an_index_that_goes_on_failing_is_quoted(machine: Path, tmp_path: Path) -> None:
    (machine / "fails").write_text("xxxxx")
    with pytest.raises(RuntimeError, match="A server could not be installed:\nthe index does not answer, 3 to go"):
        installed("A server", tmp_path / "pins.txt", nobody)
    assert not list((tmp_path / "cache").glob("*/installed"))


def test_a_server_can_be_made_before_our_own_packages_are_there() -> None:
    """The demo does, on a new machine: nothing but the standard library and this project's own modules."""
    source = Path(__file__).parents[2] / "src"
    told = (
        "import sys; sys.path.insert(0, sys.argv[1]); import aios_connect.testing.servers.__main__ as made; print(made.__name__)"
    )
    command = [sys.executable, "-I", "-S", "-c", told, str(source)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "aios_connect.testing.servers.__main__", ran.stderr
