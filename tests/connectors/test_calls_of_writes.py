"""What a connector says a write takes is what it takes: calls counted by the fakes, and on what was recorded of the live servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aios_connect_csv import CSV
from aios_connect_google.sandbox import GoogleVendor
from aios_connect_google.sandbox import Hazards as GoogleHazards
from aios_connect_hubspot.sandbox import Hazards as HubSpotHazards
from aios_connect_hubspot.sandbox import HubSpotVendor
from aios_connect_salesforce.sandbox import Hazards as SalesforceHazards
from aios_connect_salesforce.sandbox import SalesforceVendor
from aios_connect_tryton import Tryton

from aios_connect.cassettes import Player
from aios_connect.connection.opening import connect
from aios_connect.connectors import Change, Connector, Raw, Receipt

from . import bottlecrm_story, caldav_story, google_account, hubspot_office, kinto_story, salesforce_office, tryton_story

Calls = Callable[[], int]


def written(connector: Connector, object: str, changes: list[Change], counted: Calls) -> tuple[int, list[Receipt]]:
    """Write in batches; the calls that it took, after a look whether they are those that were said, batch by batch."""
    size, start, receipts = connector.spec.objects[object].batch_size, counted(), list[Receipt]()
    for at in range(0, len(changes), size):
        batch, before = changes[at : at + size], counted()
        said = connector.calls(object, batch)
        assert counted() == before, "nobody is asked what it takes"
        receipts += connector.write(object, batch)
        assert counted() - before == said
    assert {receipt.outcome for receipt in receipts} == {"written"}
    return counted() - start, receipts


def drops(receipts: list[Receipt]) -> list[Change]:
    return [Change("delete", f"d{receipt.id}", receipt.id, version=receipt.version) for receipt in receipts]


# HubSpot


def hubspot() -> tuple[Connector, Calls]:
    vendor = HubSpotVendor(hazards=HubSpotHazards(lag=0.0, latency=0.0))
    connector = hubspot_office.connector(vendor, budgeted=False)
    connector.provision()
    return connector, lambda: len(vendor.log)


def test_hubspots_deals_take_eight_calls_for_another_company_and_contact_and_two_without() -> None:
    connector, counted = hubspot()
    new = [hubspot_office.create(number, name=f"N{number}") for number in range(2)]
    companies = [receipt.id for receipt in connector.write("companies", new)]
    new = [hubspot_office.create(number + 10, email=f"a{number}@example.com") for number in range(2)]
    contacts = [receipt.id for receipt in connector.write("contacts", new)]

    def place(number: int) -> dict[str, str | None]:
        return {"company": companies[number], "contact": contacts[number]}

    values = {"dealname": "D", "pipeline": "default", "dealstage": "appointmentscheduled"}
    deals = [
        Change("create", f"c{number}", patch={"properties": values, "associations": place(0)}, key=f"deal_{number}")
        for number in range(150)
    ]
    calls, made = written(connector, "deals", deals, counted)
    assert calls == 2
    renamed = [Change("update", f"r{one.id}", one.id, {"properties": {"dealname": "E"}}) for one in made]
    assert written(connector, "deals", renamed, counted)[0] == 4
    patch: Raw = {"properties": {"dealname": "F"}, "associations": place(1)}
    moved = [Change("update", f"m{one.id}", one.id, patch, {"associations": place(0)}) for one in made[:100]]
    assert written(connector, "deals", moved, counted)[0] == 8
    patch = {"associations": {"contact": None}}
    left = [Change("update", f"l{one.id}", one.id, patch, {"associations": place(1)}) for one in made[:100]]
    assert written(connector, "deals", left, counted)[0] == 3
    assert written(connector, "deals", drops(made), counted)[0] == 4


def test_hubspots_activities_take_the_calls_of_each_object_they_are_of() -> None:
    connector, counted = hubspot()
    due, kinds = {"hs_timestamp": "2026-01-05T17:00:00Z"}, ("calls", "emails", "meetings", "notes")
    connector.lookup("activities", [f"{kind}-1" for kind in kinds])  # what they are made of is known
    new = [Change("create", f"c{n}", patch={"type": kinds[n % 4], "activity": {}, "properties": due}) for n in range(100)]
    calls, made = written(connector, "activities", new, counted)
    assert calls == 4
    assert written(connector, "activities", drops(made[:2]), counted)[0] == 4


# Salesforce


def salesforce() -> tuple[Connector, Calls]:
    vendor = SalesforceVendor(hazards=SalesforceHazards(latency=0.0, locks=0, daily=10**9))
    connector = salesforce_office.connector(vendor, budgeted=False)
    connector.provision()
    for object in ("Contact", "people", "Opportunity", "OpportunityContactRole"):
        connector.describe(object)
    return connector, lambda: len(vendor.log)


def test_salesforce_takes_a_look_and_a_write_for_a_thousand_and_for_two_thousand_twice_that() -> None:
    connector, counted = salesforce()
    new = [salesforce_office.create(number, LastName=f"L{number}") for number in range(2000)]
    calls, made = written(connector, "Contact", new, counted)
    assert calls == 2
    titled = [Change("update", f"u{one.id}", one.id, {"Title": "Owner"}) for one in made]
    assert written(connector, "Contact", titled, counted)[0] == 4
    assert written(connector, "Contact", drops(made), counted)[0] == 4


def test_salesforces_people_take_the_calls_of_leads_and_of_contacts() -> None:
    connector, counted = salesforce()
    new = [
        salesforce_office.create(n, type=("Lead", "Contact")[n % 2], LastName=f"L{n}", **({} if n % 2 else {"Company": "C"}))
        for n in range(10)
    ]
    calls, made = written(connector, "people", new, counted)
    assert calls == 2
    titled = [Change("update", f"u{one.id}", one.id, {"Title": "Owner"}) for one in made]
    assert written(connector, "people", titled, counted)[0] == 4
    assert written(connector, "people", drops(made[::2]), counted)[0] == 2


@pytest.mark.parametrize(("many", "more", "takes"), [(300, {}, 3), (900, {}, 7), (300, {"NextStep": "Ring"}, 4)])
def test_the_contacts_of_salesforces_opportunities_are_asked_for_and_written_by_four_hundred(
    many: int, more: dict[str, str], takes: int
) -> None:
    connector, counted = salesforce()
    contact, other = (
        receipt.id for receipt in connector.write("Contact", [salesforce_office.create(n, LastName="L") for n in range(2)])
    )
    values = {"StageName": "Prospecting", "CloseDate": "2026-03-01", "ContactId": contact}
    new = [salesforce_office.create(10 + n, Name=f"D{n}", **values) for n in range(many)]
    made = connector.write("Opportunity", new)
    moved = [Change("update", f"m{one.id}", one.id, {"ContactId": other, **more}, {"ContactId": contact}) for one in made]
    assert written(connector, "Opportunity", moved, counted)[0] == takes


# Google


@pytest.mark.parametrize(("object", "takes"), [("events", (120, 120, 240, 120)), ("contacts", (1, 2, 2, 2))])
def test_google_counts_each_event_and_a_batch_of_contacts_as_one(object: str, takes: tuple[int, ...]) -> None:
    vendor = GoogleVendor(hazards=GoogleHazards.none())
    connector = google_account.connector(vendor, budgeted=False)
    connector.lookup(object, ["people/c0", "nothere"])  # the calendar is known by its id now
    api = {"events": "calendar", "contacts": "people"}[object]

    def counted() -> int:
        return vendor.counted[api]

    def person(number: int) -> Raw:
        return {"name": {"givenName": f"Ann {number}"}}

    def event(number: int) -> Raw:
        when = {"start": "2026-02-02T09:00:00Z", "end": "2026-02-02T10:00:00Z", "timeZone": "Europe/Paris", "allDay": False}
        return {"summary": f"E {number}", "when": when}

    make = {"events": event, "contacts": person}[object]
    new = [Change("create", f"c{number}", patch=make(number), key=f"key_{number:06d}") for number in range(120)]
    calls, made = written(connector, object, new, counted)
    assert calls == takes[0]
    changes: dict[str, list[Raw]] = {
        "events": [{"summary": "Changed"}, {"when": {"end": "2026-02-02T11:00:00Z"}}],
        "contacts": [{"name": {"givenName": "Bea"}}, {"name": {"familyName": "Bly"}}],
    }
    for patch, most in zip(changes[object], takes[1:3], strict=True):
        changed = [Change("update", f"u{one.id}", one.id, patch, version=one.version) for one in made]
        calls, made = written(connector, object, changed, counted)
        assert calls == most
    assert written(connector, object, drops(made), counted)[0] == takes[3]


# Sheets


def test_a_sheet_takes_no_call(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Name\nAnn\n", encoding="utf-8")
    with connect("csv", folder=str(tmp_path)) as sheet:
        assert isinstance(sheet.connector, CSV)
        for action in ("create", "update", "delete"):
            assert sheet.connector.calls("people", [Change(action, "1", "2", {"Name": "Bea"})]) == 0


# The live servers, by what was recorded of them

ASKED_ONCE = (
    "fields_get",
    "model.country.country.search_read",
    "model.party.category.search_read",
    "model.currency.currency.search_read",
    "/api/custom-fields/",
)
"""What a process asks the first time that it writes, and remembers."""


class Counting(httpx2.BaseTransport):
    """Counts what goes through it, but for what is asked once."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner
        self.count = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        body = request.read()
        asked = f"{request.url.path} {json.loads(body)['method'] if b'rpc' in request.url.raw_path else ''}".strip()
        self.count += not asked.endswith(ASKED_ONCE)
        return self._inner.handle_request(request)


