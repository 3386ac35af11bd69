"""The fake Google and its connector under two judges nobody here made: Google's discovery documents, and Google's own client.

The documents are those of the folder that ``AIOS_SPECS`` names; without it, and without the client, their tests are skipped.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aios_connect_google import Google
from aios_connect_google._apis import NEEDS
from aios_connect_google.sandbox import ADDRESS, EVIDENCE, TOKEN, GoogleVendor, Hazards, furnish

from aios_connect.connectors import Change
from aios_connect.connectors.sending import Letter
from aios_connect.sandbox import serve, transport

from .google_account import connector, everything
from .google_judge import SPECS, Judge

needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="AIOS_SPECS names no folder with the vendor's specs")


@pytest.fixture
def judged() -> Iterator[tuple[GoogleVendor, Judge, Google]]:
    pytest.importorskip("openapi_core")
    vendor = furnish(GoogleVendor())
    judge = Judge(transport(vendor))
    yield vendor, judge, connector(vendor, through=judge.transport)
    assert judge.judged > 0


WHEN = {"start": "2026-02-02T09:00:00Z", "end": "2026-02-02T10:00:00Z", "timeZone": "Europe/Paris", "allDay": False}


@needs_specs
def test_all_that_is_read_is_as_the_discovery_documents_say(judged: tuple[GoogleVendor, Judge, Google]) -> None:
    vendor, judge, google = judged
    google.check()
    monday = next(one.id for one in vendor.calendars[ADDRESS].events if one.values.get("recurrence"))
    for object in google.spec.objects:
        google.describe(object)
        pages = everything(google, object)
        ids = [raw["id"] for page in pages for raw in page.records]
        if object == "events":
            vendor.drop_event(f"{monday}_20260112T163000Z")
            vendor.drop_event(ids[0].rpartition("/")[2])
        if object == "messages":
            vendor.label_mail(ids[0], add=["Label_7"])
            vendor.delete_mail(ids[1])
        assert everything(google, object, pages[-1].cursor)
        missing = {"events": f"{ADDRESS}/nothere", "contacts": "people/c1", "calendars": "nobody@example.com"}
        left = len(ids) - (object in ("events", "messages"))
        assert len(google.lookup(object, [*ids, missing.get(object, "19")])) == left
        assert sum(len(page.items) for page in google.scan(object)) == left
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    assert google.busy(start, end)
    assert google.labels()
    assert google.occurrences(start, end)
    assert google.find("events", ["no such key"]) == {}
    assert judge.judged > 20


@needs_specs
def test_all_that_is_written_is_as_the_discovery_documents_say(judged: tuple[GoogleVendor, Judge, Google]) -> None:
    _, judge, google = judged
    attendees = [{"email": "wen@northgate.example.com", "optional": True}]
    patches: list[dict[str, Any]] = [
        {"summary": "One", "when": WHEN, "attendees": attendees, "reminders": {"useDefault": False, "overrides": []}},
        {
            "summary": "Days",
            "show": "free",
            "when": {"start": "2026-02-02T00:00:00Z", "end": "2026-02-04T00:00:00Z", "allDay": True},
        },
        {
            "summary": "Weekly",
            "when": WHEN,
            "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"],
            "extendedProperties": {"shared": {"a": "b"}},
        },
        {"summary": "Backwards", "when": {**WHEN, "end": "2026-02-02T08:00:00Z"}},
    ]
    changes = [Change("create", f"c{number}", patch=patch, key=f"event_{number}") for number, patch in enumerate(patches)]
    made = google.write("events", changes)
    assert [receipt.outcome for receipt in made] == ["written", "written", "written", "rejected"]
    id, version = made[0].id, made[0].version
    moved = {"when": {"start": "2026-02-03T09:00:00Z", "end": "2026-02-03T11:00:00Z"}, "location": None, "show": "free"}
    assert google.write("events", [Change("update", "u", id, moved, version=version)])[0].outcome == "written"
    assert google.write("events", [Change("update", "v", id, {"summary": "x"}, version=version)])[0].outcome == "conflict"
    assert google.write("events", [Change("delete", "d", made[1].id, version=made[1].version)])[0].outcome == "written"
    person = {
        "name": {"givenName": "Sam", "familyName": "Okafor"},
        "email": {"work": "sam@example.com", "other": "s@example.org"},
        "phone": {"mobile": "+15035550111", "fax": "+15035550112"},
        "address": {"work": {"streetAddress": "9 Pier Lane", "city": "Portland"}},
        "organization": {"name": "Tidewater Yoga", "title": "Instructor"},
        "note": "Prefers mornings",
        "website": "https://sam.example.com",
        "birthday": "1990-02-28",
        "nickname": "Sammy",
    }
    people = google.write("contacts", [Change("create", f"p{n}", patch=person) for n in range(3)])
    assert [receipt.outcome for receipt in people] == ["written"] * 3
    cleared = {"note": None, "email": {"other": None}, "birthday": None, "organization": {"title": None}}
    one = people[0]
    assert google.write("contacts", [Change("update", "q", one.id, cleared, version=one.version)])[0].outcome == "written"
    assert google.write("contacts", [Change("update", "r", one.id, {"note": "x"}, version=one.version)])[0].outcome == "conflict"
    gone = [Change("delete", f"g{n}", receipt.id, version=receipt.version) for n, receipt in enumerate(people[1:])]
    assert [receipt.outcome for receipt in google.write("contacts", gone)] == ["written"] * 2
    letter = Letter(["wen@northgate.example.com"], "Re: Clean room", "Yes.", in_reply_to="<m1@northgate.example.com>")
    assert [google.send(letter, "line-1").outcome for _ in range(2)] == ["sent", "unchanged"]
    (channel,) = google.watch("https://office.example.com/google")
    google.stop(channel)
    assert judge.operations >= {
        *("gmail.users.drafts.create", "gmail.users.drafts.send", "calendar.events.watch", "calendar.channels.stop"),
        *("calendar.events.insert", "calendar.events.patch", "calendar.events.delete", "calendar.events.get"),
        *("people.people.batchCreateContacts", "people.people.batchUpdateContacts", "people.people.batchDeleteContacts"),
    }


@needs_specs
def test_the_judge_sees_what_is_wrong(judged: tuple[GoogleVendor, Judge, Google]) -> None:
    vendor, _, google = judged
    everything(google, "calendars")
    http, host = google.context.http, "https://www.googleapis.com"
    body = {"start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}, "sumary": "misspelt"}
    with pytest.raises(Exception, match="validation"):
        http.request("POST", f"{host}/calendar/v3/calendars/primary/events", json=body)
    with pytest.raises(AssertionError, match="maxResult"):
        http.request("GET", f"{host}/calendar/v3/calendars/primary/events", params={"maxResult": "3"})
    vendor.make_event({"summary": 17, "start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}})
    with pytest.raises(Exception, match="not of type 'string'"):
        everything(google, "events")


@needs_specs
@pytest.mark.parametrize(
    ("document", "operation", "object", "write"),
    [
        ("calendar.v3", "calendar.calendarList.list", "calendars", False),
        ("calendar.v3", "calendar.calendarList.get", "calendars", False),
        ("calendar.v3", "calendar.events.list", "events", False),
        ("calendar.v3", "calendar.events.get", "events", False),
        ("calendar.v3", "calendar.events.watch", "events", False),
        ("calendar.v3", "calendar.events.insert", "events", True),
        ("calendar.v3", "calendar.events.patch", "events", True),
        ("calendar.v3", "calendar.events.delete", "events", True),
        ("calendar.v3", "calendar.freebusy.query", "busy times", False),
        ("gmail.v1", "gmail.users.getProfile", "messages", False),
        ("gmail.v1", "gmail.users.messages.list", "messages", False),
        ("gmail.v1", "gmail.users.messages.get", "messages", False),
        ("gmail.v1", "gmail.users.history.list", "messages", False),
        ("gmail.v1", "gmail.users.drafts.list", "messages", True),
        ("gmail.v1", "gmail.users.drafts.get", "messages", True),
        ("gmail.v1", "gmail.users.drafts.create", "messages", True),
        ("gmail.v1", "gmail.users.drafts.send", "messages", True),
        ("gmail.v1", "gmail.users.drafts.delete", "messages", True),
        ("people.v1", "people.people.connections.list", "contacts", False),
        ("people.v1", "people.people.getBatchGet", "contacts", False),
        ("people.v1", "people.people.batchCreateContacts", "contacts", True),
        ("people.v1", "people.people.batchUpdateContacts", "contacts", True),
        ("people.v1", "people.people.batchDeleteContacts", "contacts", True),
    ],
)
def test_the_scope_that_is_asked_for_permits_the_call(document: str, operation: str, object: str, write: bool) -> None:
    paths = json.loads((SPECS / f"{document}.openapi.json").read_text())["paths"]
    scopes = next(
        one["x-oauth-scopes"]
        for methods in paths.values()
        for one in methods.values()
        if isinstance(one, dict) and one.get("operationId") == operation
    )
    assert {*(NEEDS[object].write if write else NEEDS[object].read)} <= {*scopes}


def test_every_route_of_the_fake_says_how_it_is_known() -> None:
    routes = {name for _, _, name in GoogleVendor._routes}
    assert routes <= EVIDENCE.keys()


# Google's own client


class Adapter:
    """What Google's client takes for httplib2: every request goes to the fake."""

    def __init__(self, vendor: GoogleVendor) -> None:
        self._vendor = vendor

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any
    ) -> tuple[dict[str, str], bytes]:
        import httplib2  # type: ignore[import-untyped]

        content = body.encode() if isinstance(body, str) else body or b""
        answer = self._vendor.exchange(method, uri, {**(headers or {}), "authorization": f"Bearer {TOKEN}"}, content)
        return httplib2.Response({"status": str(answer.status), **answer.headers}), answer.body


