"""Salesforce and HubSpot kept in step by the engine, each on its fake: what people do on one side, and what comes of it on the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aios_connect_hubspot.sandbox import Hazards as Quiet
from aios_connect_hubspot.sandbox import HubSpotVendor
from aios_connect_salesforce.sandbox import SalesforceVendor, furnish

from aios_connect.connection import Connection, shipped_mappings
from aios_connect.mappings import load
from aios_connect.sandbox import SimClock
from aios_connect.store import Store
from aios_connect.sync import (
    ApplyReport,
    Caps,
    Job,
    KindRule,
    apply_plan,
    make_plan,
    make_undo,
    open_exceptions,
    read_job,
    settle,
)

from . import hubspot_office, salesforce_office

KINDS = ("company", "person")


class Pair:
    """An organisation with a company in it, and an empty account."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimClock()
        self.folder = folder
        self.left = furnish(SalesforceVendor(self.clock))
        self.right = HubSpotVendor(self.clock, hazards=Quiet(lag=0.0, latency=0.01))
        self.store = Store.open(f"sqlite:///{folder / 'store.db'}")
        salesforce = salesforce_office.connector(self.left)
        hubspot = hubspot_office.connector(self.right)
        self.connections = {
            "left": Connection(
                "left", salesforce, [load(shipped_mappings("salesforce") / f"{name}.yaml") for name in ("Account", "people")]
            ),
            "right": Connection(
                "right", hubspot, [load(shipped_mappings("hubspot") / f"{name}.yaml") for name in ("companies", "contacts")]
            ),
        }
        for connection in self.connections.values():
            connection.connector.provision()
        rule = KindRule(create=("left", "right"), deletes="ask")
        self.job = Job(
            job="pair",
            connections=("left", "right"),
            kinds=dict.fromkeys(KINDS, rule),
            caps=Caps(creates=1_000, updates=1_000, deletes=1_000),
        )

    def now(self) -> datetime:
        self.clock.sleep(0.001)
        return self.clock.now()

    def run(self) -> ApplyReport:
        plan, _ = self.plan()
        return apply_plan(plan, self.job, self.connections, self.store, now=self.now)

    def plan(self) -> tuple[Path, dict[str, int]]:
        """A plan from what is there now, and the calls it will cost on each side."""
        self.clock.sleep(3_600)
        at = self.now()
        plan = self.folder / f"plan{at:%d%H%M%S%f}.jsonl"
        read_job(self.job, self.connections, self.store, run=f"run_{at:%d%H%M%S%f}", now=self.now)
        summary = make_plan(self.job, self.connections, self.store, plan, now=self.now)
        return plan, summary.footer.calls

    def person(self, name: str) -> dict[str, Any]:
        """Somebody in Salesforce, lead or contact."""
        rows = [*self.left.records["Contact"], *self.left.records["Lead"]]
        return next(row for row in rows if row["LastName"] == name)

    def contact(self, name: str) -> Any:
        """Somebody in HubSpot."""
        return next(record for record in self.right.records["contacts"] if record.values["lastname"] == name)

    def undo(self, run: str) -> ApplyReport:
        plan = self.folder / "undo.jsonl"
        make_undo(run, self.job, self.connections, self.store, plan, now=self.now)
        return apply_plan(plan, self.job, self.connections, self.store, now=self.now)

    def everybody(self) -> tuple[dict[str, str | None], dict[str, str | None]]:
        """Who is on each side, with the job each has."""
        left = [*self.left.records["Contact"], *(row for row in self.left.records["Lead"] if not row["IsConverted"])]
        right = self.right.records["contacts"]
        return (
            {row["LastName"]: row["Title"] for row in left},
            {record.values["lastname"]: record.values.get("jobtitle") for record in right},
        )


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    report = made.run()
    assert report.clean
    assert open_exceptions(made.store) == []
    yield made
    made.store.close()


def test_what_salesforce_has_hubspot_gets_and_then_there_is_nothing_to_do(pair: Pair) -> None:
    left, right = pair.everybody()
    assert len(left) == 9
    assert left == right
    assert {record.values["name"] for record in pair.right.records["companies"]} == {
        row["Name"] for row in pair.left.records["Account"]
    }
    for _ in range(2):
        report = pair.run()
        assert (report.written, report.clean) == (0, True)


