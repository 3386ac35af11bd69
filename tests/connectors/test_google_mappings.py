"""The shipped mappings of Google: their examples hold, they fit the schema, and what they read is what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from aios_connect_google import Google
from aios_connect_google.sandbox import TOKEN, GoogleVendor, Hazards, furnish

from aios_connect import connect
from aios_connect.connectors import Change
from aios_connect.mappings import CompiledMapping, check, load, run_examples
from aios_connect.model.canonical import Leaves
from aios_connect.sandbox import transport
from aios_connect.testing.conformance.world import expected

from .google_account import connector, everything

FOLDER = Path(__file__).parents[2] / "mappings" / "google"
FILES = sorted(FOLDER.glob("*.yaml"))


def mapping(object: str) -> CompiledMapping:
    return load(FOLDER / f"{object}.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_examples_hold(file: Path) -> None:
    results = run_examples(load(file))
    assert results
    assert [(result.name, result.differences) for result in results if result.differences] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_mappings_fit_the_schema(file: Path) -> None:
    loaded = load(file)
    schema = connector(GoogleVendor()).describe(loaded.object)
    assert [str(finding.error) for finding in check(loaded, schema, spec=Google.spec) if finding.severity != "note"] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_record_of_the_account_is_read_without_a_problem(file: Path) -> None:
    loaded = load(file)
    records = [raw for page in everything(connector(furnish(GoogleVendor())), loaded.object) for raw in page.records]
    assert records
    assert [loaded.get(raw)[1] for raw in records if loaded.get(raw)[1]] == []


@pytest.mark.parametrize(
    ("object", "wanted"),
    [
        ("events", {"title": "Later", "start": "2026-01-06T18:00:00Z", "end": "2026-01-06T19:00:00Z", "show_as": "free"}),
        ("events", {"location": None, "timezone": "Europe/Paris", "status": "tentative"}),
        ("events", {"start": "2026-01-06T00:00:00Z", "end": "2026-01-08T00:00:00Z", "all_day": True, "timezone": None}),
        ("contacts", {"names.family": "Finch", "emails.personal": "m@example.org", "phones.mobile": "+15035550199"}),
        (
            "contacts",
            {"job_title": None, "company": "?name=Tidewater Yoga", "addresses.work.city": "Portland", "notes": "Rings twice"},
        ),
    ],
)
def test_what_a_mapping_writes_is_read_back_through_it(object: str, wanted: Leaves) -> None:
    vendor = furnish(GoogleVendor(hazards=Hazards.none()))
    google, loaded = connector(vendor), mapping(object)
    raw = everything(google, object)[0].records[0]
    leaves, _ = loaded.get(raw)
    whole: Leaves = {**leaves, **wanted}
    patch = loaded.put(whole, leaves, raw)
    change = Change("update", "1", raw["id"], patch, expected(raw, patch), raw[google.spec.objects[object].version])
    receipt = google.write(object, [change])[0]
    assert (receipt.outcome, receipt.reason) == ("written", "")
    again, problems = loaded.get(google.lookup(object, [raw["id"]])[0])
    assert problems == []
    follows = {"names.full"}
    assert {name: value for name, value in again.items() if name not in follows} == {
        name: value for name, value in whole.items() if name not in follows
    }


def test_a_program_reads_people_and_events_by_their_canonical_names() -> None:
    vendor = furnish(GoogleVendor(hazards=Hazards.none()))
    with connect("google", access_token=TOKEN, transport=transport(vendor)) as google:
        people = {person.names.family: person for person in google.read("person")}
        assert people["Zhao"].job_title == "Facilities lead"
        assert {event.title for event in google.read("event")} >= {"Monday round"}