@pytest.fixture
def client() -> Callable[[str, str], Any]:
    """Google's client on the fake, built from the discovery documents that come with it."""
    discovery = pytest.importorskip("googleapiclient.discovery")
    vendor = furnish(GoogleVendor(hazards=Hazards.none()))
    return lambda api, version: discovery.build(api, version, http=Adapter(vendor), cache_discovery=False, static_discovery=True)


def test_googles_client_works_with_calendars_and_events_on_the_fake(client: Callable[[str, str], Any]) -> None:
    errors = pytest.importorskip("googleapiclient.errors")
    calendar = client("calendar", "v3")
    entries = calendar.calendarList().list().execute()["items"]
    assert [one.get("primary", False) for one in entries] == [True, False]
    events = calendar.events()
    when = {"start": {"dateTime": "2026-02-02T09:00:00+01:00"}, "end": {"dateTime": "2026-02-02T10:00:00+01:00"}}
    made = events.insert(calendarId="primary", body={"id": "chosen0for0us", "summary": "Kick-off", **when}).execute()
    assert (made["id"], made["start"]["dateTime"]) == ("chosen0for0us", "2026-02-02T00:00:00-08:00")
    with pytest.raises(errors.HttpError) as twice:
        events.insert(calendarId="primary", body={"id": "chosen0for0us", **when}).execute()
    assert (twice.value.status_code, twice.value.error_details[0]["reason"]) == (409, "duplicate")
    patched = events.patch(calendarId="primary", eventId=made["id"], body={"location": "9 Pier Lane"}).execute()
    assert (patched["summary"], patched["location"]) == ("Kick-off", "9 Pier Lane")
    stale = events.patch(calendarId="primary", eventId=made["id"], body={"summary": "x"})
    stale.headers["If-Match"] = made["etag"]
    with pytest.raises(errors.HttpError) as refused:
        stale.execute()
    assert refused.value.status_code == 412
    series = next(one for one in events.list(calendarId="primary").execute()["items"] if "recurrence" in one)
    third = events.instances(calendarId="primary", eventId=series["id"]).execute()["items"][2]
    assert (third["recurringEventId"], third["originalStartTime"]) == (series["id"], third["start"])
    token = events.list(calendarId="primary").execute()["nextSyncToken"]
    events.delete(calendarId="primary", eventId=third["id"]).execute()
    events.delete(calendarId="primary", eventId=made["id"]).execute()
    changed = events.list(calendarId="primary", syncToken=token).execute()["items"]
    assert {one["id"]: one["status"] for one in changed} == {third["id"]: "cancelled", made["id"]: "cancelled"}
    assert len(events.instances(calendarId="primary", eventId=series["id"]).execute()["items"]) == 9
    first = events.list(calendarId="primary", maxResults=2)
    seen = []
    while first is not None:
        page = first.execute()
        seen += page["items"]
        first = events.list_next(first, page)
    assert len(seen) == 5  # four events, and the instance that does not take place
    busy = calendar.freebusy().query(
        body={"timeMin": "2026-01-06T00:00:00Z", "timeMax": "2026-01-07T08:00:00Z", "items": [{"id": "primary"}]}
    )
    assert busy.execute()["calendars"]["primary"]["busy"][0]["start"] == "2026-01-06T17:00:00Z"


