"""Each thing that is hard about the fake Google, with a careless client that it harms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from aios_connect_google._batch import BOUNDARY, Ask, encode
from aios_connect_google.sandbox import TOKEN, GoogleVendor, Hazards, furnish

from aios_connect.sandbox import FAULTS, Answer, Schedule

DAY = {"start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}}
EVENTS = "/calendar/v3/calendars/primary/events"


def only(**hazards: Any) -> GoogleVendor:
    """An account in which one thing is hard."""
    quiet = Hazards.none()
    return GoogleVendor(hazards=Hazards(**{name: hazards.get(name, getattr(quiet, name)) for name in Hazards.__slots__}))


def ask(vendor: GoogleVendor, method: str, url: str, body: Any = None, **headers: str) -> Answer:
    sent = {"authorization": f"Bearer {TOKEN}", **headers}
    return vendor.exchange(method, url, sent, b"" if body is None else json.dumps(body).encode())


def told(answer: Answer) -> Any:
    assert answer.status == 200
    return json.loads(answer.body)


def pages(vendor: GoogleVendor, size: int) -> Iterator[Any]:
    page, token = None, ""
    while page is None or token:
        page = told(ask(vendor, "GET", f"{EVENTS}?maxResults={size}{f'&pageToken={token}' if token else ''}"))
        token = page.get("nextPageToken", "")
        yield page


@pytest.mark.parametrize(("short", "lost"), [(True, True), (False, False)])
def test_who_takes_a_short_page_for_the_last_one_loses_events(short: bool, lost: bool) -> None:
    vendor = only(short_pages=short)
    for number in range(1000):
        vendor.make_event({"summary": str(number), **DAY})
    careless = 0
    for page in pages(vendor, 100):
        careless += len(page["items"])
        if len(page["items"]) < 100:
            break
    assert (careless < 1000) == lost
    assert sum(len(page["items"]) for page in pages(vendor, 100)) == 1000


@pytest.mark.parametrize("shuffled", [True, False])
def test_who_reads_a_batch_in_the_order_it_was_sent_mixes_records_up(shuffled: bool) -> None:
    vendor = only(shuffled=shuffled)
    asks = [Ask("POST", "calendars/primary/events", body={"summary": f"n{number}n", **DAY}) for number in range(20)]
    answer = vendor.exchange(
        "POST",
        "/batch/calendar/v3",
        {"authorization": f"Bearer {TOKEN}", "content-type": f"multipart/mixed; boundary={BOUNDARY}"},
        encode(asks, "calendar/v3"),
    )
    places = [answer.body.index(f"n{number}n".encode()) for number in range(20)]
    assert (places != sorted(places)) == shuffled


def test_who_takes_every_403_for_a_missing_right_gives_up_when_it_should_wait() -> None:
    vendor = only(calendar=1)
    assert ask(vendor, "GET", EVENTS).status == 200
    refused = [ask(vendor, "GET", EVENTS) for _ in range(4)]
    assert {answer.status for answer in refused} == {403, 429}
    assert {json.loads(answer.body)["error"]["errors"][0]["domain"] for answer in refused} == {"usageLimits"}
    vendor.clock.sleep(60)
    assert ask(vendor, "GET", EVENTS).status == 200


def test_each_request_of_a_batch_counts() -> None:
    vendor = only(calendar=10)
    asks = encode([Ask("GET", "calendars/primary/events")] * 12, "calendar/v3")
    kind = {"authorization": f"Bearer {TOKEN}", "content-type": f"multipart/mixed; boundary={BOUNDARY}"}
    answer = vendor.exchange("POST", "/batch/calendar/v3", kind, asks)
    assert (answer.body.count(b"HTTP/1.1 200"), vendor.counted["calendar"], vendor.refused) == (10, 10, 2)


@pytest.mark.parametrize(("days", "status"), [(29, 200), (31, 410)])
def test_who_keeps_a_sync_token_for_too_long_must_read_everything(days: int, status: int) -> None:
    vendor = only(calendar_tokens=30.0)
    token = told(ask(vendor, "GET", EVENTS))["nextSyncToken"]
    vendor.clock.sleep(days * 86_400)
    assert ask(vendor, "GET", f"{EVENTS}?syncToken={token}").status == status


def test_who_asks_for_changed_contacts_right_after_a_change_does_not_see_it_yet() -> None:
    vendor = furnish(only(lag=60.0))
    vendor.clock.sleep(3600)
    address = "/v1/people/me/connections?personFields=names,metadata&requestSyncToken=true"
    token = told(ask(vendor, "GET", address))["nextSyncToken"]
    id = vendor.make_contact({"names": [{"givenName": "Sam"}]})
    soon = told(ask(vendor, "GET", f"{address}&syncToken={token}"))
    assert "connections" not in soon
    vendor.clock.sleep(3600)
    late = told(ask(vendor, "GET", f"{address}&syncToken={soon['nextSyncToken']}"))
    assert [person["resourceName"] for person in late["connections"]] == [id]


def test_who_sends_again_what_was_not_answered_makes_it_twice() -> None:
    vendor = only()
    vendor.schedule = Schedule(only={0: FAULTS["timeout_after"]})
    with pytest.raises(Exception, match="timeout"):
        ask(vendor, "POST", EVENTS, {"summary": "Kick-off", **DAY})
    told(ask(vendor, "POST", EVENTS, {"summary": "Kick-off", **DAY}))
    assert sum(len(page["items"]) for page in pages(vendor, 10)) == 2


def test_who_clears_a_time_by_leaving_it_out_gets_an_event_with_two_of_them_refused() -> None:
    vendor = only()
    timed = {"start": {"dateTime": "2026-02-02T09:00:00Z"}, "end": {"dateTime": "2026-02-02T10:00:00Z"}}
    made = told(ask(vendor, "POST", EVENTS, {"id": "chosen", "summary": "Kick-off", **timed}))
    assert ask(vendor, "PATCH", f"{EVENTS}/{made['id']}", DAY).status == 400
    cleared = {name: {**day, "dateTime": None, "timeZone": None} for name, day in DAY.items()}
    assert told(ask(vendor, "PATCH", f"{EVENTS}/{made['id']}", cleared))["start"] == DAY["start"]


def test_who_does_not_say_what_was_read_writes_over_others() -> None:
    vendor = only()
    made = told(ask(vendor, "POST", EVENTS, {"summary": "Kick-off", **DAY}))
    place = f"{EVENTS}/{made['id']}"
    assert told(ask(vendor, "PATCH", place, {"summary": "theirs"}))["etag"] != made["etag"]
    assert ask(vendor, "PATCH", place, {"summary": "ours"}, **{"if-match": made["etag"]}).status == 412
    assert told(ask(vendor, "PATCH", place, {"summary": "ours"}))["summary"] == "ours"


def test_who_updates_a_list_of_a_contact_by_its_new_item_loses_the_others() -> None:
    vendor = only()
    name = vendor.make_contact({"phoneNumbers": [{"value": "1", "type": "home"}, {"value": "2", "type": "work"}]})
    place = f"/v1/{name}?personFields=phoneNumbers,metadata"
    person = told(ask(vendor, "GET", place))
    body = {"phoneNumbers": [{"value": "3", "type": "mobile"}], "metadata": person["metadata"]}
    told(ask(vendor, "PATCH", f"/v1/{name}:updateContact?updatePersonFields=phoneNumbers", body))
    assert [one["value"] for one in told(ask(vendor, "GET", place))["phoneNumbers"]] == ["3"]


CONTACTS = "/v1/people/me/connections?personFields=names,metadata&requestSyncToken=true"


def is_refused(url: str) -> Callable[[GoogleVendor], bool]:
    """One call after the other without counting."""
    return lambda vendor: any(ask(vendor, "GET", url).status in (403, 429) for _ in range(12))


def takes_its_own_write_for_somebody_elses(vendor: GoogleVendor) -> bool:
    """It knows its writes by the instant at which it sent them."""
    sent = vendor.clock.now()
    return datetime.fromisoformat(told(ask(vendor, "POST", EVENTS, {"summary": "A", **DAY}))["updated"]) > sent


def loses_events(vendor: GoogleVendor) -> bool:
    """A page that is short is taken for the last one."""
    for number in range(30):
        vendor.make_event({"summary": str(number), **DAY})
    count = 0
    for page in pages(vendor, 5):
        count += len(page["items"])
        if len(page["items"]) < 5:
            break
    return count < 30


def forgets(url: str, token: str, back: str) -> Callable[[GoogleVendor], bool]:
    """A token is kept over the holidays, and good no more."""

    def harmed(vendor: GoogleVendor) -> bool:
        vendor.receive_mail(b"Subject: A\r\n\r\nHello.\r\n")
        kept = told(ask(vendor, "GET", url))[token]
        vendor.clock.sleep(3600)
        vendor.receive_mail(b"Subject: B\r\n\r\nHello.\r\n")
        vendor.clock.sleep(40 * 86_400)
        return ask(vendor, "GET", back + kept).status >= 400

    return harmed


def misses_what_was_just_made(vendor: GoogleVendor) -> bool:
    token = told(ask(vendor, "GET", CONTACTS))["nextSyncToken"]
    vendor.make_contact({"names": [{"givenName": "Sam"}]})
    return "connections" not in told(ask(vendor, "GET", f"{CONTACTS}&syncToken={token}"))


def takes_one_for_another(vendor: GoogleVendor) -> bool:
    asks = [Ask("POST", "calendars/primary/events", body={"summary": f"n{number}n", **DAY}) for number in range(20)]
    kind = {"authorization": f"Bearer {TOKEN}", "content-type": f"multipart/mixed; boundary={BOUNDARY}"}
    answer = vendor.exchange("POST", "/batch/calendar/v3", kind, encode(asks, "calendar/v3"))
    places = [answer.body.index(f"n{number}n".encode()) for number in range(20)]
    return places != sorted(places)


VICTIMS: dict[str, tuple[Callable[[GoogleVendor], bool], Any]] = {
    "latency": (takes_its_own_write_for_somebody_elses, 0.1),
    "calendar": (is_refused(EVENTS), 10),
    "people": (is_refused(CONTACTS), 10),
    "gmail": (is_refused("/gmail/v1/users/me/messages"), 50),
    "short_pages": (loses_events, True),
    "calendar_tokens": (forgets(EVENTS, "nextSyncToken", f"{EVENTS}?syncToken="), 30.0),
    "people_tokens": (forgets(CONTACTS, "nextSyncToken", f"{CONTACTS}&syncToken="), 7.0),
    "history": (forgets("/gmail/v1/users/me/profile", "historyId", "/gmail/v1/users/me/history?startHistoryId="), 7.0),
    "lag": (misses_what_was_just_made, 60.0),
    "shuffled": (takes_one_for_another, True),
}
"""Hazard -> a client that does what most do and whom it harms, and how hard it has to be."""


@pytest.mark.parametrize("hazard", VICTIMS)
def test_a_hazard_alone_harms_a_client_and_without_it_nothing_does(hazard: str) -> None:
    harmed, hard = VICTIMS[hazard]
    assert harmed(only(**{hazard: hard}))
    assert not harmed(only())
    assert getattr(Hazards(), hazard), "it is on unless it is turned off"


def test_every_hazard_has_its_victim_and_names_its_evidence() -> None:
    assert set(VICTIMS) == set(Hazards.__dataclass_fields__)
    assert Hazards.__doc__ is not None
    for name in Hazards.__dataclass_fields__:
        line = next(line for line in Hazards.__doc__.splitlines() if line.strip().startswith(f"{name}:"))
        assert any(mark in line for mark in ("http", "document", "assumed", "developers."))
