"""CalDAV and CardDAV without a server: recorded stories, and a scripted server that misbehaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aios_connect_caldav import Busy, CalDav
from aios_connect_caldav.busy import busy_in, merged
from aios_connect_caldav.dav import path_of
from aios_connect_caldav.formats import UnreadableError

from aios_connect.cassettes import Player
from aios_connect.connectors import (
    AuthError,
    Change,
    ConfigError,
    CursorGoneError,
    NotFoundError,
    ProviderError,
    Raw,
    RejectedError,
    TruncatedError,
    UnavailableError,
)
from aios_connect.mappings import check, load, run_examples

from .caldav_story import ADDRESS, CASSETTES, connector, outcomes, tell

MAPPINGS = sorted((Path(__file__).parents[2] / "mappings" / "caldav").glob("*.yaml"))
RECORDED = sorted(CASSETTES.glob("*.yaml"))
WORK = "/nora/work/"
DAY = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)

Handler = Callable[[httpx2.Request], httpx2.Response | None]


def places(file: Path) -> dict[str, str]:
    kind = file.stem
    return {
        "radicale": {"calendars": "/alice/work1/", "addressbooks": "/alice/people1/"},
        "xandikos": {"calendars": "/alice/calendars/work1/", "addressbooks": "/alice/contacts/people1/"},
    }[kind]


@pytest.fixture(params=RECORDED, ids=lambda file: file.stem)
def told(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The story, told again from a recording."""
    with Player(request.param) as transport:
        yield tell(connector(transport, ADDRESS, "alice", "any", settings=places(request.param)))


# The recorded stories


def test_both_servers_were_recorded() -> None:
    assert [file.stem for file in RECORDED] == ["radicale", "xandikos"]
    for file in RECORDED:
        text = file.read_text("utf-8")
        assert "origin: live" in text
        assert "authorization" not in text.lower()
        assert "127.0.0.1" not in text


def test_the_story_comes_to_the_same_end_on_every_server(told: dict[str, Any]) -> None:
    assert told["identity"].missing == {}
    assert outcomes(told["receipts"]) == {
        "person": "written",
        "first": "written",
        "other": "written",
        "twice": "written",
        "moved": "written",
        "stale": "conflict",
        "gone": "written",
    }
    assert told["receipts"]["stale"].current == told["receipts"]["moved"].record
    assert told["forgotten"] is True


def test_what_was_written_was_read_and_what_went_was_told(told: dict[str, Any]) -> None:
    first, other, moved = (told["receipts"][name] for name in ("first", "other", "moved"))
    by_id = {raw["id"]: raw for raw in told["read"].records}
    assert by_id == {first.id: first.record, other.id: other.record}
    assert told["changed"].records == [moved.record]
    assert [stone.id for stone in told["changed"].tombstones] == [other.id]
    assert told["scan"] == [(moved.id, moved.version)]
    assert list(told["found"]) == ["event_1"]
    assert [raw["fn"] for raw in told["contacts"]] == ["Zoë O'Hara"]


def test_free_busy_and_occurrences_agree(told: dict[str, Any]) -> None:
    start, end = datetime(2026, 11, 24, 13, tzinfo=UTC), datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
    assert told["busy"] == [Busy(start, end)]
    assert [(one.summary, one.all_day) for one in told["occurrences"]] == [("Site walk", False), ("Closed", True)]


# The mappings


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.stem)
def test_the_examples_hold(file: Path) -> None:
    results = run_examples(load(file))
    assert results
    assert [(result.name, result.differences) for result in results if result.differences] == []


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.stem)
def test_the_mappings_fit_the_schema(file: Path) -> None:
    loaded = load(file)
    schema = scripted(lambda request: None)[0].describe(loaded.object)
    assert [str(finding.error) for finding in check(loaded, schema, spec=CalDav.spec)] == []


# A scripted server


def multistatus(*responses: str, token: str = "") -> httpx2.Response:
    end = f"<sync-token>{token}</sync-token>" if token else ""
    spaces = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"'
    body = f"<multistatus {spaces}>{''.join(responses)}{end}</multistatus>"
    return httpx2.Response(207, content=body.encode(), headers={"content-type": "application/xml"})


