"""The HTTP seam: what is sent again and what never is, how long it waits, and which error comes of what."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from aios_connect.connectors.budget import MemoryBudget
from aios_connect.connectors.http import PLAN_LINES, Http
from aios_connect.connectors.redaction import remember
from aios_connect.connectors.response import Response
from aios_connect.connectors.spec import Limit
from aios_connect.errors import (
    AmbiguousWriteError,
    AuthError,
    ConflictError,
    CursorGoneError,
    NotFoundError,
    ProviderError,
    RateLimitedError,
    RejectedError,
    TruncatedError,
    UnavailableError,
)

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Answer = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.at = NOON
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)


class Vendor:
    """Answers in the order written; the last answer for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return (
            answer(request)
            if callable(answer)
            else httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        )


class Badge:
    """Credentials that can be renewed a number of times."""

    def __init__(self, renewals: int = 1) -> None:
        self.token = 1
        self.renewals = renewals
        self.rejected: list[Mapping[str, str]] = []

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer token-{self.token}"}

    def refresh(self, rejected: Mapping[str, str]) -> bool:
        self.rejected.append(rejected)
        if not self.renewals:
            return False
        self.renewals -= 1
        self.token += 1
        return True


def http(vendor: Vendor, clock: Clock | None = None, **settings: Any) -> Http:
    clock = clock or Clock()
    return Http(
        provider="acme",
        base_url="https://acme.example/api",
        transport=httpx2.MockTransport(vendor),
        now=clock.now,
        sleep=clock.sleep,
        jitter=lambda: 0.0,
        **settings,
    )


def ok(body: str = '{"ok": true}', **headers: str) -> httpx2.Response:
    return httpx2.Response(200, content=body.encode(), headers={"content-type": "application/json", **headers})