@contextmanager
def watched(cassette: Path) -> Iterator[tuple[Counting, Callable[[Connector], Any], list[tuple[str, str, int, int]]]]:
    """A transport, what makes a connector write down its writes, and those that were written: object, action, said, took."""
    told: list[tuple[str, str, int, int]] = []
    with Player(cassette) as player:
        wire = Counting(player)

        def watch(connector: Connector) -> Any:
            write = connector.write

            def spy(object: str, changes: list[Change]) -> list[Receipt]:
                said, start = connector.calls(object, changes), wire.count
                receipts = write(object, changes)
                found = any(one.found for one in receipts) and object != "tasks"  # BottleCRM's are always looked for
                if not found and all(one.outcome == "written" for one in receipts):
                    told.append((object, changes[0].action, said, wire.count - start))
                return receipts

            connector.write = spy  # type: ignore[method-assign, assignment]
            return connector

        yield wire, watch, told


def exact(told: list[tuple[str, str, int, int]]) -> dict[tuple[str, str], int]:
    assert [one for one in told if one[2] != one[3]] == []
    return {(object, action): took for object, action, _, took in told}


def test_a_bottlecrm_is_looked_at_before_and_after() -> None:
    with watched(bottlecrm_story.CASSETTE) as (wire, watch, told):
        bottlecrm_story.tell(watch(bottlecrm_story.connector(wire)))
    assert exact(told) == {
        ("accounts", "create"): 2,
        ("contacts", "create"): 2,
        ("deals", "create"): 2,
        ("tasks", "create"): 3,
        ("deals", "update"): 3,
        ("tasks", "delete"): 2,
    }


