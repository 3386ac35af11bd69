"""The doors that the README shows open: its Python is run as it stands there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(word: str) -> list[str]:
    """The blocks of Python that use a word."""
    return [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if word in block]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The office's sheet and the CRM's, as the README has them."""
    shutil.copytree(ROOT / "tests" / "docs" / "README", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_project_people_are_read_and_one_is_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "aios-connect.toml").unlink()
    (block,) = blocks("connect(")
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "Ann ann@example.org +15035550142",
        "Bo bo@example.org None",
        "[]",
        "written",
    ]
    assert "P-2,Bo,Ray,bo@example.org,+1 503-555-0177" in (project / "office" / "people.csv").read_text(encoding="utf-8")


def test_with_a_project_companies_are_read_and_a_person_is_made(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("Project.find(")
    exec(compile(block, "README.md", "exec"), {})
    company, receipt = capsys.readouterr().out.splitlines()
    assert company == "Harbor Lane Montessori Portland"
    assert receipt.startswith("written person_")
    assert (project / "crm" / "people.csv").read_text(encoding="utf-8").count("Ann,Lee") == 2


def test_both_doors_are_about_ten_lines() -> None:
    for block in blocks("connect(") + blocks("Project.find("):
        assert len(block.splitlines()) <= 11
