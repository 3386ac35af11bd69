"""Two offices, each with its own sheet, kept in step by the engine: what people do to rows, and what comes of it on the other side."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from aios_connect.project import Project
from aios_connect.sync import (
    ApplyReport,
    PlanSummary,
    apply_plan,
    make_plan,
    make_undo,
    open_exceptions,
    read_job,
    reconcile,
    settle,
)

SETTINGS = """
[connections.north]
provider = "csv"
folder = "north"
key = "Ref"

[connections.south]
provider = "csv"
folder = "south"
key = "Ref"
"""
JOB = """
job: offices
connections: [north, south]
kinds:
  company: {create: [north, south]}
  person: {create: [north, south], deletes: DELETES}
"""
COMPANIES = "Ref,Company,City\n"
PEOPLE = "Ref,First name,Last name,Email,Mobile,Company\n"


class Offices:
    """A project with two folders of sheets, and the engine on it."""

    def __init__(self, folder: Path, deletes: str = "ask") -> None:
        self.folder = folder
        self.reads = 0
        (folder / "sync" / "jobs").mkdir(parents=True)
        (folder / "sync" / "jobs" / "offices.yaml").write_text(JOB.replace("DELETES", deletes))
        (folder / "aios-connect.toml").write_text(SETTINGS)
        for office in ("north", "south"):
            (folder / office).mkdir()
            self.write(office, "companies", COMPANIES)
            self.write(office, "people", PEOPLE)
        self.project = Project(folder / "aios-connect.toml", environment={})
        self.job = self.project.job("offices")
        self.connections = self.project.connections_of(self.job)
        self.store = self.project.store()

    def write(self, office: str, sheet: str, text: str) -> None:
        (self.folder / office / f"{sheet}.csv").write_text(text, encoding="utf-8")

    def replace(self, office: str, old: str, new: str) -> None:
        path = self.folder / office / "people.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def text(self, office: str, sheet: str = "people") -> str:
        return (self.folder / office / f"{sheet}.csv").read_text(encoding="utf-8")

    def says(self, office: str) -> list[dict[str, str]]:
        """The people of a sheet, without their keys, by name."""
        with (self.folder / office / "people.csv").open(encoding="utf-8", newline="") as file:
            rows = [{name: cell for name, cell in row.items() if name != "Ref"} for row in csv.DictReader(file)]
        return sorted(rows, key=lambda row: (row["Last name"], row["First name"]))

    def read(self) -> None:
        self.reads += 1
        read_job(self.job, self.connections, self.store, run=f"read_{self.reads}", now=self.project.now)

    def plan(self) -> PlanSummary:
        self.read()
        return make_plan(self.job, self.connections, self.store, self.folder / "plan.jsonl", now=self.project.now)

    def apply(self) -> ApplyReport:
        summary = self.plan()
        return apply_plan(summary.path, self.job, self.connections, self.store, now=self.project.now)

    def undo(self, run: str) -> ApplyReport:
        self.read()
        summary = make_undo(run, self.job, self.connections, self.store, self.folder / "undo.jsonl", now=self.project.now)
        return apply_plan(summary.path, self.job, self.connections, self.store, now=self.project.now)


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Offices]:
    made = Offices(tmp_path)
    made.write("north", "companies", COMPANIES + "C-1,Kestrel Logistics,Tualatin\n")
    made.write(
        "north",
        "people",
        PEOPLE + "P-1,Ann,Lee,ann@example.org,+1 503-555-0101,Kestrel Logistics\nP-2,Bo,Ray,bo@example.org,,\n",
    )
    assert made.apply().clean
    yield made
    made.project.close()


def test_what_one_office_has_the_other_gets_and_then_there_is_nothing_to_do(offices: Offices) -> None:
    assert offices.says("south") == offices.says("north")
    assert offices.plan().empty


def test_edits_cross_and_both_sheets_keep_every_other_byte(offices: Offices) -> None:
    north, south = offices.text("north"), offices.text("south")
    offices.replace("north", "ann@example.org", "ann@example.net")
    offices.replace("south", "Bo,Ray,bo@example.org,", "Bo,Ray,bo@example.org,+1 503-555-0102")
    report = offices.apply()
    assert (report.written, report.clean) == (2, True)
    assert offices.text("north") == north.replace("ann@example.org", "ann@example.net").replace(
        "bo@example.org,", "bo@example.org,+1 503-555-0102"
    )
    assert offices.text("south") == south.replace("ann@example.org", "ann@example.net").replace(
        "bo@example.org,", "bo@example.org,+1 503-555-0102"
    )
    assert offices.plan().empty


def test_a_row_that_somebody_typed_reaches_the_other_office(offices: Offices) -> None:
    offices.write("south", "people", offices.text("south") + ",Cy,Fox,cy@example.org,,Kestrel Logistics\n")
    assert offices.apply().clean
    assert offices.says("north") == offices.says("south")
    assert offices.plan().empty
    offices.replace("north", "cy@example.org,", "cy@example.org,+1 503-555-0103")
    assert offices.apply().clean
    typed = next(line for line in offices.text("south").splitlines() if "Cy,Fox" in line)
    assert typed.split(",")[0]  # it was written to, so it has a key now
    assert offices.says("north") == offices.says("south")
    assert offices.plan().empty


def test_a_field_that_both_changed_waits_for_a_person_who_decides_once(offices: Offices) -> None:
    offices.replace("north", "+1 503-555-0101", "+1 503-555-0111")
    offices.replace("south", "+1 503-555-0101", "+1 503-555-0122")
    assert offices.apply().written == 0
    (waiting,) = open_exceptions(offices.store)
    assert (waiting.leaf, waiting.choices) == ("phones.mobile", {"north": "+15035550111", "south": "+15035550122"})
    settle(offices.store, waiting.id, by="Nora", now=offices.project.now(), take="south")
    assert offices.apply().written == 1
    assert "+1 503-555-0122" in offices.text("north")
    assert offices.plan().empty


def test_an_undo_leaves_both_sheets_as_they_were_to_the_byte(offices: Offices) -> None:
    offices.replace("north", "ann@example.org", "ann@example.net")
    offices.write("north", "people", offices.text("north") + "P-3,Cy,Fox,cy@example.org,,\n")
    offices.replace("south", "Bo,Ray,bo@example.org,", "Bo,Ray,bo@example.org,+1 503-555-0102")
    before = offices.text("north"), offices.text("south")
    report = offices.apply()
    assert report.written == 3
    assert offices.undo(report.run).clean
    assert (offices.text("north"), offices.text("south")) == before


def test_a_row_that_is_deleted_is_asked_about(offices: Offices) -> None:
    gone = next(line for line in offices.text("south").splitlines(keepends=True) if "bo@" in line)
    offices.write("south", "people", offices.text("south").replace(gone, ""))
    assert offices.apply().written == 0
    (waiting,) = open_exceptions(offices.store)
    assert (waiting.code, waiting.summary.startswith("Bo Ray")) == ("deleted_elsewhere", True)
    settle(offices.store, waiting.id, by="Nora", now=offices.project.now(), take="delete")
    assert offices.apply().written == 1
    assert [row["First name"] for row in offices.says("north")] == ["Ann"]


def test_a_corrected_row_without_a_key_is_never_taken_for_a_deleted_one(tmp_path: Path) -> None:
    offices = Offices(tmp_path, deletes="follow")
    offices.write("north", "people", PEOPLE + ",Nina,Park,nina@kettle.example.com,,\n")
    offices.apply()
    offices.write("north", "people", PEOPLE + ",Nina,Park,nina.park@kettle.example.com,,\n")
    offices.apply()
    assert "Nina" in offices.text("south")


def test_nothing_is_taken_for_deleted_while_a_row_cannot_be_read(tmp_path: Path) -> None:
    offices = Offices(tmp_path, deletes="follow")
    offices.write("north", "people", PEOPLE + "P-1,Ann,Lee,ann@example.org,,\nP-2,Bo,Ray,bo@example.org,,\n")
    offices.apply()
    offices.write("north", "people", PEOPLE + "P-1,Ann,Lee,ann@example.org,,\nP-2,Bo,Ray bo@example.org,\n")
    assert offices.apply().written == 0
    offices.write("north", "people", PEOPLE + "P-1,Ann,Lee,ann@example.org,,\n")
    assert offices.apply().written == 1
    assert [row["First name"] for row in offices.says("south")] == ["Ann"]
    offices.project.close()


def test_sorting_and_moving_columns_is_no_change(offices: Offices) -> None:
    offices.write(
        "north",
        "people",
        "Email,Company,Ref,Mobile,Last name,First name\n"
        "bo@example.org,,P-2,,Ray,Bo\nann@example.org,Kestrel Logistics,P-1,+1 503-555-0101,Lee,Ann\n",
    )
    assert offices.plan().empty


def test_a_column_that_is_gone_clears_nothing_on_the_other_side(offices: Offices) -> None:
    south = offices.text("south")
    offices.write("north", "people", "Ref,First name,Last name,Email,Company\nP-1,Ann,Lee,ann@example.org,Kestrel Logistics\n")
    offices.write("north", "people", offices.text("north") + "P-2,Bo,Ray,bo@example.org,\n")
    offices.apply()
    assert offices.text("south") == south


def test_reconcile_finds_what_was_edited_since(offices: Offices) -> None:
    found = reconcile(offices.job, offices.connections, offices.store, now=offices.project.now)
    assert all(drift.clean for drift in found)
    offices.replace("south", "ann@example.org", "ann@example.net")
    drifts = reconcile(offices.job, offices.connections, offices.store, now=offices.project.now)
    assert {f"{drift.connection} {drift.object}": len(drift.stale) for drift in drifts if not drift.clean} == {"south people": 1}
