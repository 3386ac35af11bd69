"""Signing in to Google, what its refusals mean, and the notices it sends."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from aios_connect_google import Google
from aios_connect_google._batch import Ask, decode, encode
from aios_connect_google._errors import classifier
from aios_connect_google.sandbox import ADDRESS, GoogleVendor, Hazards, furnish, playground

from aios_connect.connectors import Hint, Receives, Request, Response
from aios_connect.connectors.oauth import TokenEndpoint, token_http
from aios_connect.connectors.redaction import redact
from aios_connect.errors import (
    AuthError,
    ConfigError,
    ConflictError,
    CursorGoneError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    TruncatedError,
    UnavailableError,
)
from aios_connect.sandbox import Delivery, SimClock, transport

from .google_account import connector, everything

SCOPES = "https://www.googleapis.com/auth/"


def answer(code: int, reason: str, message: str = "no", **error: Any) -> Response:
    said = {"domain": "global", "reason": reason, "message": message}
    told = {"error": {"code": code, "message": message, "errors": [said], **error}}
    return Response(code, {}, json.dumps(told).encode(), provider="google")


# signing in


def test_it_says_whose_account_it_is() -> None:
    identity = connector(furnish(GoogleVendor())).check()
    assert (identity.account, identity.user, identity.missing) == (f"Google {ADDRESS}", ADDRESS, {})


def test_a_token_is_got_before_the_first_request_and_again_when_it_ended() -> None:
    vendor = furnish(GoogleVendor())
    google = connector(vendor, token="")
    everything(google, "contacts")
    vendor.clock.sleep(2 * 3600)
    everything(google, "contacts")
    assert [entry.call.path for entry in vendor.log].count("/token") == 2
    assert {entry.status for entry in vendor.log} == {200}


def test_what_nobody_consented_to_is_named_with_its_scope() -> None:
    scopes = frozenset({f"{SCOPES}contacts", f"{SCOPES}calendar.calendarlist.readonly", f"{SCOPES}calendar.events.readonly"})
    google = connector(furnish(GoogleVendor(hazards=Hazards.none(), scopes=scopes)), token="")
    missing = google.check().missing
    assert missing == {
        "write events": f"scope {SCOPES}calendar.events",
        "read busy times": f"scope {SCOPES}calendar.freebusy",
        "read messages": f"scope {SCOPES}gmail.readonly",
        "write messages": f"scope {SCOPES}gmail.compose",
    }


def test_a_read_that_nobody_consented_to_says_which_scope_permits_it() -> None:
    google = connector(furnish(GoogleVendor(hazards=Hazards.none(), scopes=frozenset({f"{SCOPES}calendar"}))))
    with pytest.raises(AuthError, match="read contacts") as caught:
        everything(google, "contacts")
    assert f"{SCOPES}contacts" in caught.value.hint


def test_an_account_that_consented_to_nothing_is_refused() -> None:
    with pytest.raises(AuthError):
        connector(GoogleVendor(scopes=frozenset())).check()


def test_a_consent_to_contacts_alone_is_enough_for_contacts() -> None:
    google = connector(furnish(GoogleVendor(hazards=Hazards.none(), scopes=frozenset({f"{SCOPES}contacts"}))), token="")
    assert google.check().account == "Google people/117000000000000000001"
    assert len(everything(google, "contacts")[0].records) == 3


def test_who_consented_to_more_than_is_needed_misses_nothing() -> None:
    scopes = frozenset({f"{SCOPES}calendar", f"{SCOPES}contacts", f"{SCOPES}gmail.modify"})
    google = connector(furnish(GoogleVendor(hazards=Hazards.none(), scopes=scopes)), token="")
    assert google.check().missing == {}


@pytest.mark.parametrize(
    ("uses", "scopes"),
    [
        ("contacts:read", ["contacts.readonly"]),
        ("messages", ["gmail.readonly"]),
        ("sending, contacts", ["gmail.compose", "gmail.readonly", "contacts"]),
        ("events:read, busy", ["calendar.events.readonly", "calendar.calendarlist.readonly", "calendar.freebusy"]),
    ],
)
def test_only_what_a_connection_is_for_is_asked_for_and_missed(uses: str, scopes: list[str]) -> None:
    asked = [f"{SCOPES}{name}" for name in scopes]
    assert list(Google.spec.auth[0].asked({"uses": uses})) == asked
    endpoint = TokenEndpoint(
        Google.spec.auth[0], token_http("google"), client_id="us", client_secret="", now=SimClock().now, settings={"uses": uses}
    )
    url = endpoint.authorize_url(redirect_uri="http://127.0.0.1/callback", state="s", verifier="v" * 43)
    assert parse_qs(urlsplit(url).query)["scope"] == [" ".join(asked)]
    vendor = furnish(GoogleVendor(hazards=Hazards.none(), scopes=frozenset(asked)))
    google = connector(vendor, token="", uses=uses)
    assert google.check().missing == {}
    assert 403 not in {entry.status for entry in vendor.log}
    assert google.check().account.startswith("Google ")


def test_nobody_is_asked_to_let_mail_be_sent_unless_the_connection_says_so() -> None:
    default = next(setting.default for setting in Google.spec.settings if setting.name == "uses")
    asked = Google.spec.auth[0].asked({"uses": default or ""})
    assert f"{SCOPES}gmail.readonly" in asked
    assert not [scope for scope in asked if "compose" in scope or "send" in scope or "modify" in scope]
    with pytest.raises(ConfigError, match="'mail' is nothing") as caught:
        connector(GoogleVendor(), uses="contacts, mail")
    assert "sending" in caught.value.hint


# what refusals mean


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "rateLimitExceeded", RateLimitedError),
        (403, "userRateLimitExceeded", RateLimitedError),
        (403, "quotaExceeded", RateLimitedError),
        (403, "dailyLimitExceeded", RateLimitedError),
        (403, "insufficientPermissions", AuthError),
        (403, "accessNotConfigured", AuthError),
        (403, "forbiddenForNonOrganizer", RejectedError),
        (410, "fullSyncRequired", CursorGoneError),
        (410, "updatedMinTooLongAgo", CursorGoneError),
    ],
)
def test_a_reason_of_googles_is_an_error_of_ours(status: int, reason: str, kind: type[ProviderError]) -> None:
    error = classifier("events")(answer(status, reason))
    assert type(error) is kind
    assert error is not None
    assert (error.status, error.object) == (status, "events")


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "forbidden"), (404, "notFound"), (409, "duplicate"), (410, "deleted"), (400, "x")]
)
def test_what_is_said_everywhere_is_left_to_the_status(status: int, reason: str) -> None:
    assert classifier("events")(answer(status, reason)) is None


def test_a_quota_that_is_used_up_is_waited_for_longer_than_a_rate() -> None:
    daily, rate = (
        classifier("events")(answer(403, "quotaExceeded", words))
        for words in ("Calendar usage limits exceeded.", "60 per minute")
    )
    assert isinstance(daily, RateLimitedError)
    assert isinstance(rate, RateLimitedError)
    assert (daily.retry_after, rate.retry_after) == (3600.0, None)


@pytest.mark.parametrize("status", [400, 403])
def test_a_stale_etag_of_a_contact_is_a_conflict_under_either_status(status: int) -> None:
    words = "Request person.etag is different than the current person.etag."
    assert isinstance(classifier("contacts", write=True)(answer(status, "failedPrecondition", words)), ConflictError)


def test_an_expired_token_of_contacts_is_no_conflict() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "EXPIRED_SYNC_TOKEN"}]
    told = answer(400, "failedPrecondition", status="FAILED_PRECONDITION", details=details)
    assert isinstance(classifier("contacts")(told), CursorGoneError)


def test_a_web_page_for_an_address_that_is_none_is_no_data() -> None:
    vendor = GoogleVendor(hazards=Hazards.none())
    http = connector(vendor).context.http
    with pytest.raises(ProviderError, match="404"):
        http.request("GET", "https://www.googleapis.com/v1/c8477737760619056986")
    assert vendor.log[-1].status == 404


# batches


def batch(*parts: tuple[str, bytes], end: bytes = b"--b--\r\n") -> Response:
    told = b"".join(
        b"--b\r\nContent-Type: application/http\r\nContent-ID: <response-%s>\r\n\r\n%s\r\n" % (name.encode(), inner)
        for name, inner in parts
    )
    return Response(200, {"content-type": "multipart/mixed; boundary=b"}, told + end, provider="google")


def test_answers_of_a_batch_are_told_apart_by_their_names() -> None:
    good = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "1"\r\n\r\n{"a": "--b"}'
    found = decode(batch(("1", b"HTTP/1.1 204 No Content\r\n\r\n"), ("0", good)), "events")
    assert {number: (one.status, one.content) for number, one in found.items()} == {1: (204, b""), 0: (200, b'{"a": "--b"}')}
    assert found[0].headers["etag"] == '"1"'


@pytest.mark.parametrize(
    "response",
    [
        Response(200, {"content-type": "application/json"}, b"{}", provider="google"),
        Response(200, {"content-type": "multipart/mixed; boundary=b"}, b"", provider="google"),
        Response(200, {"content-type": "multipart/mixed; boundary=b"}, b"<!doctype html><html>", provider="google"),
        batch(("0", b"HTTP/1.1 204 No Content\r\n\r\n"), end=b""),
    ],
)
def test_an_answer_that_is_no_batch_or_ends_early_is_truncated(response: Response) -> None:
    with pytest.raises(TruncatedError):
        decode(response, "events")


def test_no_text_of_a_record_can_end_a_part() -> None:
    sent = encode([Ask("POST", "x", body={"summary": "\r\n--part_of_a_batch--\r\nGET /y HTTP/1.1"})], "calendar/v3")
    assert sent.count(b"\r\n--part_of_a_batch") == 1  # its end; it begins with another
    assert b"GET /y" in sent.split(b"\r\n\r\n")[2]


def test_a_batch_never_holds_more_than_fifty() -> None:
    vendor = GoogleVendor(hazards=Hazards.none())
    connector(vendor).lookup("calendars", [f"c{number}@example.com" for number in range(120)])
    batches = [entry.call.body.count(b"Content-ID") for entry in vendor.log if entry.call.path.startswith("/batch")]
    assert batches == [50, 50, 20]


# notices


@pytest.fixture
def watched() -> Any:
    vendor = furnish(GoogleVendor(hazards=Hazards.none()))
    google = connector(vendor)
    came: list[Request] = []
    outbox = vendor.notices.subscribe(lambda request: came.append(request) or 204, delivery=Delivery(0.0, 0.0, False, 1))  # type: ignore[func-returns-value]
    (channel,) = google.watch("https://office.example.com/google")
    return vendor, google, came, outbox, channel


def test_a_notice_says_where_something_changed_and_no_more(watched: Any) -> None:
    vendor, google, came, outbox, channel = watched
    assert isinstance(google, Receives)
    vendor.make_event({"summary": "x", "start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}})
    outbox.deliver()
    assert [list(google.receive(request)) for request in came] == [[], [Hint("events", None, f"{channel.id}:2")]]
    assert (channel.calendar, channel.expires is not None) == (ADDRESS, True)


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_notice_without_the_token_of_its_channel_is_not_believed(watched: Any, token: str) -> None:
    _, google, came, outbox, _ = watched
    outbox.deliver()
    first = came[0]
    for headers in ({**first.headers, "x-goog-channel-token": token}, {**first.headers, "x-goog-channel-id": "another"}, {}):
        with pytest.raises(AuthError):
            google.receive(Request("POST", first.url, headers, b""))


def test_a_notice_of_something_else_is_refused(watched: Any) -> None:
    _, google, came, outbox, _ = watched
    outbox.deliver()
    other = {"x-goog-resource-state": "exists", "x-goog-resource-uri": "https://www.googleapis.com/calendar/v3/users/me/settings"}
    with pytest.raises(RejectedError, match="settings"):
        google.receive(Request("POST", came[0].url, {**came[0].headers, **other}, b""))


def test_a_channel_that_is_closed_or_a_week_old_says_nothing(watched: Any) -> None:
    vendor, google, came, outbox, channel = watched
    google.stop(channel)
    (other,) = google.watch("https://office.example.com/google")
    outbox.deliver()
    vendor.clock.sleep(8 * 86_400)
    vendor.make_event({"summary": "x", "start": {"date": "2026-02-02"}, "end": {"date": "2026-02-03"}})
    outbox.deliver()
    assert [request.headers["x-goog-resource-state"] for request in came] == ["sync", "sync"]
    assert other.id != channel.id


def test_of_several_calendars_all_are_watched_or_none() -> None:
    vendor = GoogleVendor(hazards=Hazards.none())
    google = connector(vendor, calendars="primary,nowhere@example.com")
    with pytest.raises(NotFoundError):
        google.watch("https://office.example.com/google")
    asked = [entry.call.path.rpartition("/")[2] for entry in vendor.log if entry.call.method == "POST"]
    assert asked == ["watch", "watch", "stop"]


def test_the_token_of_a_channel_is_a_secret(watched: Any) -> None:
    _, _, came, outbox, _ = watched
    outbox.deliver()
    token = came[0].headers["x-goog-channel-token"]
    assert token not in redact(f"token={token} and {token}")


def test_an_address_that_google_does_not_call_is_refused() -> None:
    with pytest.raises(RejectedError, match="HTTPS"):
        connector(GoogleVendor(hazards=Hazards.none())).watch("http://office.example.com/google")


# the fake


def test_the_same_seed_gives_the_same_account() -> None:
    def told(seed: int) -> list[bytes]:
        vendor = furnish(GoogleVendor(seed=seed))
        kept: list[bytes] = []
        straight = transport(vendor)

        def through(request: httpx2.Request) -> httpx2.Response:
            response = straight.handle_request(request)
            kept.append(response.read())
            return response

        google = connector(vendor, through=httpx2.MockTransport(through))
        for object in google.spec.objects:
            pages = everything(google, object)
            google.lookup(object, [raw["id"] for page in pages for raw in page.records])
        return kept

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_the_sandbox_says_what_is_hard_about_it() -> None:
    ground = playground()
    assert ground.contents["events"] > 3
    assert {"short_pages", "shuffled", "people_tokens"} <= ground.hazards.keys()
    assert playground(hazards=False).hazards == {}


def test_an_outage_is_an_outage() -> None:
    def down(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(502, content=b"<html><title>502</title></html>", headers={"content-type": "text/html"})

    vendor = GoogleVendor(hazards=Hazards.none())
    with pytest.raises(UnavailableError):
        everything(connector(vendor, through=httpx2.MockTransport(down), attempts=2), "calendars")