def test_edits_cross(pair: Pair) -> None:
    pair.left.people_change("Contact", pair.person("Zhao")["Id"], {"Title": "Head of facilities", "MobilePhone": "+4799887766"})
    pair.left.people_change("Lead", pair.person("Moe")["Id"], {"Title": "Baker"})
    pair.right.records["contacts"].change(pair.contact("Nair").id, {"jobtitle": "Office lead"}, by="a person")
    pair.right.records["contacts"].change(pair.contact("Lie").id, {"jobtitle": "Partner", "phone": "+4755550199"}, by="a person")
    report = pair.run()
    assert (report.written, report.clean) == (4, True)
    left, right = pair.everybody()
    assert left == right
    assert (left["Zhao"], left["Moe"], left["Nair"], left["Lie"]) == ("Head of facilities", "Baker", "Office lead", "Partner")
    assert pair.person("Lie")["Phone"] == "+47 55 55 01 99"
    assert pair.contact("Zhao").values["mobilephone"] == "+47 99 88 77 66"
    assert pair.run().written == 0


def test_a_plan_costs_what_it_says(pair: Pair) -> None:
    """Also where somebody goes to a company that the plan makes first."""
    for record in list(pair.right.records["contacts"]):
        pair.right.records["contacts"].change(record.id, {"jobtitle": "Partner"}, by="a person")
    account = pair.left.people_make("Account", {"Name": "Voss Bakery", "Website": "https://voss.example.com"})
    pair.left.people_change("Contact", pair.person("Zhao")["Id"], {"AccountId": account["Id"]})

    def taken(plan: Path) -> tuple[dict[str, int], str]:
        start = len(pair.left.log), len(pair.right.log)
        report = apply_plan(plan, pair.job, pair.connections, pair.store, now=pair.now)
        assert report.clean
        return {"left": len(pair.left.log) - start[0], "right": len(pair.right.log) - start[1]}, report.run

    plan, price = pair.plan()
    calls, run = taken(plan)
    assert price == calls == {"left": 4, "right": 5}
    pair.plan()  # reads what was written
    back = make_undo(run, pair.job, pair.connections, pair.store, pair.folder / "undo.jsonl", now=pair.now)
    assert back.footer.calls == taken(back.path)[0]


def test_somebody_new_in_hubspot_is_a_contact_at_the_same_account(pair: Pair) -> None:
    company = next(record for record in pair.right.records["companies"] if record.values["name"] == "Fana Law")
    new = pair.right.records["contacts"].create(
        {"firstname": "Ola", "lastname": "Berg", "email": "ola@fanalaw.example.com"}, by="a person"
    )
    pair.right.associations.add("contacts", new.id, "companies", company.id, primary=True)
    assert pair.run().clean
    made = pair.person("Berg")
    account = next(row for row in pair.left.records["Account"] if row["Name"] == "Fana Law")
    assert made["AccountId"] == account["Id"]
    assert made["Id"].startswith("003")
    assert pair.run().written == 0


def test_a_lead_that_is_converted_stays_one_person(pair: Pair) -> None:
    lead = pair.person("Adeyemi")
    values = {name: lead[name] for name in ("FirstName", "LastName", "Email", "OwnerId")}
    contact = pair.left.people_make("Contact", {**values, "Title": "Architect"})
    pair.left.converted(lead["Id"], contact["Id"])
    for _ in range(2):
        assert pair.run().clean
    left, right = pair.everybody()
    assert left == right
    assert right["Adeyemi"] == "Architect"
    assert [record.values["lastname"] for record in pair.right.records["contacts"]].count("Adeyemi") == 1
    assert open_exceptions(pair.store) == []


def test_what_both_changed_waits_for_a_person(pair: Pair) -> None:
    pair.left.people_change("Contact", pair.person("Zhao")["Id"], {"Title": "One"})
    pair.right.records["contacts"].change(pair.contact("Zhao").id, {"jobtitle": "Other"}, by="a person")
    assert pair.run().written == 0
    (waiting,) = open_exceptions(pair.store)
    assert waiting.leaf == "job_title"
    settle(pair.store, waiting.id, by="Nora", now=pair.now(), take="right")
    assert pair.run().written == 1
    assert pair.person("Zhao")["Title"] == "Other"


def test_a_run_is_undone(pair: Pair) -> None:
    before = pair.everybody()
    pair.left.people_change("Contact", pair.person("Zhao")["Id"], {"Title": "By mistake"})
    pair.right.records["contacts"].change(pair.contact("Nair").id, {"jobtitle": "By mistake"}, by="a person")
    report = pair.run()
    assert report.written == 2
    assert pair.undo(report.run).clean
    left, right = pair.everybody()
    assert left["Nair"] == before[0]["Nair"]
    assert right["Zhao"] == before[1]["Zhao"]
