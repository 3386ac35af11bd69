"""The doors that the README shows open: its Python is run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PEOPLE = "id,First name,Last name,Email,Mobile\n1,Ann,Lee,ann@example.org,+44 20 7946 0000\n2,Bo,Ray,bo@example.org,\n"
COMPANIES = "id,Company,City\n1,Harbor Lane Montessori,Portland\n"


def blocks(word: str) -> list[str]:
    """The blocks of Python that use a word."""
    return [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if word in block]


@pytest.fixture
def sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sheets"
    folder.mkdir()
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (folder / "companies.csv").write_text(COMPANIES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def test_without_a_project_people_are_read_and_one_is_changed(sheets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("connect(")
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "Ann ann@example.org +442079460000",
        "Bo bo@example.org None",
        "[]",
        "written",
    ]
    assert "2,Bo,Ray,bo@example.org,+44 20 7946 0958" in (sheets / "people.csv").read_text(encoding="utf-8")


def test_with_a_project_companies_are_read_and_a_person_is_made(sheets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sheets.parent / "aios-connect.toml").write_text('[connections.crm]\nprovider = "csv"\nfolder = "sheets"\n', encoding="utf-8")
    (block,) = blocks("Project.find(")
    exec(compile(block, "README.md", "exec"), {})
    company, receipt = capsys.readouterr().out.splitlines()
    assert company == "Harbor Lane Montessori Portland"
    assert receipt.startswith("written person_")
    assert (sheets / "people.csv").read_text(encoding="utf-8").count("Ann,Lee") == 2


def test_both_doors_are_about_ten_lines() -> None:
    for block in blocks("connect(") + blocks("Project.find("):
        assert len(block.splitlines()) <= 11
