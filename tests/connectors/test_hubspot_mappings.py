"""The shipped mappings of HubSpot: their examples hold, they fit the live schema, and what they read is what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import TOKEN, Hazards, HubSpotVendor, furnish

from aios_connect import connect
from aios_connect.connectors import Change
from aios_connect.mappings import CompiledMapping, check, load, run_examples
from aios_connect.model.canonical import Leaves
from aios_connect.sandbox import transport

from .hubspot_office import connector, everything

FOLDER = Path(__file__).parents[2] / "mappings" / "hubspot"
FILES = sorted(FOLDER.glob("*.yaml"))


def mapping(object: str) -> CompiledMapping:
    return load(FOLDER / f"{object}.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_examples_hold(file: Path) -> None:
    results = run_examples(load(file))
    assert results
    assert [(result.name, result.differences) for result in results if result.differences] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_mappings_fit_the_live_schema(file: Path) -> None:
    loaded = load(file)
    schema = connector(HubSpotVendor()).describe(loaded.object)
    assert [str(finding.error) for finding in check(loaded, schema, spec=HubSpot.spec) if finding.severity != "note"] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_record_of_the_company_is_read_without_a_problem(file: Path) -> None:
    loaded = load(file)
    records = [raw for page in everything(connector(furnish(HubSpotVendor())), loaded.object) for raw in page.records]
    assert records
    assert [loaded.get(raw)[1] for raw in records if loaded.get(raw)[1]] == []


def test_what_a_mapping_writes_is_read_back_through_it() -> None:
    vendor = furnish(HubSpotVendor(hazards=Hazards(lag=0.0)))
    hubspot, deals = connector(vendor), mapping("deals")
    raw = everything(hubspot, "deals")[0].records[3]
    leaves, _ = deals.get(raw)
    wanted: Leaves = {**leaves, "stage": "Closed won", "amount": {"amount": "26000", "currency": "EUR"}, "next_step": "Sign"}
    patch = deals.put(wanted, leaves, raw)
    expect = {"properties": {name: raw["properties"][name] for name in patch["properties"]}}
    receipt = hubspot.write("deals", [Change("update", "1", raw["id"], patch, expect)])[0]
    assert receipt.outcome == "written"
    again, problems = deals.get(hubspot.lookup("deals", [raw["id"]])[0])
    assert problems == []
    assert again == {**wanted, "stage_category": "won"}


def test_a_program_reads_people_and_deals_by_their_canonical_names() -> None:
    vendor = furnish(HubSpotVendor(hazards=Hazards.none()))
    with connect("hubspot", key=TOKEN, transport=transport(vendor)) as crm:
        people = {person.names.family: person for person in crm.read("person")}
        assert people["Zhao"].job_title == "Facilities lead"
        assert {deal.name for deal in crm.read("deal")} >= {"Clean-room contract"}
        assert len(list(crm.read("user"))) == 3