def no(status: int, body: str = '{"message": "no"}', **headers: str) -> httpx2.Response:
    return httpx2.Response(
        status, content=body.encode(), headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


# What goes out


def test_a_request_says_who_we_are_and_which_plan_lines_it_carries_out() -> None:
    vendor = Vendor(ok())
    http(vendor).request("patch", "/deals/7", json={"amount": Decimal("12500.10")}, lines=["l1", "l2"], params={"a": [1, 2]})
    (request,) = vendor.requests
    assert request.method == "PATCH"
    assert str(request.url) == "https://acme.example/api/deals/7?a=1&a=2"
    assert request.content == b'{"amount":12500.10}'
    assert request.headers[PLAN_LINES] == "l1,l2"
    assert request.headers["user-agent"].startswith("aios-connect/")
    assert request.headers["accept"] == "application/json"


def test_more_plan_lines_than_a_header_holds_are_counted() -> None:
    vendor = Vendor(ok())
    lines = [f"line_{number:05}" for number in range(2000)]
    http(vendor).request("POST", "/deals", json=[], lines=lines)
    sent = vendor.requests[0].headers[PLAN_LINES]
    assert len(sent) < 4100
    named, _, left = sent.rpartition(",+")
    assert len(named.split(",")) + int(left) == 2000


def test_half_a_character_is_refused_before_anything_is_sent() -> None:
    vendor = Vendor(ok())
    with pytest.raises(RejectedError, match="half a character"):
        http(vendor).request("POST", "/deals", json={"name": "\ud800"})
    assert vendor.requests == []


def test_credentials_go_to_their_own_origin_only() -> None:
    vendor = Vendor(ok())
    seam = http(vendor, credentials=Badge())
    seam.request("GET", "/deals")
    seam.request("GET", "https://acme.example/api/next?page=2")
    seam.request("GET", "https://acme.example.evil.test/api/next")
    seam.request("GET", "http://acme.example/api/next")
    seam.request("GET", "/login", headers={"authorization": "Session abc"})
    assert [request.headers.get("authorization") for request in vendor.requests] == [
        "Bearer token-1",
        "Bearer token-1",
        None,
        None,
        "Session abc",
    ]


# What comes back


def test_numbers_come_back_exactly_as_written() -> None:
    body = '{"cents": 1.10, "large": 123456789012345678901234567890, "huge": 1e400, "whole": 7, "true": true}'
    value = http(Vendor(ok(body))).request("GET", "/x").json()
    assert value == {
        "cents": Decimal("1.10"),
        "large": 123456789012345678901234567890,
        "huge": Decimal("1e400"),
        "whole": 7,
        "true": True,
    }
    assert str(value["cents"]) == "1.10"
    assert isinstance(value["whole"], int)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": "x\\ud800y"}', {"a": "x\ufffdy"}),
        (b'{"a": "\\ud83d\\ude00", "b": NaN}', {"a": "\U0001f600", "b": "NaN"}),
        (b'{"a": [Infinity, -Infinity, 1.5]}', {"a": ["Infinity", "-Infinity", Decimal("1.5")]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "tab\there"}', {"a": "tab\there"}),
        (b'{"a": "caf\xe9"}', {"a": "caf\ufffd"}),
    ],
)
def test_json_that_breaks_the_rules_is_read_and_counted(body: bytes, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    seam = http(Vendor(httpx2.Response(200, content=body)))
    with caplog.at_level(logging.WARNING, "aios_connect.http"):
        assert seam.request("GET", "/x").json() == value
    assert seam.odd_bodies == 1
    assert "breaks the rules" in caplog.text


@pytest.mark.parametrize("odd", [b"", b', "b": NaN'])
def test_of_a_name_that_comes_twice_the_last_one_counts(odd: bytes) -> None:
    """RFC 8259, 4 leaves it open; read strictly or leniently, it is the same one."""
    answer = httpx2.Response(200, content=b'{"a": 1, "a": 2' + odd + b"}")
    assert http(Vendor(answer)).request("GET", "/x").json()["a"] == 2


def test_a_body_in_another_charset_is_read_in_it() -> None:
    body = '{"a": "café NaN"}'.encode("cp1252")
    answer = httpx2.Response(200, content=body, headers={"content-type": "application/json; charset=windows-1252"})
    assert http(Vendor(answer)).request("GET", "/x").json() == {"a": "café NaN"}


@pytest.mark.parametrize(
    "body", [b"", b"  \n", b'{"results": [{"id": 1}', b"[" * 100_000, b"id,name\n1,Ada\n", b'{"a":1}{"b":2}']
)
def test_a_body_that_is_cut_off_or_no_json_is_named(body: bytes) -> None:
    response = http(Vendor(httpx2.Response(200, content=body))).request("GET", "/x", object="deals")
    with pytest.raises(TruncatedError) as caught:
        response.json()
    assert (caught.value.provider, caught.value.object, caught.value.status) == ("acme", "deals", 200)


def test_a_transport_in_this_process_is_held_to_the_length_it_announces() -> None:
    def short(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"{}", headers={"content-length": "999"})

    def damaged(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"no gzip", headers={"content-encoding": "gzip"})

    for answer in (short, damaged):
        with pytest.raises(TruncatedError, match="the answer is damaged"):
            http(Vendor(answer), attempts=1).request("GET", "/x")
        with pytest.raises(AmbiguousWriteError):
            http(Vendor(answer)).request("POST", "/x", json={})


def test_a_web_page_instead_of_data_is_asked_for_again_and_then_named() -> None:
    page = httpx2.Response(200, content=b"<!DOCTYPE html><html><title>We will be\nright back</title></html>")
    assert http(Vendor(page, ok())).request("GET", "/x").json() == {"ok": True}
    with pytest.raises(UnavailableError, match=r"web page \(We will be right back\) instead of data"):
        http(Vendor(page)).request("GET", "/x")
    with pytest.raises(AmbiguousWriteError, match="web page"):
        http(Vendor(page)).request("POST", "/x", json={})
    asked_for = http(Vendor(page)).request("GET", "/x", headers={"Accept": "text/html"})
    assert asked_for.text.startswith("<!DOCTYPE")


# Errors


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RejectedError),
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, NotFoundError),
        (412, ConflictError),
        (413, RejectedError),
        (418, RejectedError),
        (422, RejectedError),
        (429, RateLimitedError),
        (500, UnavailableError),
        (501, RejectedError),
        (503, UnavailableError),
        (599, UnavailableError),
    ],
)
def test_a_status_becomes_the_error_the_caller_reacts_to(status: int, kind: type[ProviderError]) -> None:
    body = '{"error": {"message": "why\\n so"}}'
    with pytest.raises(ProviderError, match=rf"\({status}\): why so") as caught:
        http(Vendor(no(status, body, x_request_id="r-1"))).request("GET", "/deals", object="deals")
    assert type(caught.value) is kind
    assert (caught.value.provider, caught.value.object, caught.value.status, caught.value.request_id) == (
        "acme",
        "deals",
        status,
        "r-1",
    )


