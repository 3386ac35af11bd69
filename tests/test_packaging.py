"""One version, one extra and one entry point per connector; the wheel carries the reference project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(p.parent for p in ROOT.glob("connectors/*/pyproject.toml"))


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


CORE = read(ROOT / "pyproject.toml")["project"]
TOOL = read(ROOT / "pyproject.toml")["tool"]


def test_there_are_connectors() -> None:
    assert {folder.name for folder in FOLDERS} >= {"csv", "tryton"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_a_connector_is_packaged_in_step(folder: Path) -> None:
    project = read(folder / "pyproject.toml")["project"]
    slug, module = folder.name, f"aios_connect_{folder.name}"
    assert project["name"] == f"aios-connect-{slug}"
    assert project["version"] == CORE["version"]
    assert project["license"] == CORE["license"]
    assert f"aios-connect=={CORE['version']}" in project["dependencies"]
    assert list(project["entry-points"]["aios_connect.connectors"]) == [slug]
    assert project["entry-points"]["aios_connect.connectors"][slug].startswith(f"{module}:")
    assert CORE["optional-dependencies"][slug] == [f"{project['name']}=={CORE['version']}"]
    assert slug in CORE["optional-dependencies"]["all"][0]
    assert TOOL["uv"]["sources"][project["name"]] == {"workspace": True}
    assert module in TOOL["importlinter"]["root_packages"]
    assert (folder / "src" / module / "py.typed").exists()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_what_a_connector_needs_is_pinned(folder: Path) -> None:
    needs = [need for need in read(folder / "pyproject.toml")["project"]["dependencies"] if not need.startswith("aios-connect==")]
    pinned = (ROOT / "constraints.txt").read_text("utf-8")
    assert [need for need in needs if f"\n{re.split('[<>=~ ]', need)[0]}==" not in pinned] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_a_connector_has_mappings_and_a_readme(folder: Path) -> None:
    assert list((ROOT / "mappings" / folder.name).glob("*.yaml"))
    assert len((folder / "README.md").read_text("utf-8").splitlines()) > 10


def test_every_dependency_says_why_it_is_here() -> None:
    block = (ROOT / "pyproject.toml").read_text("utf-8").partition("dependencies = [")[2].partition("[project.scripts]")[0]
    named = [line for line in block.splitlines() if line.strip().startswith('"') and "aios-connect" not in line]
    assert named
    assert [line for line in named if "#" not in line] == []


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-dev.txt"])
def test_pins_have_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    pins = [line for line in text.splitlines() if "==" in line]
    assert len(pins) > 30
    assert "://" not in text
    assert all(line.rstrip().endswith("\\") for line in pins)


def test_no_lock_file_with_addresses_is_tracked() -> None:
    assert "uv.lock" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
