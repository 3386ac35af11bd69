"""A big object is read for the first time by one job: the same records, in fewer calls, whatever becomes of the job."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from aios_connect_salesforce.sandbox import Field, Hazards, SalesforceVendor

from aios_connect.connectors import CursorGoneError, Page, Raw, UnavailableError
from aios_connect.sandbox import FAULTS, Answer, Schedule

from .salesforce_office import calls, connector, everything, records

N = 150


def company(**hazards: Any) -> SalesforceVendor:
    """Many pages of contacts, with all that may stand in a row."""
    vendor = SalesforceVendor(hazards=Hazards(**{"page": 5, "results": 40, **hazards}))
    vendor.add_field("Contact", Field("Score__c", "double", precision=18, scale=4, creatable=True, updatable=True, nillable=True))
    vendor.add_field("Contact", Field("Visits__c", "int", creatable=True, updatable=True, nillable=True))
    odd = ['said "yes", and left', "two\nlines\r\nand, more", "株式会社", "null", "  ", "1.39E8", "true"]
    for number in range(N):
        values: dict[str, Any] = {
            "LastName": f"L{number}",
            "Department": odd[number % 7],
            "Visits__c": None if number == 1 else number,
        }
        values |= {"Birthdate": "1990-05-01" if number % 2 else None}
        vendor.people_make("Contact", values | {"Score__c": json.loads(f"{number}.25", parse_float=Decimal)})
        vendor.clock.sleep(1)
    vendor.clock.sleep(3_600)
    return vendor


def by_id(pages: list[Page]) -> dict[str, Raw]:
    return {raw["Id"]: raw for page in pages for raw in page.records}


def asked(vendor: SalesforceVendor, start: int = 0) -> list[str]:
    """What was asked, in a word each."""
    words = {"POST jobs/query": "make", "GET queryAll": "page"}
    told = []
    for call in calls(vendor, start):
        what = "results" if call.endswith("/results") else "look" if call.startswith("GET jobs/") else call
        told.append(words.get(call, "page" if call.startswith("GET query/") else what))
    return told


def test_a_record_of_a_job_is_the_record_of_a_page() -> None:
    vendor = company()
    pages = everything(connector(vendor), "Contact")
    told = by_id(pages)
    assert sum(len(page.records) for page in pages) == N
    vendor.forbidden = frozenset({"jobs"})
    assert told == records(connector(vendor), "Contact")
    assert {raw["Department"] for raw in told.values()} >= {
        'said "yes", and left',
        "two\nlines\r\nand, more",
        "null",
        "true",
    }
    assert {type(raw["Visits__c"]) for raw in told.values()} == {int, type(None)}


def test_a_job_costs_fewer_calls_than_pages() -> None:
    vendor = company()
    salesforce = connector(vendor)
    salesforce.describe("Contact")
    start = len(vendor.log)
    everything(salesforce, "Contact")
    assert asked(vendor, start) == ["page", "make", "look", "look", "look", *["results"] * 4]


def test_what_takes_as_few_pages_is_read_by_pages() -> None:
    vendor = company(page=12)
    everything(connector(vendor), "Contact")
    assert "make" not in asked(vendor)


def test_changes_are_read_by_pages_behind_a_job() -> None:
    """And what changed while the job ran is among them."""
    vendor = company()
    salesforce = connector(vendor)
    ids = [row["Id"] for row in vendor.records["Contact"]]
    pages = []
    for page in salesforce.read("Contact"):
        pages.append(page)
        if len(pages) == 2:
            vendor.people_change("Contact", ids[0], {"Title": "Owner"})
            vendor.records["Contact"].remove(ids[1])
    vendor.clock.sleep(3_600)
    start = len(vendor.log)
    after = everything(salesforce, "Contact", pages[-1].cursor)
    assert "make" not in asked(vendor, start)
    held = by_id(pages) | by_id(after)
    for stone in after[-1].tombstones:
        held.pop(stone.id, None)
    assert {id: raw["Title"] for id, raw in held.items()} == {row["Id"]: row["Title"] for row in vendor.records["Contact"]}


def test_a_read_that_is_killed_behind_any_page_goes_on_with_its_job() -> None:
    """Each page by a process of its own, which knows the cursor and nothing else."""
    vendor = company(results=10_000)
    cursor: Any = None
    seen: list[str] = []
    for _ in range(30):
        vendor.clock.sleep(10)
        page = next(iter(connector(vendor).read("Contact", json.loads(json.dumps(cursor)) if cursor else None)))
        seen += [raw["Id"] for raw in page.records]
        cursor = page.cursor
        if page.complete:
            break
    assert page.complete
    assert seen == [row["Id"] for row in vendor.records["Contact"]]
    assert asked(vendor).count("make") == 1


def test_contacts_are_read_by_a_job_among_people_too() -> None:
    vendor = company()
    vendor.people_make("Lead", {"LastName": "Moe", "Company": "Moe"})
    vendor.clock.sleep(3_600)
    cursor: Any = None
    seen: list[str] = []
    for _ in range(30):
        vendor.clock.sleep(10)
        page = next(iter(connector(vendor).read("people", cursor)))
        seen += [raw["LastName"] for raw in page.records]
        cursor = page.cursor
        if page.complete:
            break
    assert seen == [*(f"L{number}" for number in range(N)), "Moe"]
    assert asked(vendor).count("make") == 1
    assert set(cursor) == {"Contact", "Lead"}


def test_an_answer_of_many_rows_is_told_in_pages_that_a_read_can_go_on_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aios_connect_salesforce._bulk._PAGE", 15)
    vendor = company()
    cursor: Any = None
    seen: list[str] = []
    sizes = []
    for _ in range(30):
        vendor.clock.sleep(10)
        page = next(iter(connector(vendor).read("Contact", cursor)))
        seen += [raw["Id"] for raw in page.records]
        sizes.append(len(page.records))
        cursor = page.cursor
        if page.complete:
            break
    assert seen == [row["Id"] for row in vendor.records["Contact"]]
    assert [size for size in sizes if size] == [15, 15, 10] * 3 + [15, 15]


def test_a_job_that_salesforce_has_forgotten_is_a_read_from_the_beginning() -> None:
    vendor = company()
    pages = connector(vendor).read("Contact")
    cursor = [next(pages) for _ in range(4)][-1].cursor
    vendor.clock.sleep(8 * 86_400)
    with pytest.raises(CursorGoneError, match="forgotten"):
        list(connector(vendor).read("Contact", cursor))


def fails(vendor: SalesforceVendor) -> None:
    vendor.fate = "Failed"


def aborted(vendor: SalesforceVendor) -> None:
    def abort(call: Any) -> None:
        for job in vendor.jobs.values():
            job.state = "Aborted"

    vendor.before = abort


def lasts(vendor: SalesforceVendor) -> None:
    vendor.hazards = replace(vendor.hazards, job=10**6)


def refused(vendor: SalesforceVendor) -> None:
    vendor.forbidden = frozenset({"jobs"})


@pytest.mark.parametrize(("become", "words"), [(fails, "Failed: QUERY_TIMEOUT"), (aborted, "Aborted"), (lasts, "not done after")])
def test_a_job_that_comes_to_nothing_leaves_a_read_by_pages(
    become: Callable[[SalesforceVendor], None], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    vendor = company()
    become(vendor)
    pages = everything(connector(vendor), "Contact")
    assert [raw["LastName"] for page in pages for raw in page.records] == [f"L{number}" for number in range(N)]
    assert asked(vendor).count("make") == 1
    assert words in caplog.text
    assert {job.state for job in vendor.jobs.values()} <= {"Aborted", ""}
    assert len(vendor.log) < 90


def test_an_organisation_that_makes_no_jobs_is_read_by_the_pages_that_were_begun() -> None:
    vendor = company()
    refused(vendor)
    salesforce = connector(vendor)
    salesforce.describe("Contact")
    start = len(vendor.log)
    everything(salesforce, "Contact")
    assert asked(vendor, start) == ["page", "make", *["page"] * (N // 5 - 1)]


def answering(vendor: SalesforceVendor, change: Callable[[Answer], Answer], times: int = 10**6) -> None:
    """From now on rows of a job come changed, so many times."""
    true, left = vendor.results, [times]

    def results(call: Any, version: str, id: str) -> Answer:
        left[0] -= 1
        answer: Answer = true(call, version, id)
        return change(answer) if left[0] >= 0 else answer

    vendor.results = results  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "change",
    [
        lambda true: replace(true, body=b"\n".join(true.body.split(b"\n")[:20]) + b"\n"),
        lambda true: replace(true, body=true.body[:-40]),
        lambda true: replace(true, body=b""),
        lambda true: replace(true, headers={**true.headers, "sforce-locator": ""}),
        lambda true: replace(true, headers={**true.headers, "sforce-numberofrecords": "41"}),
        lambda true: replace(true, body=true.body.replace(b'"LastName"', b'"Nickname"')),
    ],
    ids=["fewer rows", "cut off", "nothing", "no end", "another number", "other fields"],
)
@pytest.mark.parametrize("times", [1, 10**6])
def test_rows_that_are_not_whole_are_asked_for_again_and_then_read_by_pages(
    change: Callable[[Answer], Answer], times: int
) -> None:
    vendor = company()
    answering(vendor, change, times)
    assert set(by_id(everything(connector(vendor), "Contact"))) == {row["Id"] for row in vendor.records["Contact"]}
    assert asked(vendor).count("results") <= 5


def test_a_web_page_instead_of_rows_ends_a_read_that_goes_on_later() -> None:
    vendor = company()
    answering(vendor, lambda true: replace(true, body=b"<html><title>Down for maintenance</title></html>"), 1)
    cursor: Any = None
    with pytest.raises(UnavailableError, match="maintenance"):
        for page in connector(vendor).read("Contact"):
            cursor = page.cursor
    assert set(records(connector(vendor), "Contact", cursor)) == {row["Id"] for row in vendor.records["Contact"]}
    assert asked(vendor).count("make") == 1


def test_a_job_that_gives_fewer_rows_than_it_has_is_no_read() -> None:
    vendor = company()
    answering(vendor, lambda true: replace(true, headers={**true.headers, "sforce-locator": "null"}))
    assert set(by_id(everything(connector(vendor), "Contact"))) == {row["Id"] for row in vendor.records["Contact"]}


@pytest.mark.parametrize("fault", ["too_many", "unavailable", "reset_before", "timeout_after", "bad_gateway"])
def test_an_outage_at_any_call_of_a_job_loses_nothing(fault: str) -> None:
    for place in range(1, 10):
        vendor = company()
        vendor.schedule = Schedule(only={place: FAULTS[fault]})
        assert set(by_id(everything(connector(vendor), "Contact"))) == {row["Id"] for row in vendor.records["Contact"]}


@pytest.mark.parametrize(
    "cursor",
    [
        {"job": "750R00000000001AAA"},
        {"start": "2026-01-05T09:00:00Z", "job": "../../limits"},
        {"start": "2026-01-05T09:00:00Z", "locator": "40"},
        {"start": "2026-01-05T09:00:00Z", "job": "750R00000000001AAA", "got": "many"},
        {"start": "2026-01-05T09:00:00Z", "job": "750R00000000001AAA", "at": "2026-01-05T09:00:00Z", "id": "x"},
    ],
)
def test_a_cursor_of_a_job_that_is_none_is_refused(cursor: Any) -> None:
    vendor = SalesforceVendor()
    with pytest.raises(CursorGoneError):
        list(connector(vendor).read("Contact", cursor))
    assert [call for call in calls(vendor) if "jobs" in call] == []
