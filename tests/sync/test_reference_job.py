"""The reference job, HubSpot and Tryton: it loads, it fits the shipped mappings, and the page about it shows the same job."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aios_connect.project import Project
from aios_connect.sync import Job, load_job

ROOT = Path(__file__).parents[2]
FILE = ROOT / "sync" / "jobs" / "hubspot-tryton.yaml"
PAGE = ROOT / "docs" / "how-to" / "keep-hubspot-and-tryton-in-step.md"


@pytest.fixture(scope="module")
def job() -> Job:
    return load_job(FILE)


def test_the_job_fits_the_shipped_mappings(tmp_path: Path) -> None:
    environment = {"AIOS_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}"}
    with Project(ROOT / "aios-connect.toml", environment=environment) as project:
        assert project.jobs == ("hubspot-tryton",)
        found = project.check(live=False)
    assert [finding for finding in found if finding.severity == "error"] == []
    assert any(finding.subject == "job hubspot-tryton" and finding.severity == "ok" for finding in found)


@pytest.mark.parametrize(
    ("kind", "leaf", "connection", "only"),
    [
        ("company", "name", "hubspot", False),
        ("company", "addresses.main.city", "tryton", False),
        ("company", "tax_id", "tryton", True),
        ("person", "emails.work", "", False),
        ("deal", "amount", "tryton", False),
        ("deal", "stage", "hubspot", False),
    ],
)
def test_each_field_has_somebody_with_the_last_word(job: Job, kind: str, leaf: str, connection: str, only: bool) -> None:
    who = job.kinds[kind].who_decides(leaf)
    assert (who.connection, who.only) == (connection, only)


def test_both_sides_make_what_the_other_has_and_nothing_is_deleted_unasked(job: Job) -> None:
    for kind in ("company", "person", "deal"):
        assert job.kinds[kind].create == ("hubspot", "tryton")
        assert job.kinds[kind].deletes == "ask"
    assert job.kinds["user"].create == ()


def test_the_page_shows_this_very_job(job: Job, tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```yaml\n(job: hubspot-tryton\n.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    copy = tmp_path / FILE.name
    copy.write_text(shown, encoding="utf-8")
    assert load_job(copy).digest == job.digest