def one(href: str, props: str = "", status: int = 0) -> str:
    if status:
        return f"<response><href>{href}</href><status>HTTP/1.1 {status} X</status></response>"
    found = f"<propstat><prop>{props}</prop><status>HTTP/1.1 200 OK</status></propstat>"
    return f"<response><href>{href}</href>{found}<propstat><prop><quota/></prop><status>HTTP/1.1 404 No</status></propstat></response>"


def event(uid: str, summary: str = "A") -> str:
    return (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\n"
        f"UID:{uid}\nDTSTART:20261124T090000Z\nDTEND:20261124T100000Z\nSUMMARY:{summary}\nEND:VEVENT\nEND:VCALENDAR\n"
    )


def resource(href: str, text: str, revision: str = "&quot;1&quot;") -> str:
    return one(href, f"<getetag>{revision}</getetag><C:calendar-data>{text}</C:calendar-data>")


def standard(request: httpx2.Request) -> httpx2.Response | None:
    """How a server says where things are."""
    path, body = request.url.path, request.content.decode()
    if request.method != "PROPFIND" or "getetag" in body:
        return None
    if "current-user-principal" in body:
        return multistatus(one(path, "<current-user-principal><href>/me/</href></current-user-principal>"))
    if path == "/me/":
        homes = "<C:calendar-home-set><href>https://elsewhere.example.com/nora/</href></C:calendar-home-set>"
        return multistatus(one(path, f"{homes}<A:addressbook-home-set><href>/nora/</href></A:addressbook-home-set>"))
    kind = "<resourcetype><collection/><C:calendar/></resourcetype>"
    reports = (
        "<supported-report-set><supported-report><report><sync-collection/></report></supported-report></supported-report-set>"
    )
    return multistatus(one("/nora/"), one(WORK, f"{kind}<displayname>Work</displayname>{reports}"))


def scripted(handler: Handler, **settings: str) -> tuple[CalDav, list[httpx2.Request]]:
    """A connector whose server is a function; where that says nothing, the standard answers."""
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        said = handler(request) or standard(request)
        assert said is not None, (request.method, request.url, request.content)
        return said

    return connector(httpx2.MockTransport(answer), f"{ADDRESS}/", "nora", "secret", attempts=1, settings=settings), asked


def script(**answers: Any) -> Handler:
    """Answers by what is asked: ``sync``, ``get``, ``put``, ``delete``, ``query``, ``busy``; a list is used up, its last one stays."""
    left = {name: list(said) if isinstance(said, list) else [said] for name, said in answers.items()}

    def handler(request: httpx2.Request) -> httpx2.Response | None:
        body = request.content.decode()
        kinds = {"sync-collection": "sync", "multiget": "get", "free-busy": "busy", "calendar-query": "query", "getetag": "scan"}
        asked = request.method.lower()
        if asked in ("report", "propfind"):
            asked = next((kind for word, kind in kinds.items() if word in body), "")
        if asked not in left:
            return None
        said = left[asked].pop(0) if len(left[asked]) > 1 else left[asked][0]
        response: httpx2.Response = said(request) if callable(said) else said
        return response

    return handler


def got(request: httpx2.Request) -> httpx2.Response:
    """Every resource that is asked for, each an event."""
    hrefs = re.findall("<href>(.*?)</href>", request.content.decode())
    return multistatus(*(resource(href, event(href)) for href in hrefs))


CHANGED = multistatus(
    one(WORK), one(f"{WORK}a.ics", "<getetag>1</getetag>"), one(f"{WORK}b.ics", "<getetag>1</getetag>"), token="t1"
)


def test_addresses_are_one_however_servers_spell_them() -> None:
    assert path_of("https://x.example.com/a%40b/%7Ec d.ics") == path_of("/a@b/~c%20d.ics") == "/a@b/~c%20d.ics"


def test_whole_addresses_and_other_hosts_do_not_lead_the_password_away() -> None:
    caldav, asked = scripted(script(sync=CHANGED, get=got))
    list(caldav.read("events"))
    assert {request.url.host for request in asked} == {"dav.example.com"}