def test_a_redirect_is_not_followed() -> None:
    vendor = Vendor(no(302, "", location="https://elsewhere.example/"))
    with pytest.raises(UnavailableError, match=r"sends us on to https://elsewhere") as caught:
        http(vendor, credentials=Badge()).request("GET", "/deals")
    assert "address of the connection" in caught.value.hint
    assert len(vendor.requests) == 1


def test_an_error_in_a_200_body_is_an_error() -> None:
    def says(response: Response) -> ProviderError | None:
        body = response.json_or_none()
        return CursorGoneError(body["error"], provider="acme") if isinstance(body, dict) and "error" in body else None

    seam = http(Vendor(ok('{"error": "cursor expired"}')))
    with pytest.raises(CursorGoneError, match="cursor expired") as caught:
        seam.request("GET", "/deals", object="deals", classify=says)
    assert caught.value.object == "deals"


def test_an_error_that_the_vendor_explained_is_not_ambiguous() -> None:
    def says(response: Response) -> ProviderError | None:
        return UnavailableError("locked by another transaction, nothing was done", provider="acme")

    vendor = Vendor(ok())
    with pytest.raises(UnavailableError, match="nothing was done"):
        http(vendor).request("POST", "/deals", json={}, classify=says)
    assert len(vendor.requests) == 1


def test_a_long_explanation_is_cut_and_a_page_gives_its_title() -> None:
    with pytest.raises(RejectedError) as caught:
        http(Vendor(no(400, '{"message": "' + "x" * 5000 + '"}'))).request("GET", "/x")
    assert len(caught.value.message) < 400
    with pytest.raises(NotFoundError, match=r"\(404\): No page here$"):
        http(Vendor(no(404, "<html><title>No page here</title><body>lots</body></html>"))).request("GET", "/x")


# Trying again


@pytest.mark.parametrize(
    "trouble",
    [
        no(500),
        no(502),
        no(503),
        httpx2.ReadTimeout("t"),
        httpx2.ReadError("r"),
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("t"),
    ],
    ids=str,
)
def test_what_may_be_sent_twice_is_sent_again(trouble: Answer) -> None:
    vendor, clock = Vendor(trouble, trouble, ok()), Clock()
    assert http(vendor, clock).request("POST", "/search", json={}, safe=True).json() == {"ok": True}
    assert len(vendor.requests) == 3
    assert clock.waits == [0.25, 0.5]  # half of the longest, without jitter


@pytest.mark.parametrize(
    "trouble",
    [
        no(500),
        no(502),
        no(503),
        no(504),
        httpx2.ReadTimeout("t"),
        httpx2.ReadError("r"),
        httpx2.WriteError("w"),
        httpx2.WriteTimeout("w"),
        httpx2.RemoteProtocolError("gone"),
    ],
    ids=str,
)
def test_a_write_whose_outcome_is_unknown_is_never_sent_again(trouble: Answer) -> None:
    vendor = Vendor(trouble)
    with pytest.raises(AmbiguousWriteError, match="whether the POST was carried out is not known") as caught:
        http(vendor).request("POST", "/deals", json={}, object="deals")
    assert len(vendor.requests) == 1
    assert caught.value.object == "deals"


