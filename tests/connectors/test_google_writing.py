"""Writing to Google: times of which only some change, lists of which one item changes, batches of which some are put off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aios_connect_google import Google
from aios_connect_google.sandbox import ADDRESS, GoogleVendor, Hazards, furnish

from aios_connect.connectors import Change, Raw, Receipt
from aios_connect.errors import AuthError, ConfigError, RateLimitedError
from aios_connect.testing.conformance.world import expected

from .google_account import connector, everything

WHEN: Raw = {"start": "2026-02-02T09:00:00Z", "end": "2026-02-02T10:00:00Z", "timeZone": "Europe/Paris", "allDay": False}


def plain(**hazards: Any) -> GoogleVendor:
    held = Hazards.none()
    return GoogleVendor(hazards=Hazards(**{name: hazards.get(name, getattr(held, name)) for name in Hazards.__slots__}))


def create(google: Google, number: int = 0, **patch: Any) -> Receipt:
    change = Change("create", f"c{number}", patch={"summary": "Kick-off", "when": WHEN, **patch}, key=f"key_{number}")
    (receipt,) = google.write("events", [change])
    return receipt


def update(google: Google, object: str, id: str | None, patch: Raw, **more: Any) -> Receipt:
    """An update of what is there now."""
    (raw,) = google.lookup(object, [str(id)])
    version = raw[google.spec.objects[object].version]
    change = Change("update", "u", id, patch, expected(raw, patch), more.get("version", version))
    (receipt,) = google.write(object, [change])
    return receipt


@pytest.mark.parametrize(
    ("patch", "becomes"),
    [
        ({"end": "2026-02-02T11:30:00Z"}, {"end": "2026-02-02T11:30:00Z"}),
        ({"timeZone": "Asia/Tokyo"}, {"timeZone": "Asia/Tokyo"}),
        (
            {"start": "2026-02-02T00:00:00Z", "end": "2026-02-04T00:00:00Z", "allDay": True},
            {"start": "2026-02-02T00:00:00Z", "end": "2026-02-04T00:00:00Z", "allDay": True, "timeZone": None},
        ),
    ],
)
def test_of_the_times_of_an_event_some_may_change_and_the_others_stay(patch: Raw, becomes: Raw) -> None:
    google = connector(plain())
    receipt = update(google, "events", create(google).id, {"when": patch})
    assert receipt.outcome == "written"
    assert receipt.record is not None
    assert receipt.record["when"] == {**WHEN, **becomes}
    assert google.lookup("events", [str(receipt.id)]) == [receipt.record]


def test_a_flight_begins_in_one_zone_and_ends_in_another_whenever_it_goes() -> None:
    vendor = plain()
    start = {"dateTime": "2026-03-10T10:00:00+01:00", "timeZone": "Europe/Paris"}
    end = {"dateTime": "2026-03-10T13:00:00-04:00", "timeZone": "America/New_York"}
    id = vendor.make_event({"summary": "CDG to JFK", "start": start, "end": end})
    google = connector(vendor)
    later = {"start": "2026-03-10T10:30:00Z", "end": "2026-03-10T18:30:00Z"}
    assert update(google, "events", f"{ADDRESS}/{id}", {"when": later}).outcome == "written"
    held = vendor.calendars[ADDRESS].events.get(id).values  # type: ignore[union-attr]
    assert (held["start"]["timeZone"], held["end"]["timeZone"]) == ("Europe/Paris", "America/New_York")
    assert update(google, "events", f"{ADDRESS}/{id}", {"when": {"timeZone": "UTC"}}).outcome == "written"
    held = vendor.calendars[ADDRESS].events.get(id).values  # type: ignore[union-attr]
    assert (held["start"]["timeZone"], held["end"]["timeZone"]) == ("UTC", "UTC")


def test_a_calendar_that_is_only_read_refuses_and_nothing_is_in_doubt() -> None:
    vendor = plain()
    theirs = vendor.add_calendar("holidays@group.calendar.example.com", "Holidays", role="reader")
    google = connector(vendor, calendars=f"primary,{theirs.id}")
    assert create(google, calendar=theirs.id).outcome == "rejected"
    patches = [{"summary": "x", "when": WHEN, "calendar": place} for place in (theirs.id, ADDRESS)]
    changes = [Change("create", f"m{n}", patch=patch, key=f"mixed_{n}") for n, patch in enumerate(patches)]
    refused, written = google.write("events", changes)
    assert (refused.outcome, written.outcome) == ("rejected", "written")
    assert "writer access" in refused.reason


def test_a_refusal_for_a_reason_nobody_knows_is_no_doubt_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aios_connect_google._errors._RECORD", frozenset())
    vendor = plain()
    theirs = vendor.add_calendar("holidays@group.calendar.example.com", "Holidays", role="reader")
    google = connector(vendor, calendars=f"primary,{theirs.id}")
    patches = [{"summary": "x", "when": WHEN, "calendar": place} for place in (theirs.id, ADDRESS)]
    changes = [Change("create", f"m{n}", patch=patch, key=f"mixed_{n}") for n, patch in enumerate(patches)]
    assert [receipt.outcome for receipt in google.write("events", changes)] == ["rejected", "written"]


def test_whole_days_become_hours_again() -> None:
    google = connector(plain())
    made = create(google, when={"start": "2026-02-02T00:00:00Z", "end": "2026-02-03T00:00:00Z", "allDay": True})
    back = update(google, "events", made.id, {"when": WHEN})
    assert back.record is not None
    assert back.record["when"] == WHEN


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ({"when": {**WHEN, "allDay": True}}, "midnight UTC"),
        ({"when": {**WHEN, "start": "2026-02-02T09:00:00"}}, "with an offset"),
        ({"when": {**WHEN, "start": "2026-02-02T09:00:00.5Z"}}, "to the second"),
        ({"when": {**WHEN, "start": "soon"}}, "no instant"),
        ({"when": {**WHEN, "zone": "UTC"}}, "when.zone"),
        ({"show": "tentative"}, "busy or free"),
        ({"status": "cancelled"}, "deleted"),
        ({"hangoutLink": "https://meet.example.com"}, "no hangoutLink"),
        ({"when": {**WHEN, "timeZone": "Mars/Olympus"}}, "time zone"),
    ],
)
def test_what_google_has_no_place_for_is_refused_by_name(patch: Raw, reason: str) -> None:
    vendor = plain()
    receipt = create(connector(vendor), **patch)
    assert receipt.outcome == "rejected"
    assert reason in receipt.reason
    assert len(vendor.calendars[ADDRESS].events) == 0


def test_a_key_makes_one_event_however_often_it_is_sent() -> None:
    vendor = plain()
    google = connector(vendor)
    first, again = create(google), create(google)
    assert (first.outcome, again.outcome, again.id) == ("written", "written", first.id)
    assert len(vendor.calendars[ADDRESS].events) == 1


def test_an_event_that_was_made_and_deleted_is_not_made_again() -> None:
    vendor = plain()
    google = connector(vendor)
    made = create(google)
    vendor.drop_event(str(made.id).rpartition("/")[2])
    again = create(google)
    assert (again.outcome, again.reason) == ("conflict", "it was made before, and deleted since")
    assert google.find("events", ["key_0"]) == {}


def test_an_event_that_somebody_moved_to_another_calendar_is_found_by_its_key() -> None:
    vendor = plain()
    team = vendor.add_calendar("team@group.calendar.example.com", "The team")
    google = connector(vendor, calendars=f"primary,{team.id}")
    event = str(create(google).id).rpartition("/")[2]
    there = vendor.calendars[ADDRESS].events
    team.events.put(event, there.get(event).values)  # type: ignore[union-attr]
    vendor.drop_event(event)
    assert google.find("events", ["key_0"])["key_0"]["id"] == f"{team.id}/{event}"


def test_an_event_is_made_in_the_calendar_it_names() -> None:
    vendor = plain()
    team = vendor.add_calendar("team@group.calendar.example.com", "The team")
    made = create(connector(vendor, calendars=f"primary,{team.id}"), calendar=team.id)
    assert (made.outcome, len(team.events), len(vendor.calendars[ADDRESS].events)) == ("written", 1, 0)


def test_a_weekly_event_stays_at_nine_when_the_clocks_change() -> None:
    vendor = plain()
    google = connector(vendor)
    when = {"start": "2026-03-02T17:00:00Z", "end": "2026-03-02T18:00:00Z", "timeZone": "America/Los_Angeles"}
    create(google, when=when, recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"])
    found = google.occurrences(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert [raw["when"]["start"] for raw in found] == ["2026-03-02T17:00:00Z", "2026-03-09T16:00:00Z"]


def test_one_instance_of_a_series_is_changed_and_another_is_dropped() -> None:
    vendor = plain()
    google = connector(vendor)
    series = create(google, recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    second, third = f"{series.id}_20260209T090000Z", f"{series.id}_20260216T090000Z"
    assert update(google, "events", second, {"summary": "Kick-off, with cake"}).outcome == "written"
    (raw,) = google.lookup("events", [third])
    assert google.write("events", [Change("delete", "d", third, version=raw["etag"])])[0].outcome == "written"
    pages = everything(google, "events")
    read = {raw["id"]: raw["summary"] for page in pages for raw in page.records}
    assert read == {series.id: "Kick-off", second: "Kick-off, with cake"}
    assert [stone.id for page in pages for stone in page.tombstones] == [third]


def test_requests_of_a_batch_that_are_put_off_are_sent_again_and_only_those() -> None:
    vendor = plain(calendar=30)
    google = connector(vendor, budgeted=False)
    changes = [Change("create", f"c{n}", patch={"summary": str(n), "when": WHEN}, key=f"key_{n}") for n in range(50)]
    receipts = google.write("events", changes)
    assert {receipt.outcome for receipt in receipts} == {"written"}
    assert vendor.refused > 0
    made = [edit for edit in vendor.calendars[ADDRESS].events.history if edit.by == "api"]
    assert sorted(edit.values["summary"] for edit in made if edit.values) == sorted(str(n) for n in range(50))


def test_what_was_put_off_for_ever_was_not_written_and_is_in_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aios_connect_google._wire._WAITS", ())
    vendor = plain(calendar=30)
    google = connector(vendor, budgeted=False)
    changes = [Change("create", f"c{n}", patch={"summary": str(n), "when": WHEN}, key=f"key_{n}") for n in range(50)]
    receipts = google.write("events", changes)
    assert {receipt.outcome for receipt in receipts} == {"written", "rejected"}
    assert len(vendor.calendars[ADDRESS].events) == sum(receipt.outcome == "written" for receipt in receipts)
    assert all("too many requests" in receipt.reason for receipt in receipts if receipt.outcome == "rejected")


def test_of_contacts_that_are_sent_in_parts_those_put_off_are_in_no_doubt() -> None:
    vendor = plain(people=4)
    google = connector(vendor, budgeted=False, attempts=1)
    changes = [Change("create", f"c{n}", patch={"name": {"givenName": f"Ann {n}"}}) for n in range(4)]
    changes[1].patch["birthday"] = "1990-02-31"
    receipts = google.write("contacts", changes)
    assert [receipt.outcome for receipt in receipts] == ["written", "rejected", "rejected", "rejected"]
    assert "too many requests" in receipts[3].reason
    assert len(vendor.contacts) == 1


def test_a_batch_that_is_put_off_for_ever_is_no_receipt() -> None:
    vendor = plain()
    google = connector(vendor, budgeted=False, attempts=1)
    google.lookup("events", ["x"])
    vendor.hazards = Hazards(calendar=0)
    with pytest.raises(RateLimitedError):
        create(google)


def test_what_only_an_organiser_may_change_is_that_records_trouble_alone() -> None:
    vendor = plain()
    google = connector(vendor)
    times = {"start": {"dateTime": "2026-02-02T09:00:00Z"}, "end": {"dateTime": "2026-02-02T10:00:00Z"}}
    theirs = vendor.make_event({"summary": "Theirs", "organizer": {"email": "wen@northgate.example.com"}, **times})
    ours = vendor.make_event({"summary": "Ours", **times})
    patch = {"extendedProperties": {"shared": {"room": "2"}}}
    changes = [Change("update", id, f"{ADDRESS}/{id}", patch, {}) for id in (theirs, ours)]
    receipts = google.write("events", changes)
    assert [receipt.outcome for receipt in receipts] == ["rejected", "written"]
    assert "organizer" in receipts[0].reason


@pytest.mark.parametrize(("notify", "said"), [("", "none"), ("all", "all")])
def test_guests_are_told_of_what_we_write_only_if_somebody_said_so(notify: str, said: str) -> None:
    vendor = plain()
    google = connector(vendor, notify=notify)
    made = create(google)
    update(google, "events", made.id, {"summary": "x"})
    (raw,) = google.lookup("events", [str(made.id)])
    google.write("events", [Change("delete", "d", made.id, version=raw["etag"])])
    sent = [entry.call.body.decode() for entry in vendor.log if b"sendUpdates" in entry.call.body]
    assert len(sent) == 3
    assert all(f"sendUpdates={said}" in body for body in sent)
    with pytest.raises(ConfigError, match="notify"):
        connector(vendor, notify="everybody")


# contacts


def person(vendor: GoogleVendor) -> tuple[str, Raw]:
    id = next(iter(vendor.contacts)).id
    return id, dict(vendor.contacts.get(id).values)  # type: ignore[union-attr]


def test_one_number_changes_and_those_around_it_stay() -> None:
    vendor = plain()
    numbers = [
        {"value": "1", "type": "workFax"},
        {"value": "2", "type": "Switchboard"},
        {"value": "3", "type": "mobile"},
        {"value": "4", "type": "mobile"},
    ]
    id = vendor.make_contact({"names": [{"givenName": "Ann"}], "phoneNumbers": numbers})
    google = connector(vendor)
    (raw,) = google.lookup("contacts", [id])
    assert raw["phone"] == {"mobile": "3", "work": None, "home": None, "fax": "1", "other": "2"}
    assert update(google, "contacts", id, {"phone": {"mobile": "33", "home": "5", "fax": None}}).outcome == "written"
    assert person(vendor)[1]["phoneNumbers"] == [
        {"value": "2", "type": "Switchboard"},
        {"value": "33", "type": "mobile"},
        {"value": "4", "type": "mobile"},
        {"value": "5", "type": "home"},
    ]


def test_a_name_that_changes_in_part_is_put_together_by_google() -> None:
    vendor = furnish(plain())
    google = connector(vendor)
    receipt = update(google, "contacts", person(vendor)[0], {"name": {"familyName": "Finch", "middleName": "J"}})
    assert receipt.record is not None
    assert receipt.record["name"]["displayName"] == "Miriam J Finch"
    assert person(vendor)[1]["names"] == [{"givenName": "Miriam", "familyName": "Finch", "middleName": "J"}]


def test_only_the_lists_that_change_are_named() -> None:
    vendor = furnish(plain())
    google = connector(vendor)
    update(google, "contacts", person(vendor)[0], {"note": "Rings twice", "email": {"home": "m@example.org"}})
    (body,) = [entry.call.json() for entry in vendor.log if entry.call.path.endswith("batchUpdateContacts")]
    assert body["updateMask"] == "biographies,emailAddresses"


def test_a_contact_that_changed_between_our_look_and_our_write_is_a_conflict_of_its_own() -> None:
    vendor = furnish(plain())
    google = connector(vendor)
    raws = [raw for page in everything(google, "contacts") for raw in page.records]
    changes = [Change("update", raw["id"], raw["id"], {"note": "ours"}, {"note": None}, raw["version"]) for raw in raws]
    stale = raws[1]["id"]
    vendor.before = lambda call: _meanwhile(vendor, stale) if call.path.endswith("batchUpdateContacts") else None
    receipts = google.write("contacts", changes)
    assert [receipt.outcome for receipt in receipts] == ["written", "conflict", "written"]
    assert receipts[1].current is not None
    assert receipts[1].current["note"] == "theirs"


def _meanwhile(vendor: GoogleVendor, id: str) -> None:
    if "biographies" not in vendor.contacts.get(id).values:  # type: ignore[union-attr]
        vendor.contacts.change(id, {"biographies": [{"value": "theirs"}]}, by="a person")


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ({"names": [{"givenName": "x"}]}, "no names"),
        ({"email": {"school": "x@example.org"}}, "email.school"),
        ({"address": {"work": "9 Pier Lane"}}, "address.work"),
        ({"birthday": "in May"}, "no date"),
        ({"birthday": "1990-02-31"}, "invalid argument"),
    ],
)
def test_what_contacts_have_no_place_for_is_refused_by_name(patch: Raw, reason: str) -> None:
    vendor = plain()
    (receipt,) = connector(vendor).write("contacts", [Change("create", "c", patch={"name": {"givenName": "Ann"}, **patch})])
    assert receipt.outcome == "rejected"
    assert reason in receipt.reason
    assert len(vendor.contacts) == 0


def test_new_contacts_are_told_apart_whatever_the_order_of_the_answer() -> None:
    vendor = GoogleVendor(hazards=Hazards(lag=0.0), seed=5)
    google = connector(vendor)
    changes = [Change("create", f"c{n}", patch={"name": {"givenName": f"Ann {n}"}}) for n in range(20)]
    receipts = google.write("contacts", changes)
    assert [(receipt.record or {})["name"]["givenName"] for receipt in receipts] == [f"Ann {n}" for n in range(20)]


def test_a_write_that_nobody_consented_to_says_which_scope_permits_it() -> None:
    scopes = frozenset({"https://www.googleapis.com/auth/contacts.readonly"})
    vendor = furnish(GoogleVendor(hazards=Hazards.none(), scopes=scopes))
    google = connector(vendor)
    assert len(everything(google, "contacts")) == 1
    with pytest.raises(AuthError, match="write contacts") as caught:
        google.write("contacts", [Change("create", "c", patch={"name": {"givenName": "Ann"}})])
    assert "https://www.googleapis.com/auth/contacts ticked" in caught.value.hint


def test_contacts_that_change_in_different_places_are_written_as_one_and_keep_the_rest() -> None:
    vendor = plain()
    numbers = [{"value": "1", "type": "mobile"}, {"value": "2", "type": "Yacht"}]
    address = {"formattedValue": "9 Pier Lane\nPortland", "type": "home"}
    ids = [
        vendor.make_contact({"names": [{"givenName": "Ann"}], "phoneNumbers": numbers, "addresses": [address]}),
        vendor.make_contact({"names": [{"givenName": "Bea"}], "biographies": [{"value": "Rings twice"}]}),
    ]
    google = connector(vendor)
    raws = {raw["id"]: raw for raw in google.lookup("contacts", ids)}
    patches: list[Raw] = [{"note": "Sails"}, {"phone": {"work": "3"}, "address": {"work": {"city": "Bend"}}}]
    changes = [Change("update", id, id, patch, {}, raws[id]["version"]) for id, patch in zip(ids, patches, strict=True)]
    start = len(vendor.log)
    assert [receipt.outcome for receipt in google.write("contacts", changes)] == ["written", "written"]
    assert len(vendor.log) - start == 2
    ann, bea = (vendor.contacts.get(id).values for id in ids)  # type: ignore[union-attr]
    assert (ann["phoneNumbers"], ann["addresses"], ann["biographies"][0]["value"]) == (numbers, [address], "Sails")
    assert (bea["phoneNumbers"], bea["biographies"]) == ([{"value": "3", "type": "work"}], [{"value": "Rings twice"}])


def test_an_address_that_is_one_text_is_read_as_its_street_and_not_lost_when_another_changes() -> None:
    vendor = plain()
    free, named = (
        {"formattedValue": "9 Pier Lane\nPortland", "type": "home"},
        {"city": "Bend", "formattedValue": "Bend", "type": "work"},
    )
    id = vendor.make_contact({"addresses": [free, named]})
    google = connector(vendor)
    (raw,) = google.lookup("contacts", [id])
    assert (raw["address"]["home"]["streetAddress"], raw["address"]["home"]["city"]) == ("9 Pier Lane\nPortland", None)
    assert raw["address"]["work"]["streetAddress"] is None
    update(google, "contacts", id, {"address": {"work": {"city": "Salem"}}})
    assert vendor.contacts.get(id).values["addresses"] == [free, {"city": "Salem", "type": "work"}]  # type: ignore[union-attr]
    update(google, "contacts", id, {"address": {"home": {"country": "USA"}}})
    there = vendor.contacts.get(id).values["addresses"][0]  # type: ignore[union-attr]
    assert there == {"streetAddress": "9 Pier Lane\nPortland", "country": "USA", "type": "home"}


def test_an_address_that_is_cleared_goes_with_the_name_beside_it() -> None:
    vendor = plain()
    id = vendor.make_contact({"emailAddresses": [{"value": "a@x.example", "displayName": "Ann", "type": "work"}]})
    google = connector(vendor)
    update(google, "contacts", id, {"email": {"work": None}})
    assert "emailAddresses" not in vendor.contacts.get(id).values  # type: ignore[union-attr]
