"""As few calls as Google allows, counted by the fake: each request of a batch by itself where Google does so.

What it allows: 2,500 events, 1,000 contacts or 500 ids of messages a page; 50 requests of Calendar and Gmail a batch (they count one by
one); 200 contacts a batch of questions, creates and updates (discovery documents: ``events.list``, ``people.connections.list``,
``people.getBatchGet``, ``BatchCreateContactsRequest``, ``BatchUpdateContactsRequest``, ``messages.list``). The same is asked of a thousand
records and of a hundred thousand; the latter takes minutes and is a measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import pytest
from aios_connect_google.sandbox import GoogleVendor, Hazards

from aios_connect.connectors import Change

from .google_account import connector, everything

MANY = pytest.mark.parametrize("many", [1000, pytest.param(100_000, marks=pytest.mark.bench)])


def least(calls: float) -> float:
    return calls * 1.05 + 2


def event(number: int) -> dict[str, object]:
    when = {"start": "2026-02-02T09:00:00Z", "end": "2026-02-02T10:00:00Z", "timeZone": "Europe/Paris", "allDay": False}
    return {"summary": f"Event {number}", "when": when}


def person(number: int) -> dict[str, object]:
    return {"name": {"givenName": f"Ann {number}"}, "email": {"work": f"ann{number}@example.com"}}


@MANY
@pytest.mark.parametrize(
    ("object", "make", "changes", "size", "page", "update"),
    [
        ("events", event, [{"summary": "Changed"}], 50, 2500, 1),
        ("contacts", person, [{"note": "Changed"}, {"phone": {"home": "5"}}, {"name": {"familyName": "Bly"}}], 200, 1000, 2),
    ],
)
def test_every_operation_takes_as_few_calls_as_the_api_allows(
    object: str,
    make: Callable[[int], dict[str, object]],
    changes: list[dict[str, object]],
    size: int,
    page: int,
    update: int,
    many: int,
) -> None:
    """Of contacts an update and a delete are one question and one write: lists are written whole, and a delete is not conditional."""
    vendor = GoogleVendor(hazards=Hazards.none())
    google = connector(vendor, budgeted=False)
    spec, api = google.spec.objects[object], {"events": "calendar", "contacts": "people"}[object]
    assert (spec.batch_size, spec.page_size) == (size, page)
    google.lookup(object, ["people/c0", "nothere"])  # the calendar is known by its id now

    def counted(changes: list[Change]) -> tuple[int, int, list[str | None], list[str | None]]:
        start, units = len(vendor.log), vendor.counted[api]
        receipts = [one for place in range(0, many, size) for one in google.write(object, changes[place : place + size])]
        assert {receipt.outcome for receipt in receipts} == {"written"}
        ids, versions = [one.id for one in receipts], [one.version for one in receipts]
        return len(vendor.log) - start, vendor.counted[api] - units, ids, versions

    calls, units, ids, versions = counted([Change("create", f"c{n}", patch=make(n), key=f"key_{n:06d}") for n in range(many)])
    assert calls <= least(many / size)
    assert units == (many if object == "events" else calls)
    start = len(vendor.log)
    assert sum(len(told.records) for told in everything(google, object)) == many
    assert len(vendor.log) - start <= least(ceil(many / page))
    start = len(vendor.log)
    assert sum(len(told.items) for told in google.scan(object)) == many
    assert len(vendor.log) - start <= least(ceil(many / spec.scan_size))
    start = len(vendor.log)
    assert sum(len(google.lookup(object, [str(id) for id in ids[at : at + 200]])) for at in range(0, many, 200)) == many
    assert len(vendor.log) - start <= least(many / spec.lookup_size)
    rows = enumerate(zip(ids, versions, strict=True))
    calls, _, ids, versions = counted(
        [Change("update", f"u{id}", id, changes[n % len(changes)], version=version) for n, (id, version) in rows]
    )
    assert calls <= least(update * many / size)
    pairs = zip(ids, versions, strict=True)
    calls, _, _, _ = counted([Change("delete", f"d{id}", id, version=version) for id, version in pairs])
    assert calls <= least(update * many / size)


@MANY
def test_a_mailbox_costs_a_list_for_each_five_hundred_messages_and_a_batch_for_each_fifty(many: int) -> None:
    """And what it counts as is twenty units a message, five a list, and one to know whose mailbox it is (or where it stands)."""
    vendor = GoogleVendor(hazards=Hazards.none())
    mailbox(vendor, 0, many)
    google = connector(vendor, budgeted=False)
    pages = everything(google, "messages")
    assert sum(len(page.records) for page in pages) == many
    assert len(vendor.log) <= least(many / 500 + many / 50)
    assert vendor.counted["gmail"] <= 20 * many + 5 * many / 500 + 2
    start = len(vendor.log)
    assert sum(len(page.items) for page in google.scan("messages")) == many
    assert len(vendor.log) - start <= least(many / 500)
    ids = [str(raw["id"]) for page in pages for raw in page.records]
    start, size = len(vendor.log), google.spec.objects["messages"].lookup_size
    assert sum(len(google.lookup("messages", ids[at : at + size])) for at in range(0, many, size)) == many
    assert len(vendor.log) - start <= least(many / 50)
    start = len(vendor.log)
    cursor = everything(google, "messages", pages[-1].cursor)[-1].cursor
    assert len(vendor.log) - start == 1
    start = len(vendor.log)
    mailbox(vendor, many, many + many // 10)
    assert sum(len(page.records) for page in everything(google, "messages", cursor)) == many // 10
    assert len(vendor.log) - start <= least(ceil(many / 10 / 500) + many / 10 / 50)


def test_what_was_deleted_for_good_is_told_by_the_history_and_not_asked_for() -> None:
    vendor = GoogleVendor(hazards=Hazards.none())
    mailbox(vendor, 0, 1000)
    google = connector(vendor, budgeted=False)
    cursor = everything(google, "messages")[-1].cursor
    ids = list(vendor.mail)
    for id in ids:
        vendor.delete_mail(id)
    start = len(vendor.log)
    pages = everything(google, "messages", cursor)
    assert {stone.id for page in pages for stone in page.tombstones} == set(ids)
    assert len(vendor.log) - start == 1000 / 500


def mailbox(vendor: GoogleVendor, first: int, end: int) -> None:
    """Many messages arrive."""
    for number in range(first, end):
        vendor.receive_mail(b"Message-ID: <%d@x.example>\r\nFrom: a@x.example\r\nSubject: S\r\n\r\nHello.\r\n" % number)


def test_what_did_not_change_costs_one_call() -> None:
    vendor = GoogleVendor(hazards=Hazards.none())
    for number in range(30):
        vendor.make_event({"summary": str(number), "start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}})
    google = connector(vendor)
    cursor = everything(google, "events")[-1].cursor
    start = len(vendor.log)
    everything(google, "events", cursor)
    assert len(vendor.log) - start == 1


def test_no_limit_is_crossed_while_writing_a_lot() -> None:
    """600 requests a minute, and those in a batch count each."""
    vendor = GoogleVendor()
    google = connector(vendor)
    changes = [Change("create", f"c{number}", patch=event(number), key=f"key_{number}") for number in range(1500)]
    began = vendor.clock.now()
    for place in range(0, 1500, 50):
        assert {receipt.outcome for receipt in google.write("events", changes[place : place + 50])} == {"written"}
    assert vendor.refused == 0
    assert (vendor.clock.now() - began).total_seconds() <= 150 / 0.8