def test_a_read_brings_what_changed_and_the_token() -> None:
    caldav, _ = scripted(script(sync=CHANGED, get=got))
    (page,) = caldav.read("events")
    assert [raw["id"] for raw in page.records] == [f"{WORK}a.ics", f"{WORK}b.ics"]
    assert (page.cursor, page.complete) == ({"tokens": {WORK: "t1"}}, True)


def test_changes_told_in_several_answers_are_put_together() -> None:
    first = multistatus(one(f"{WORK}a.ics", "<getetag>1</getetag>"), one(WORK, status=507), token="t1")
    second = multistatus(one(f"{WORK}a.ics", status=404), one(f"{WORK}b.ics", "<getetag>1</getetag>"), token="t2")
    caldav, asked = scripted(script(sync=[first, second], get=got))
    (page,) = caldav.read("events")
    assert ([raw["id"] for raw in page.records], [stone.id for stone in page.tombstones]) == ([f"{WORK}b.ics"], [f"{WORK}a.ics"])
    assert page.cursor == {"tokens": {WORK: "t2"}}
    assert [b"<sync-token>t1<" in request.content for request in asked if b"sync-coll" in request.content] == [False, True]


def test_a_server_that_goes_round_in_a_circle_is_noticed() -> None:
    caldav, _ = scripted(script(sync=multistatus(one(WORK, status=507), token="t1")))
    with pytest.raises(TruncatedError, match="circle"):
        list(caldav.read("events"))


def test_a_resource_that_went_while_we_read_is_a_tombstone() -> None:
    answer = multistatus(resource(f"{WORK}a.ics", event("a")), one(f"{WORK}b.ics", status=404))
    caldav, _ = scripted(script(sync=CHANGED, get=answer))
    (page,) = caldav.read("events")
    assert (len(page.records), [stone.id for stone in page.tombstones]) == (1, [f"{WORK}b.ics"])


@pytest.mark.parametrize(
    "answers",
    [
        {"sync": multistatus(one(f"{WORK}a.ics", "<getetag>1</getetag>"))},
        {"sync": httpx2.Response(200, content=b"")},
        {"sync": httpx2.Response(207, content=b"<multistatus xmlns='DAV:'><response>")},
        {"sync": httpx2.Response(207, content=b"")},
        {"sync": httpx2.Response(207, content=b"<html xmlns='DAV:'/>")},
        {"sync": httpx2.Response(207, content=b"<!DOCTYPE x [<!ENTITY a 'b'>]><multistatus xmlns='DAV:'>&a;</multistatus>")},
        {
            "sync": CHANGED,
            "get": multistatus(resource(f"{WORK}a.ics", event("a"))),
            "scan": multistatus(one(f"{WORK}b.ics", "<getetag>1</getetag>")),
        },
        {"sync": CHANGED, "get": multistatus(resource(f"{WORK}a.ics", event("a")), one(f"{WORK}b.ics", "<getetag>1</getetag>"))},
    ],
)
def test_an_answer_that_is_not_whole_never_ends_a_read(answers: dict[str, Any]) -> None:
    caldav, _ = scripted(script(**{"get": got, **answers}))
    with pytest.raises((TruncatedError, UnavailableError)):
        list(caldav.read("events"))


ETAG = "<getetag>1</getetag>"


def test_what_a_server_does_not_tell_about_is_asked_for_by_itself() -> None:
    """Some leave out what is gone; what is there and was left out is not gone."""
    some = multistatus(resource(f"{WORK}a.ics", event("a")))
    for alone in (httpx2.Response(404), multistatus(one(f"{WORK}b.ics", status=404))):
        caldav, asked = scripted(script(sync=CHANGED, get=some, scan=alone))
        (page,) = caldav.read("events")
        assert ([raw["uid"] for raw in page.records], [stone.id for stone in page.tombstones]) == (["a"], [f"{WORK}b.ics"])
        assert asked[-1].url.path == f"{WORK}b.ics"
    caldav, _ = scripted(script(get=some, scan=multistatus(one(f"{WORK}b.ics", ETAG))))
    with pytest.raises(TruncatedError, match=r"b\.ics"):
        caldav.lookup("events", [f"{WORK}a.ics", f"{WORK}b.ics"])
    with pytest.raises(TruncatedError, match=r"b\.ics"):
        caldav.write("events", [Change("delete", "l", f"{WORK}b.ics", version="1")])


