"""Reading from Google: series and their exceptions, times in one form, several calendars, tokens that are forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aios_connect_google import Busy
from aios_connect_google._contact_shape import shaped
from aios_connect_google._event_shape import event_id
from aios_connect_google.sandbox import ADDRESS, GoogleVendor, Hazards, furnish

from aios_connect.connectors import CursorGoneError, Page, Raw, Tombstone
from aios_connect.errors import NotFoundError, RejectedError

from .google_account import asked, connector, everything

TEAM = "team@group.calendar.example.com"
ZONE = "America/Los_Angeles"


def timed(day: int, hour: int = 9, **more: Any) -> Raw:
    at = f"2026-02-{day:02d}T{hour:02d}"
    return {"start": {"dateTime": f"{at}:00:00-08:00", "timeZone": ZONE}, "end": {"dateTime": f"{at}:30:00-08:00"}, **more}


def plain() -> GoogleVendor:
    return GoogleVendor(hazards=Hazards.none())


def records(pages: list[Page]) -> dict[str, Raw]:
    return {raw["event"]: raw for page in pages for raw in page.records}


def gone(pages: list[Page]) -> list[Tombstone]:
    return [stone for page in pages for stone in page.tombstones]


def test_a_series_is_one_record_and_its_exceptions_are_records_of_their_own() -> None:
    vendor = plain()
    series = vendor.make_event(timed(2, summary="Round", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"]))
    moved, dropped = f"{series}_20260209T170000Z", f"{series}_20260216T170000Z"
    google = connector(vendor)
    cursor = everything(google, "events")[-1].cursor
    vendor.calendars[ADDRESS].events.put(
        moved, timed(10, summary="Round, a day later", recurringEventId=series, originalStartTime=timed(9)["start"])
    )
    vendor.drop_event(dropped)
    for since in (cursor, None):
        pages = everything(google, "events", since)
        read = records(pages)
        assert set(read) - {series} == {moved}
        assert (read[moved]["series"], read[moved]["when"]["start"]) == (f"{ADDRESS}/{series}", "2026-02-10T17:00:00Z")
        assert gone(pages) == [Tombstone(f"{ADDRESS}/{dropped}", "deleted")]
    whole = records(everything(google, "events"))
    assert whole[series]["series"] == f"{ADDRESS}/{series}"
    assert whole[series]["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=4"]


def test_a_series_that_is_deleted_takes_its_exceptions_with_it() -> None:
    vendor = plain()
    series = vendor.make_event(timed(2, recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"]))
    moved = f"{series}_20260209T170000Z"
    vendor.calendars[ADDRESS].events.put(moved, timed(10, recurringEventId=series, originalStartTime=timed(9)["start"]))
    google = connector(vendor)
    cursor = everything(google, "events")[-1].cursor
    vendor.drop_event(series)
    assert {stone.id for stone in gone(everything(google, "events", cursor))} == {f"{ADDRESS}/{series}", f"{ADDRESS}/{moved}"}
    assert records(everything(google, "events")) == {}


def test_what_takes_place_is_worked_out_by_google() -> None:
    vendor = plain()
    series = vendor.make_event(timed(2, summary="Round", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"]))
    vendor.drop_event(f"{series}_20260216T170000Z")
    vendor.make_event(timed(3, summary="Once"))
    found = connector(vendor).occurrences(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 20, tzinfo=UTC))
    assert [(raw["summary"], raw["when"]["start"]) for raw in found] == [
        ("Round", "2026-02-02T17:00:00Z"),
        ("Once", "2026-02-03T17:00:00Z"),
        ("Round", "2026-02-09T17:00:00Z"),
    ]


def test_times_have_one_form_whatever_zone_they_come_in() -> None:
    vendor = plain()
    one = vendor.make_event(timed(2))
    days = vendor.make_event({"start": {"date": "2026-02-02"}, "end": {"date": "2026-02-04"}})
    read = records(everything(connector(vendor), "events"))
    assert read[one]["when"] == {
        "start": "2026-02-02T17:00:00Z",
        "end": "2026-02-02T17:30:00Z",
        "timeZone": ZONE,
        "allDay": False,
    }
    assert read[days]["when"] == {
        "start": "2026-02-02T00:00:00Z",
        "end": "2026-02-04T00:00:00Z",
        "timeZone": None,
        "allDay": True,
    }
    assert read[days]["start"] == {"date": "2026-02-02"}


def test_an_event_without_times_is_set_aside_and_its_neighbours_are_read() -> None:
    vendor = plain()
    good = vendor.make_event(timed(2))
    bad = vendor.make_event({"summary": "When?"})
    odd = vendor.make_event(timed(3))
    pages = everything(connector(vendor), "events")
    aside = [one for page in pages for one in page.quarantined]
    assert set(records(pages)) == {good, odd}
    assert [(one.id, one.reason) for one in aside] == [(f"{ADDRESS}/{bad}", "it has no start or no end")]


@pytest.mark.parametrize("hazards", [Hazards(), Hazards.none()])
def test_pages_that_are_short_or_empty_are_not_the_end(hazards: Hazards) -> None:
    vendor = GoogleVendor(hazards=hazards, seed=3)
    made = {vendor.make_event(timed(2, summary=str(number))) for number in range(6_000)}
    google = connector(vendor)
    pages = everything(google, "events")
    assert set(records(pages)) == made
    sizes = [len(page.records) for page in pages[:-1]]
    assert all(size == 2500 for size in sizes) == (hazards == Hazards.none())


def test_each_calendar_that_counts_is_read_from_where_it_stands() -> None:
    vendor = plain()
    vendor.add_calendar(TEAM, "The team")
    mine, theirs = vendor.make_event(timed(2)), vendor.make_event(timed(3), calendar=TEAM)
    google = connector(vendor, calendars=f"primary, {TEAM}")
    pages = everything(google, "events")
    assert {raw["id"] for page in pages for raw in page.records} == {f"{ADDRESS}/{mine}", f"{TEAM}/{theirs}"}
    assert [page.complete for page in pages] == [False, True]
    later = vendor.make_event(timed(4), calendar=TEAM)
    vendor.drop_event(mine)
    start = len(vendor.log)
    pages = everything(google, "events", pages[-1].cursor)
    assert (list(records(pages)), [stone.id for stone in gone(pages)]) == ([later], [f"{ADDRESS}/{mine}"])
    assert len(asked(vendor, start)) == 2
    only = everything(connector(vendor, calendars=TEAM), "events", pages[-1].cursor)
    assert (records(only), only[-1].cursor["at"].keys()) == ({}, {TEAM})


def test_a_read_that_stopped_between_two_calendars_goes_on_with_the_second() -> None:
    vendor = plain()
    vendor.add_calendar(TEAM, "The team")
    vendor.make_event(timed(2))
    theirs = vendor.make_event(timed(3), calendar=TEAM)
    first = next(iter(connector(vendor, calendars=f"primary,{TEAM}").read("events")))
    assert not first.complete
    rest = everything(connector(vendor, calendars=f"primary,{TEAM}"), "events", first.cursor)
    assert list(records(rest)) == [theirs]


def test_a_calendar_that_came_to_the_settings_later_is_read_whole() -> None:
    vendor = plain()
    vendor.add_calendar(TEAM, "The team")
    vendor.make_event(timed(2))
    theirs = vendor.make_event(timed(3), calendar=TEAM)
    cursor = everything(connector(vendor), "events")[-1].cursor
    assert list(records(everything(connector(vendor, calendars=f"primary,{TEAM}"), "events", cursor))) == [theirs]


def test_a_read_that_stopped_in_a_calendar_that_counts_no_more_goes_on_with_the_others() -> None:
    vendor = plain()
    vendor.add_calendar(TEAM, "The team")
    mine = vendor.make_event(timed(2))
    cursor = {"at": {TEAM: {"sync": "old"}}, "left": [TEAM]}
    pages = everything(connector(vendor), "events", cursor)
    assert (list(records(pages)), pages[-1].cursor["at"].keys()) == ([mine], {ADDRESS})


def test_a_calendar_that_is_named_twice_is_read_once() -> None:
    vendor = plain()
    vendor.make_event(timed(2))
    pages = everything(connector(vendor, calendars=f"primary,{ADDRESS},"), "events")
    assert [len(page.records) for page in pages] == [1]


@pytest.mark.parametrize(("object", "days", "lost"), [("events", 31, True), ("contacts", 8, True), ("contacts", 6, False)])
def test_a_sync_token_that_google_forgot_is_said_to_be_gone(object: str, days: int, lost: bool) -> None:
    vendor = furnish(GoogleVendor())
    google = connector(vendor)
    cursor = everything(google, object)[-1].cursor
    vendor.clock.sleep(days * 86_400)
    if lost:
        with pytest.raises(CursorGoneError):
            everything(google, object, cursor)
    else:
        assert everything(google, object, cursor)


@pytest.mark.parametrize("cursor", [{"sync": "nonsense"}, {"page": "nonsense"}, {"sync": "", "page": "eyJmcm9tIjogMX0="}])
def test_a_token_that_is_none_is_said_to_be_gone(cursor: dict[str, str]) -> None:
    with pytest.raises(CursorGoneError):
        everything(connector(furnish(plain())), "contacts", cursor)


def test_a_calendar_that_is_taken_off_the_list_is_told() -> None:
    vendor = furnish(plain())
    google = connector(vendor)
    cursor = everything(google, "calendars")[-1].cursor
    vendor.list_of_calendars.remove(TEAM)
    assert gone(everything(google, "calendars", cursor)) == [Tombstone(TEAM, "deleted")]
    with pytest.raises(RejectedError, match="only read"):
        google.write("calendars", [object()])  # type: ignore[list-item]


def test_a_contact_that_goes_by_another_name_now_is_told_as_merged() -> None:
    vendor = furnish(plain())
    google = connector(vendor)
    cursor = everything(google, "contacts")[-1].cursor
    old = next(iter(vendor.contacts)).id
    new = vendor.link_contact(old)
    pages = everything(google, "contacts", cursor)
    assert gone(pages) == [Tombstone(old, "merged", new)]
    assert [raw["id"] for page in pages for raw in page.records] == [new]


def test_what_comes_from_a_profile_is_not_taken_for_the_contacts_own() -> None:
    profile, contact = ({"metadata": {"source": {"type": kind}}} for kind in ("PROFILE", "CONTACT"))
    raw = shaped(
        {
            "resourceName": "people/c1",
            "emailAddresses": [
                {"value": "public@example.com", "type": "work", **profile},
                {"value": "ours@example.com", **contact},
            ],
            "metadata": {"sources": [{"type": "PROFILE", "etag": "#p"}, {"type": "CONTACT", "etag": "#c"}]},
        }
    )
    assert raw["email"] == {"work": None, "home": None, "other": "ours@example.com"}
    assert (raw["version"], len(raw["emailAddresses"])) == ("#c", 2)


def test_busy_times_are_those_of_all_calendars_that_count() -> None:
    vendor = plain()
    vendor.add_calendar(TEAM, "The team")
    vendor.make_event(timed(2, 9))
    vendor.make_event(timed(2, 12, transparency="transparent"))
    vendor.make_event({**timed(2, 9), "end": {"dateTime": "2026-02-02T10:00:00-08:00"}}, calendar=TEAM)
    series = vendor.make_event(timed(3, 14, recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    vendor.drop_event(f"{series}_20260204T220000Z")
    google = connector(vendor, calendars=f"primary,{TEAM}")
    start, end = datetime(2026, 2, 2, tzinfo=UTC), datetime(2026, 2, 6, tzinfo=UTC)

    def at(day: int, hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 2, day, hour, minute, tzinfo=UTC)

    taken = [Busy(at(2, 17), at(2, 18)), Busy(at(3, 22), at(3, 22, 30)), Busy(at(5, 22), at(5, 22, 30))]
    assert google.busy(start, end) == taken


def test_a_calendar_that_cannot_be_asked_is_not_free() -> None:
    with pytest.raises(NotFoundError, match="nobody@example"):
        connector(plain(), calendars="nobody@example.com").busy(
            datetime(2026, 2, 2, tzinfo=UTC), datetime(2026, 2, 6, tzinfo=UTC)
        )


def test_the_id_of_an_event_is_made_of_our_key_in_letters_that_google_allows() -> None:
    keys = ["event_01HX4Y2Z", "", "é", "A" * 200]
    ids = [event_id(key) for key in keys]
    assert len(set(ids)) == len(keys)
    assert all(set(id) <= set("0123456789abcdefghijklmnopqrstuv") for id in ids)