@pytest.mark.parametrize(
    "trouble",
    [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("t"), no(429), no(429, retry_after="1"), no(503, retry_after="1")],
    ids=str,
)
def test_a_write_that_was_certainly_not_processed_is_sent_again(trouble: Answer) -> None:
    vendor = Vendor(trouble, ok())
    assert http(vendor).request("POST", "/deals", json={}).json() == {"ok": True}
    assert len(vendor.requests) == 2


def test_a_write_that_never_got_through_is_not_ambiguous() -> None:
    with pytest.raises(UnavailableError, match=r"nobody answers at https://acme\.example") as caught:
        http(Vendor(httpx2.ConnectError("[Errno 111] Connection refused"))).request("POST", "/deals", json={})
    assert "is it running" in caught.value.hint


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7.0), ("0", 0.0), ("Sat, 21 Nov 2026 12:00:09 GMT", 9.0), ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0)]
)
def test_retry_after_is_kept_in_both_forms(header: str, wait: float) -> None:
    clock = Clock()
    http(Vendor(no(429, retry_after=header), ok()), clock).request("GET", "/x")
    assert clock.waits == [wait]


def test_the_date_of_the_answer_counts_and_not_our_clock() -> None:
    clock = Clock()
    late = no(429, retry_after="Sat, 21 Nov 2026 14:00:09 GMT", date="Sat, 21 Nov 2026 14:00:00 GMT")
    http(Vendor(late, ok()), clock).request("GET", "/x")
    assert clock.waits == [9.0]


def test_a_wait_that_is_too_long_is_an_error_that_says_how_long() -> None:
    vendor, clock = Vendor(no(429, retry_after="3600")), Clock()
    with pytest.raises(RateLimitedError) as caught:
        http(vendor, clock, max_wait=60).request("GET", "/x")
    assert caught.value.retry_after == 3600
    assert clock.waits == []
    assert len(vendor.requests) == 1


def test_it_gives_up_after_so_many_attempts_and_so_much_waiting() -> None:
    vendor = Vendor(no(503))
    with pytest.raises(UnavailableError):
        http(vendor).request("GET", "/x")
    assert len(vendor.requests) == 6
    vendor, clock = Vendor(no(429, retry_after="50")), Clock()
    with pytest.raises(RateLimitedError):
        http(vendor, clock, max_wait=120).request("GET", "/x")
    assert clock.waits == [50, 50]


def test_a_refusal_is_not_asked_for_again() -> None:
    vendor = Vendor(no(422), ok())
    with pytest.raises(RejectedError):
        http(vendor).request("GET", "/x")
    assert len(vendor.requests) == 1


# Credentials


def test_a_rejected_token_is_renewed_once_and_nothing_is_lost() -> None:
    vendor, badge = Vendor(no(401), ok()), Badge()
    assert http(vendor, credentials=badge).request("POST", "/deals", json={}).json() == {"ok": True}
    assert [request.headers["authorization"] for request in vendor.requests] == ["Bearer token-1", "Bearer token-2"]
    assert badge.rejected == [{"Authorization": "Bearer token-1"}]


def test_a_token_that_stays_rejected_is_an_error_after_one_renewal() -> None:
    vendor, badge = Vendor(no(401)), Badge(renewals=9)
    with pytest.raises(AuthError):
        http(vendor, credentials=badge).request("GET", "/deals")
    assert len(vendor.requests) == 2


def test_missing_permission_renews_nothing() -> None:
    badge = Badge()
    with pytest.raises(AuthError):
        http(Vendor(no(403)), credentials=badge).request("GET", "/deals")
    assert badge.rejected == []


def test_a_token_that_expires_during_a_wait_is_taken_anew() -> None:
    badge = Badge()

    def unavailable(request: httpx2.Request) -> httpx2.Response:
        badge.token = 5
        return httpx2.Response(503)

    vendor = Vendor(unavailable, ok())
    http(vendor, credentials=badge).request("GET", "/deals")
    assert vendor.requests[1].headers["authorization"] == "Bearer token-5"