@pytest.mark.parametrize("status", [403, 500, 507])
def test_what_a_server_may_not_or_cannot_show_is_not_gone(status: int) -> None:
    told = f"<propstat><prop><getetag/><C:calendar-data/></prop><status>HTTP/1.1 {status} X</status></propstat>"
    answer = multistatus(f"<response><href>{WORK}a.ics</href>{told}</response>")
    caldav, _ = scripted(script(sync=multistatus(one(f"{WORK}a.ics", ETAG), token="t1"), get=answer))
    with pytest.raises(TruncatedError):
        list(caldav.read("events"))


def test_several_resources_may_be_gone_at_once() -> None:
    hrefs = f"<href>{WORK}a.ics</href><href>{WORK}b.ics</href>"
    gone = multistatus(f"<response>{hrefs}<status>HTTP/1.1 404 Not Found</status></response>", token="t1")
    caldav, _ = scripted(script(sync=gone))
    (page,) = caldav.read("events")
    assert [stone.id for stone in page.tombstones] == [f"{WORK}a.ics", f"{WORK}b.ics"]


def test_a_listing_that_leaves_out_the_rest_is_not_all_there_is() -> None:
    cut = multistatus(resource(f"{WORK}a.ics", event("a")), one(WORK, status=507))
    caldav, _ = scripted(script(scan=cut, query=cut, get=GONE))
    for asked in (lambda: list(caldav.scan("events")), lambda: caldav.occurrences(*DAY), lambda: caldav.find("events", ["a"])):
        with pytest.raises(TruncatedError, match="not all"):
            asked()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_entity_is_followed_wherever_it_is_declared(encoding: str) -> None:
    bomb = f'<?xml version="1.0"?><!--{" " * 5000}--><!DOCTYPE x [<!ENTITY a "b">]><multistatus xmlns="DAV:">&a;</multistatus>'
    caldav, _ = scripted(script(sync=httpx2.Response(207, content=bomb.encode(encoding))))
    with pytest.raises(TruncatedError, match="document type"):
        list(caldav.read("events"))


def test_an_event_may_speak_of_a_document_type() -> None:
    """Outlook puts a whole web page into its events."""
    page = "X-ALT-DESC;FMTTYPE=text/html:<!DOCTYPE HTML PUBLIC><html></html>\nEND:VEVENT"
    text = f"<![CDATA[{event('a').replace('END:VEVENT', page)}]]>"
    caldav, _ = scripted(script(get=multistatus(resource(f"{WORK}a.ics", text))))
    assert [raw["uid"] for raw in caldav.lookup("events", [f"{WORK}a.ics"])] == ["a"]


def test_a_name_with_an_escaped_slash_or_with_other_bytes_is_asked_for_as_it_is() -> None:
    names = [f"{WORK}a%2Fb.ics", f"{WORK}%E9t%C3%A9.ics"]
    caldav, _ = scripted(script(sync=multistatus(*(one(name, ETAG) for name in names), token="t1"), get=got))
    (page,) = caldav.read("events")
    assert sorted(raw["id"] for raw in page.records) == sorted(names)


def test_a_web_page_is_no_calendar() -> None:
    caldav, _ = scripted(script(sync=httpx2.Response(200, text="<html><title>Sign in</title></html>")))
    with pytest.raises(UnavailableError, match="Sign in"):
        list(caldav.read("events"))


@pytest.mark.parametrize("status", [403, 409, 412, 507])
def test_a_forgotten_token_is_known_by_its_name_whatever_the_status(status: int) -> None:
    body = b'<?xml version="1.0"?><d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'
    caldav, _ = scripted(script(sync=httpx2.Response(status, content=body)))
    with pytest.raises(CursorGoneError):
        list(caldav.read("events", {"tokens": {WORK: "old"}}))


