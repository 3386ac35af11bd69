"""As few calls as Google allows, counted by the fake: each request of a batch by itself where Google does so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aios_connect_google.sandbox import GoogleVendor, Hazards

from aios_connect.connectors import Change

from .google_account import connector, everything

MANY = 1000


def least(calls: float) -> float:
    return calls * 1.05 + 2


def event(number: int) -> dict[str, object]:
    when = {"start": "2026-02-02T09:00:00Z", "end": "2026-02-02T10:00:00Z", "timeZone": "Europe/Paris", "allDay": False}
    return {"summary": f"Event {number}", "when": when}


def person(number: int) -> dict[str, object]:
    return {"name": {"givenName": f"Ann {number}"}, "email": {"work": f"ann{number}@example.com"}}


@pytest.mark.parametrize(
    ("object", "make", "change", "size", "page", "update", "delete"),
    [
        ("events", event, {"summary": "Changed"}, 50, 2500, 1, 1),
        ("contacts", person, {"note": "Changed"}, 200, 1000, 2, 2),
    ],
)
def test_every_operation_takes_as_few_calls_as_the_api_allows(
    object: str,
    make: Callable[[int], dict[str, object]],
    change: dict[str, object],
    size: int,
    page: int,
    update: int,
    delete: int,
) -> None:
    """Of contacts an update and a delete are one question and one write: lists are written whole, and a delete is not conditional."""
    vendor = GoogleVendor(hazards=Hazards.none())
    google = connector(vendor, budgeted=False)
    spec, api = google.spec.objects[object], {"events": "calendar", "contacts": "people"}[object]
    assert (spec.batch_size, spec.page_size) == (size, page)
    google.lookup(object, ["people/c0", "nothere"])  # the calendar is known by its id now

    def counted(changes: list[Change]) -> tuple[int, int, list[str | None], list[str | None]]:
        start, units = len(vendor.log), vendor.counted[api]
        receipts = [one for place in range(0, MANY, size) for one in google.write(object, changes[place : place + size])]
        assert {receipt.outcome for receipt in receipts} == {"written"}
        ids, versions = [one.id for one in receipts], [one.version for one in receipts]
        return len(vendor.log) - start, vendor.counted[api] - units, ids, versions

    calls, units, ids, versions = counted([Change("create", f"c{n}", patch=make(n), key=f"key_{n:04d}") for n in range(MANY)])
    assert calls <= least(MANY / size)
    assert units == (MANY if object == "events" else calls)
    start = len(vendor.log)
    assert sum(len(told.records) for told in everything(google, object)) == MANY
    assert len(vendor.log) - start <= least(1)
    start = len(vendor.log)
    assert len(google.lookup(object, [str(id) for id in ids])) == MANY
    assert len(vendor.log) - start <= least(MANY / spec.lookup_size)
    pairs = zip(ids, versions, strict=True)
    calls, _, ids, versions = counted([Change("update", f"u{id}", id, change, version=version) for id, version in pairs])
    assert calls <= least(update * MANY / size)
    pairs = zip(ids, versions, strict=True)
    calls, _, _, _ = counted([Change("delete", f"d{id}", id, version=version) for id, version in pairs])
    assert calls <= least(delete * MANY / size)


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
