"""The reference pages say what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from aios_connect.cli.reference import PAGES
from aios_connect.connection.settings import settings_of
from aios_connect.connectors.registry import available, load
from aios_connect.model import KINDS, leaves

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as the code would have them now."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, "-m", "aios_connect.cli.reference", folder], check=True)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_fits_the_code(written: Path, name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == (written / name).read_text(encoding="utf-8")


def test_a_stale_page_is_named(written: Path, tmp_path: Path) -> None:
    copytree(written, tmp_path, dirs_exist_ok=True)
    (tmp_path / "exit-codes.md").write_text("# Exit codes\n", encoding="utf-8")
    command = [sys.executable, "-m", "aios_connect.cli.reference", str(tmp_path), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path / 'exit-codes.md'} does not fit the code\nhint: make docs\n"


def test_every_other_reference_page_is_written_from_the_code(written: Path) -> None:
    by_hand = ["conformance.md"]  # held by tests/conformance/test_cases.py
    assert names_in(REFERENCE) == sorted([*by_hand, *names_in(written)])


def names_in(folder: Path) -> list[str]:
    return sorted(str(page.relative_to(folder)) for page in folder.rglob("*.md"))


@pytest.mark.parametrize("provider", available())
def test_a_consent_in_a_browser_is_told_only_of_those_that_have_an_address_for_it(written: Path, provider: str) -> None:
    page = (written / "connectors" / f"{provider}.md").read_text(encoding="utf-8")
    by_code = [auth for auth in load(provider).spec.auth if auth.kind == "oauth2" and auth.grant == "code"]
    assert ("A person consents in a browser" in page) == any(auth.authorize_url for auth in by_code)
    assert ("asks for a refresh token" in page) == any(not auth.authorize_url for auth in by_code)


@pytest.mark.parametrize("provider", available())
def test_what_a_list_of_ids_costs_is_told_of_those_that_find_deletes_by_it(written: Path, provider: str) -> None:
    page = (written / "connectors" / f"{provider}.md").read_text(encoding="utf-8")
    scanned = any(one.deletes == "scan" for one in load(provider).spec.objects.values())
    assert ("by a list of all ids, with every read of a job" in page) == scanned
    assert ("A list of all ids costs as many calls" in page) == scanned


@pytest.mark.parametrize("provider", available())
def test_all_that_a_connector_says_of_itself_stands_on_its_page(written: Path, provider: str) -> None:
    page, spec = (written / "connectors" / f"{provider}.md").read_text(encoding="utf-8"), load(provider).spec
    said = [
        spec.proof,
        spec.docs,
        *(auth.help for auth in spec.auth),
        *(f"`{scope}`" for auth in spec.auth for scope in auth.scopes),
    ]
    said += [f"| `{one.name}` | {one.help} |" for one in settings_of(spec)]
    said += [f"| `{name}` | {one.title} | " for name, one in spec.objects.items()]
    said += [f"| {one.calls:,} | " for one in spec.limits]
    assert [one for one in said if one not in page] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_leaf_says_what_it_means(kind: str) -> None:
    for leaf in leaves(kind).values():
        assert leaf.meaning.endswith("."), leaf
        assert leaf.meaning[0].isupper(), leaf


@pytest.mark.parametrize("kind", KINDS)
def test_every_leaf_stands_on_the_page_of_the_model_with_its_type_and_meaning(written: Path, kind: str) -> None:
    page = (written / "model.md").read_text(encoding="utf-8")
    rows = page.partition(f"## {kind}\n")[2].partition("\n## ")[0]
    for leaf in leaves(kind).values():
        assert f"| `{leaf.name}` | {leaf.type}{f' to {leaf.to}' if leaf.to else ''} | {leaf.meaning}" in rows
        assert all(f"`{code}`" in rows for code in leaf.choices)