@pytest.mark.parametrize("cursor", [{"since": 5}, {"tokens": "x"}, {"tokens": {"/other/": "1"}}, {"tokens": {}, "doing": 1}])
def test_a_cursor_of_another_shape_or_place_is_gone(cursor: dict[str, Any]) -> None:
    caldav, _ = scripted(script(sync=CHANGED, get=got))
    with pytest.raises(CursorGoneError):
        list(caldav.read("events", cursor))


def test_a_server_without_sync_collection_is_told_before_and_when_reading() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response | None:
        said = standard(request)
        return httpx2.Response(207, content=said.content.replace(b"sync-collection", b"expand-property")) if said else None

    caldav, _ = scripted(handler)
    assert "sync-collection" in caldav.check().missing["read events"]
    with pytest.raises(RejectedError, match="sync-collection"):
        list(caldav.read("events"))


def test_an_address_that_is_none_of_a_calendar_server_is_told() -> None:
    caldav, _ = scripted(lambda request: multistatus(one("/", "<displayname>x</displayname>")))
    with pytest.raises(NotFoundError) as caught:
        caldav.check()
    assert "url" in caught.value.hint


def test_a_user_who_is_not_told_about_is_no_user_without_calendars() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response | None:
        return multistatus() if request.url.path == "/me/" else None

    with pytest.raises(TruncatedError, match="/me/"):
        scripted(handler)[0].check()


def test_wrong_credentials_are_an_error_and_not_a_receipt() -> None:
    caldav, _ = scripted(lambda request: httpx2.Response(401))
    for act in (caldav.check, lambda: caldav.write("events", [make()])):
        with pytest.raises(AuthError):
            act()


def test_a_zone_that_is_none_is_refused_in_the_settings() -> None:
    with pytest.raises(ConfigError, match="Mars"):
        scripted(lambda request: None, timezone="Mars/Olympus")


def test_an_object_that_is_not_there_is_named() -> None:
    caldav, _ = scripted(lambda request: None)
    with pytest.raises(ConfigError, match="'tasks'"):
        caldav.lookup("tasks", ["1"])


@pytest.mark.parametrize("condition", ["", "need-privileges"])
def test_what_is_not_permitted_is_an_error_if_nothing_was_written(condition: str) -> None:
    caldav, _ = scripted(script(put=refusal(403, condition), get=THERE))
    with pytest.raises(AuthError):
        caldav.write("events", [change()])


def test_a_write_of_unknown_outcome_is_told_though_the_next_one_fails() -> None:
    down = httpx2.Response(500)
    caldav, _ = scripted(script(put=[httpx2.Response(502), httpx2.Response(401)], get=down))
    receipts = caldav.write("events", [make("event_1"), make("event_2")])
    assert [receipt.outcome for receipt in receipts] == ["ambiguous", "ambiguous"]


# Writing


def make(key: str | None = "event_1") -> Change:
    return Change(
        "create", "plan.1", patch={"summary": "A", "start": "2026-11-24T09:00:00Z", "end": "2026-11-24T10:00:00Z"}, key=key
    )


def change(patch: Raw | None = None) -> Change:
    return Change("update", "plan.1", f"{WORK}a.ics", patch or {"summary": "B"}, version='"1"')


THERE = multistatus(resource(f"{WORK}a.ics", event("a")))
THEIRS = multistatus(resource(f"{WORK}a.ics", event("a", "Theirs"), "&quot;2&quot;"))
OURS = multistatus(resource(f"{WORK}a.ics", event("a", "B"), "&quot;2&quot;"))
GONE = multistatus(one(f"{WORK}a.ics", status=404))


def refusal(status: int, condition: str = "") -> httpx2.Response:
    body = f'<error xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><{condition}/></error>' if condition else "no"
    return httpx2.Response(status, content=body.encode())