@pytest.mark.parametrize(
    ("file", "calendars", "books"),
    [
        ("radicale", "/alice/work1/", "/alice/people1/"),
        ("xandikos", "/alice/calendars/work1/", "/alice/contacts/people1/"),
    ],
)
def test_a_calendar_is_looked_at_before_a_change(file: str, calendars: str, books: str) -> None:
    settings = {"calendars": calendars, "addressbooks": books}
    with watched(caldav_story.CASSETTES / f"{file}.yaml") as (wire, watch, told):
        caldav_story.tell(watch(caldav_story.connector(wire, caldav_story.ADDRESS, "alice", "any", settings=settings)))
    assert exact(told) == {
        ("contacts", "create"): 1,
        ("events", "create"): 2,  # of two
        ("events", "update"): 2,
        ("events", "delete"): 2,
    }


def test_a_kinto_is_looked_at_where_a_change_reaches_into_an_object() -> None:
    with watched(kinto_story.CASSETTE) as (wire, watch, told):
        kinto_story.tell(watch(kinto_story.connector(wire, f"{kinto_story.ADDRESS}/v1", "admin", "any")))
    assert exact(told) == {
        ("companies", "create"): 1,
        ("people", "create"): 1,
        ("deals", "update"): 2,
        ("people", "delete"): 1,
    }


def test_a_tryton_is_read_back_and_its_buttons_are_pressed_one_by_one() -> None:
    with watched(tryton_story.CASSETTE) as (wire, watch, told):
        tryton_story.tell(watch(tryton_story.connector(wire, tryton_story.ADDRESS, "crm1", "admin", "any")))
    assert exact(told) == {("companies", "create"): 2, ("people", "create"): 2, ("opportunities", "update"): 5}


@pytest.mark.parametrize(
    ("object", "change", "takes"),
    [
        ("people", Change("update", "1", "7", {"name": "Zoë"}, {"name": "Zoe"}, "v1"), 3),  # its rows are looked at
        ("people", Change("delete", "1", "7", version="v1"), 2),
        ("opportunities", Change("update", "1", "7", {"amount": "5"}, {"amount": "4"}, "v1"), 2),  # Tryton compares alone
        ("opportunities", Change("update", "1", "7", {"contact": {"person": 3}}, {}, "v1"), 4),
        ("opportunities", Change("update", "1", "7", {"state": "lead"}, {"state": "lost"}, "v1"), 3),
        ("opportunities", Change("create", "1", None, {"state": "lead"}, key="k"), 2),
        ("opportunities", Change("create", "1", None, {"state": "lost"}, key="k"), 8),  # a search, create, lost, finish
        ("opportunities", Change("delete", "1", "7", {}, {"state": "lead"}, "v1"), 4),
    ],
)
def test_what_a_tryton_takes_by_what_is_written(object: str, change: Change, takes: int) -> None:
    connector: Tryton = tryton_story.connector(httpx2.MockTransport(_nobody), tryton_story.ADDRESS, "crm1", "admin", "any")
    assert connector.calls(object, [change] * 200) == takes


def _nobody(request: httpx2.Request) -> httpx2.Response:
    raise AssertionError("nobody is asked what a write takes")