# Limits


def test_the_budget_is_asked_before_every_attempt() -> None:
    clock = Clock()
    budget = MemoryBudget(now=clock.now, sleep=clock.sleep)
    vendor = Vendor(ok(), httpx2.ReadTimeout("t"), ok())
    seam = http(vendor, clock, limits=(Limit(2, 10),), budget=budget)
    seam.request("GET", "/1")
    seam.request("GET", "/2")
    assert [request.url.path for request in vendor.requests] == ["/api/1", "/api/2", "/api/2"]
    assert sum(clock.waits) > 10


def test_a_batch_counts_as_what_is_in_it() -> None:
    clock = Clock()
    budget = MemoryBudget(now=clock.now, sleep=clock.sleep)
    seam = http(Vendor(ok()), clock, limits=(Limit(10, 10),), budget=budget)
    seam.request("POST", "/batch", cost=9)
    seam.request("GET", "/1")
    assert clock.waits == []
    seam.request("GET", "/2")
    assert sum(clock.waits) > 10


def test_a_429_closes_the_account_for_all_who_share_it() -> None:
    clock = Clock()
    budget = MemoryBudget(now=clock.now, sleep=clock.sleep)
    refused = http(Vendor(no(429, retry_after="40")), clock, limits=(Limit(100, 10),), budget=budget, attempts=1)
    other = http(Vendor(ok()), clock, limits=(Limit(100, 10),), budget=budget)
    with pytest.raises(RateLimitedError):
        refused.request("GET", "/1")
    assert clock.waits == []
    other.request("GET", "/2")
    assert clock.waits == [40]


def test_a_slow_call_counts_from_its_answer_on() -> None:
    clock = Clock()
    budget = MemoryBudget(now=clock.now, sleep=clock.sleep)

    def slow(request: httpx2.Request) -> httpx2.Response:
        clock.at += timedelta(seconds=8)
        return httpx2.Response(500)

    seam = http(Vendor(slow, ok()), clock, limits=(Limit(1, 10),), budget=budget, attempts=1)
    with pytest.raises(UnavailableError):
        seam.request("GET", "/1")
    seam.request("GET", "/2")
    assert sum(clock.waits) > 10


def test_what_the_vendor_says_is_left_holds_for_all() -> None:
    clock = Clock()
    budget = MemoryBudget(now=clock.now, sleep=clock.sleep)
    limits = (Limit(100, 10, left="X-Acme-Left"),)
    first = http(Vendor(ok(**{"X-Acme-Left": "1"})), clock, limits=limits, budget=budget)
    second = http(Vendor(ok(**{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "8"})), clock, limits=limits, budget=budget)
    first.request("GET", "/x")
    second.request("GET", "/x")
    assert clock.waits == []
    second.request("GET", "/x")
    assert sum(clock.waits) == pytest.approx(10.4, abs=0.4)


def test_what_is_left_may_be_said_as_what_is_used_of_how_many() -> None:
    """Salesforce: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm"""
    clock = Clock()
    budget = MemoryBudget(now=clock.now, sleep=clock.sleep)
    limit = Limit(100_000, 86_400.0, left="Sforce-Limit-Info")
    seam = http(Vendor(ok(**{"Sforce-Limit-Info": "api-usage=14800/15000"})), clock, limits=(limit,), budget=budget)
    seam.request("GET", "/x")
    assert limit.calls - budget.used(seam.account, limit) == 200


# Secrets


def test_a_planted_token_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    token = "pl4nted-Token/+="
    remember(token)
    echo = no(500, f'{{"message": "bad token {token} in call"}}')
    seam = http(Vendor(echo))
    with caplog.at_level(logging.DEBUG), pytest.raises(UnavailableError) as caught:
        seam.request("GET", "/x", params={"access_token": token, "q": "1"}, headers={"X-Key": token})
    assert caplog.text.count("[secret]") > 3
    for text in (caplog.text, str(caught.value), repr(caught.value), caught.value.hint, repr(seam)):
        assert "pl4nted" not in text