@pytest.mark.parametrize(
    ("put", "now", "outcome"),
    [
        (httpx2.Response(204, headers={"etag": '"2"'}), [THERE], "written"),
        (httpx2.Response(204), [THERE, OURS], "written"),
        (httpx2.Response(204, headers={"etag": 'W/"2"'}), [THERE, OURS], "written"),
        (refusal(412), [THERE, THEIRS], "conflict"),
        (refusal(404), [THERE, GONE], "conflict"),
        (refusal(403, "C:max-resource-size"), [THERE], "rejected"),
        (refusal(409, "C:no-uid-conflict"), [THERE], "rejected"),
        (refusal(415), [THERE], "rejected"),
        (httpx2.Response(502, text="bad gateway"), [THERE, OURS], "written"),
        (httpx2.Response(502, text="bad gateway"), [THERE, THERE], "ambiguous"),
        (httpx2.Response(502, text="bad gateway"), [THERE, THEIRS], "ambiguous"),
        (httpx2.Response(502, text="bad gateway"), [THERE, httpx2.Response(500)], "ambiguous"),
    ],
)
def test_what_the_server_answers_is_what_the_receipt_says(put: httpx2.Response, now: list[httpx2.Response], outcome: str) -> None:
    caldav, asked = scripted(script(put=put, get=now))
    (receipt,) = caldav.write("events", [change()])
    assert receipt.outcome == outcome
    puts = [request for request in asked if request.method == "PUT"]
    assert [(request.headers["if-match"], request.headers["aios-plan-line"]) for request in puts] == [('"1"', "plan.1")]


@pytest.mark.parametrize("headers", [{}, {"etag": 'W/"9"'}])
def test_what_a_server_may_have_altered_is_read_again(headers: dict[str, str]) -> None:
    altered = multistatus(resource(f"{WORK}a.ics", event("a", "B").replace("100000Z", "103000Z"), "&quot;2&quot;"))
    caldav, _ = scripted(script(put=httpx2.Response(204, headers=headers), get=[THERE, altered]))
    (receipt,) = caldav.write("events", [change()])
    assert (receipt.version, (receipt.record or {})["end"]) == ('"2"', "2026-11-24T10:30:00Z")


@pytest.mark.parametrize(
    ("status", "condition"),
    [(409, "C:no-uid-conflict"), (412, "C:no-uid-conflict"), (403, "C:unique-scheduling-object-resource"), (412, "")],
)
def test_a_uid_that_is_there_already_is_ours_however_it_is_told(status: int, condition: str) -> None:
    elsewhere = multistatus(resource(f"{WORK}moved.ics", event("event_1")))
    absent = multistatus(one(f"{WORK}event_1.ics", status=404))
    caldav, asked = scripted(script(put=refusal(status, condition), get=[absent, elsewhere], query=elsewhere))
    (receipt,) = caldav.write("events", [make()])
    assert (receipt.outcome, receipt.id) == ("written", f"{WORK}moved.ics")
    assert [request.method for request in asked].count("PUT") == 1


def test_a_new_event_goes_out_under_our_key_and_only_if_it_is_not_there() -> None:
    caldav, asked = scripted(script(put=httpx2.Response(201, headers={"etag": '"1"'})))
    (receipt,) = caldav.write("events", [make()])
    (put,) = [request for request in asked if request.method == "PUT"]
    assert (receipt.id, put.url.path, put.headers["if-none-match"]) == (f"{WORK}event_1.ics", f"{WORK}event_1.ics", "*")
    assert b"UID:event_1\r\n" in put.content


def test_a_key_that_would_lead_out_of_the_calendar_is_refused() -> None:
    caldav, asked = scripted(script(put=httpx2.Response(201)))
    assert [receipt.outcome for receipt in caldav.write("events", [make("../../x"), make("a/b")])] == ["rejected", "rejected"]
    assert [request for request in asked if request.method == "PUT"] == []


@pytest.mark.parametrize(
    ("answer", "now", "outcome"),
    [
        (httpx2.Response(204), [THERE], "written"),
        (httpx2.Response(200, content=b"<multistatus xmlns='DAV:'/>"), [THERE], "written"),
        (httpx2.Response(404), [THERE], "unchanged"),
        (refusal(412), [THERE, THEIRS], "conflict"),
        (httpx2.Response(502), [THERE, GONE], "written"),
        (httpx2.Response(502), [THERE, THERE], "ambiguous"),
        (httpx2.Response(204), [GONE], "unchanged"),
        (httpx2.Response(204), [THEIRS], "conflict"),
    ],
)
def test_a_delete_is_told_as_it_went(answer: httpx2.Response, now: list[httpx2.Response], outcome: str) -> None:
    caldav, _ = scripted(script(delete=answer, get=now))
    assert caldav.write("events", [Change("delete", "l", f"{WORK}a.ics", version='"1"')])[0].outcome == outcome