def test_googles_client_sends_batches_to_the_fake(client: Callable[[str, str], Any]) -> None:
    pytest.importorskip("googleapiclient")
    calendar = client("calendar", "v3")
    told: dict[str, Any] = {}
    batch = calendar.new_batch_http_request(callback=lambda id, answer, error: told.update({id: answer or error.status_code}))
    when = {"start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}}
    for number in range(5):
        body = {"summary": f"Day {number}", **(when if number != 3 else {"start": {"date": "2026-02-02"}})}
        batch.add(calendar.events().insert(calendarId="primary", body=body), request_id=str(number))
    batch.execute()
    assert told["3"] == 400
    assert [told[str(number)]["summary"] for number in (0, 1, 2, 4)] == ["Day 0", "Day 1", "Day 2", "Day 4"]


def test_googles_client_works_with_contacts_on_the_fake(client: Callable[[str, str], Any]) -> None:
    errors = pytest.importorskip("googleapiclient.errors")
    people = client("people", "v1").people()
    fields = "names,emailAddresses,metadata"
    listed = people.connections().list(resourceName="people/me", personFields=fields, requestSyncToken=True, pageSize=2)
    page = listed.execute()
    assert (len(page["connections"]), page["totalItems"]) == (2, 3)
    token = people.connections().list_next(listed, page).execute()["nextSyncToken"]
    made = people.createContact(body={"names": [{"givenName": "Sam"}]}, personFields=fields).execute()
    body = {"names": [{"givenName": "Sam", "familyName": "Okafor"}], "metadata": made["metadata"]}
    name = made["resourceName"]
    done = people.updateContact(resourceName=name, updatePersonFields="names", personFields=fields, body=body).execute()
    assert done["names"][0]["displayName"] == "Sam Okafor"
    with pytest.raises(errors.HttpError) as stale:
        people.updateContact(resourceName=name, updatePersonFields="names", body=body).execute()
    assert (stale.value.status_code, "etag is different" in str(stale.value)) == (400, True)
    several = people.batchCreateContacts(
        body={"contacts": [{"contactPerson": {"names": [{"givenName": f"N{n}"}]}} for n in range(3)], "readMask": "names"}
    ).execute()
    names = [one["person"]["resourceName"] for one in several["createdPeople"]]
    found = people.getBatchGet(resourceNames=[*names, "people/c1"], personFields="names").execute()["responses"]
    assert [one["httpStatusCode"] for one in found] == [200, 200, 200, 404]
    people.batchDeleteContacts(body={"resourceNames": names[:2]}).execute()
    people.deleteContact(resourceName=names[2]).execute()
    changed = people.connections().list(resourceName="people/me", personFields=fields, requestSyncToken=True, syncToken=token)
    gone = {one["resourceName"]: one["metadata"].get("deleted", False) for one in changed.execute()["connections"]}
    assert gone == {name: False, **dict.fromkeys(names, True)}


def test_googles_client_works_with_mail_on_the_fake(client: Callable[[str, str], Any]) -> None:
    errors = pytest.importorskip("googleapiclient.errors")
    users = client("gmail", "v1").users()
    start = users.getProfile(userId="me").execute()
    assert (start["emailAddress"], start["messagesTotal"]) == (ADDRESS, 3)
    listed = users.messages().list(userId="me", maxResults=2, labelIds="INBOX")
    page = listed.execute()
    ids = [one["id"] for one in page["messages"] + users.messages().list_next(listed, page).execute()["messages"]]
    whole = users.messages().get(userId="me", id=ids[0], format="raw").execute()
    assert b"Subject: Invoice" in base64.urlsafe_b64decode(whole["raw"])
    told = users.messages().get(userId="me", id=ids[0], format="metadata", metadataHeaders=["From", "Subject"]).execute()
    assert {one["name"] for one in told["payload"]["headers"]} == {"From", "Subject"}
    raw = base64.urlsafe_b64encode(b"To: wen@northgate.example.com\r\nSubject: Monday\r\n\r\nHello").decode()
    draft = users.drafts().create(userId="me", body={"message": {"raw": raw, "threadId": whole["threadId"]}}).execute()
    assert [one["id"] for one in users.drafts().list(userId="me").execute()["drafts"]] == [draft["id"]]
    sent = users.drafts().send(userId="me", body={"id": draft["id"]}).execute()
    assert (sent["labelIds"], sent["threadId"]) == (["SENT"], whole["threadId"])
    with pytest.raises(errors.HttpError) as twice:
        users.drafts().send(userId="me", body={"id": draft["id"]}).execute()
    assert twice.value.status_code == 404
    users.messages().send(userId="me", body={"raw": raw}).execute()
    history = users.history().list(userId="me", startHistoryId=start["historyId"]).execute()["history"]
    assert [kind for entry in history for kind in ("messagesAdded", "messagesDeleted") if kind in entry] == [
        *("messagesAdded", "messagesAdded", "messagesDeleted", "messagesAdded"),
    ]
    with pytest.raises(errors.HttpError) as old:
        users.history().list(userId="me", startHistoryId="1").execute()
    assert old.value.status_code == 404


def test_our_native_client_is_googles_own_with_a_fresh_token() -> None:
    pytest.importorskip("googleapiclient")
    calendar = connector(GoogleVendor()).native()("calendar", "v3")
    request = calendar.events().list(calendarId="primary")
    assert request.uri.startswith("https://www.googleapis.com/calendar/v3/calendars/primary/events")
    calendar.close()


def test_our_native_client_reaches_where_the_connection_does() -> None:
    pytest.importorskip("googleapiclient")
    vendor = furnish(GoogleVendor(hazards=Hazards.none()))
    with serve(vendor) as place:
        native = connector(vendor, url=place.url).native()
        with native("calendar", "v3") as calendar, native("people", "v1") as people, native("gmail", "v1") as gmail:
            assert len(calendar.calendarList().list().execute()["items"]) == 2
            contacts = people.people().connections().list(resourceName="people/me", personFields="names").execute()
            assert len(contacts["connections"]) == 3
            assert len(gmail.users().messages().list(userId="me").execute()["messages"]) == 3
    assert {entry.call.headers["authorization"] for entry in vendor.log} == {f"Bearer {TOKEN}"}
