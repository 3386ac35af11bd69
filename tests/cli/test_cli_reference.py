"""The reference pages say what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as the code would have them now."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, "-m", "aios_connect.cli.reference", folder], check=True)
    return folder


@pytest.mark.parametrize("name", ["cli.md", "exit-codes.md"])
def test_a_reference_page_fits_the_code(written: Path, name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == (written / name).read_text(encoding="utf-8")


def test_a_stale_page_is_named(written: Path, tmp_path: Path) -> None:
    for page in written.iterdir():
        (tmp_path / page.name).write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "exit-codes.md").write_text("# Exit codes\n", encoding="utf-8")
    command = [sys.executable, "-m", "aios_connect.cli.reference", str(tmp_path), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path / 'exit-codes.md'} does not fit the code\nhint: make docs\n"