def test_when_the_server_goes_away_what_was_written_is_told() -> None:
    caldav, _ = scripted(
        script(put=[httpx2.Response(201, headers={"etag": '"1"'}), httpx2.Response(429, headers={"retry-after": "9"})])
    )
    receipts = caldav.write("events", [make("event_1"), make("event_2")])
    assert [receipt.outcome for receipt in receipts] == ["written", "ambiguous"]
    caldav, _ = scripted(script(put=httpx2.Response(429, headers={"retry-after": "9"})))
    with pytest.raises(ProviderError):
        caldav.write("events", [make("event_1"), make("event_2")])


# Free-busy


def freebusy(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VFREEBUSY", *lines, "END:VFREEBUSY", "END:VCALENDAR", ""])


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)


def test_all_forms_of_a_busy_time_are_understood() -> None:
    told = freebusy(
        "FREEBUSY:20261124T090000Z/20261124T100000Z,20261124T110000Z/PT30M",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261124T120000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261124T180000Z/PT1H",
        "FREEBUSY;FBTYPE=X-OTHER:20261124T200000Z/PT1H",
        "FREEBUSY;FBTYPE=FREE:20261124T140000Z/PT1H",
    )
    assert [(one.start, one.end, one.kind) for one in busy_in(told)] == [
        (at(9), at(10), "busy"),
        (at(11), at(11, 30), "busy"),
        (at(12), at(13), "tentative"),
        (at(18), at(19), "unavailable"),
        (at(20), at(21), "busy"),
    ]


def test_busy_times_are_cut_to_what_was_asked_for_and_put_together_by_kind() -> None:
    told = [Busy(at(8), at(10)), Busy(at(9, 30), at(11)), Busy(at(9), at(12), "tentative"), Busy(at(13), at(14))]
    assert merged(told, at(9), at(12)) == [Busy(at(9), at(11)), Busy(at(9), at(12), "tentative")]


@pytest.mark.parametrize("text", ["", freebusy().replace("FREEBUSY", "TODO"), freebusy("FREEBUSY:tomorrow/PT1H"), "<html/>"])
def test_an_answer_that_does_not_say_is_not_taken_for_free(text: str) -> None:
    with pytest.raises((UnreadableError, ValueError)):
        busy_in(text)
    caldav, _ = scripted(script(busy=httpx2.Response(200, text=text)))
    with pytest.raises(ProviderError):
        caldav.busy(*DAY)


def test_a_calendar_that_refuses_is_unknown_and_not_free() -> None:
    caldav, _ = scripted(script(busy=httpx2.Response(403)))
    with pytest.raises(AuthError):
        caldav.busy(*DAY)


def test_a_day_that_a_server_puts_elsewhere_in_time_is_found() -> None:
    """It may take whole days and times without a zone in a zone of its own (RFC 4791, 7.3)."""
    day = event("a").replace("DTSTART:20261124T090000Z\nDTEND:20261124T100000Z", "DTSTART;VALUE=DATE:20261124")

    def eastern(request: httpx2.Request) -> httpx2.Response:
        (until,) = re.findall('end="(.*?)"', request.content.decode())
        return multistatus(*([resource(f"{WORK}a.ics", day)] if until > "20261124T050000Z" else []))

    caldav, _ = scripted(script(query=eastern))
    early = datetime(2026, 11, 24, 1, tzinfo=UTC), datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert [(one.uid, one.all_day) for one in caldav.occurrences(*early)] == [("a", True)]
    assert caldav.occurrences(datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC)) == []


def test_an_event_that_cannot_be_worked_out_is_told() -> None:
    odd = multistatus(resource(f"{WORK}a.ics", event("a").replace("DTEND", "RRULE:FREQ=SECONDLY;BYMONTH=2\nDTEND")))
    caldav, _ = scripted(script(query=odd))
    with pytest.raises(TruncatedError, match=re.escape(f"{WORK}a.ics")):
        caldav.occurrences(*DAY)
