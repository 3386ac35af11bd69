"""A person's consent comes back to this machine, with PKCE, and only the answer that was asked for counts."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import httpx2
import pytest

from aios_connect.connectors.consent import ask_consent, ask_on_another_device
from aios_connect.connectors.oauth import DeviceCode, Grant, OAuthRefusedError, TokenEndpoint, token_http
from aios_connect.connectors.spec import Auth
from aios_connect.errors import AuthError, ConfigError, TruncatedError

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AUTH = Auth(
    "oauth2",
    "",
    authorize_url="https://{site}/authorize?prompt=yes",
    token_url="https://{site}/token",
    scopes={"deals.read": "read deals", "deals.write": "write deals"},
)


class Vendor:
    """Gives a code to whoever consents, and a token for that code to whoever knows the verifier."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        self.forms.append(form)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if challenge != self.asked["code_challenge"] or form["redirect_uri"] != self.asked["redirect_uri"]:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        return httpx2.Response(200, json={"access_token": "acc-1", "refresh_token": "ref-1", "expires_in": 60, "site": "eu"})

    def ask(self, browser: Callable[[dict[str, str]], None], patience: float = 30) -> Grant:
        """Ask for consent; the browser acts in a thread of its own, as browsers do."""
        threads = []

        def show(url: str) -> None:
            assert url.startswith("https://acme.example/authorize?prompt=yes&")
            self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
            threads.append(threading.Thread(target=browser, args=(self.asked,)))
            threads[0].start()

        seam = token_http("acme", transport=httpx2.MockTransport(self), now=lambda: NOON, sleep=lambda _: None)
        endpoint = TokenEndpoint(
            AUTH, seam, client_id="app", client_secret="", now=lambda: NOON, settings={"site": "acme.example"}
        )
        try:
            return ask_consent(endpoint, show=show, patience=patience, provider="acme")
        finally:
            threads[0].join(30)


def visit(url: str) -> int:
    try:
        with urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except OSError as error:
        return int(getattr(error, "code", 0))


def test_consent_gives_a_grant() -> None:
    vendor, seen = Vendor(), []

    def consents(asked: dict[str, str]) -> None:
        back = asked["redirect_uri"]
        seen.append(visit(back.replace("/callback", "/favicon.ico")))
        seen.append(visit(f"{back}?code=stolen&state=somebody-elses"))
        seen.append(visit(f"{back}?code=the-code&state={asked['state']}"))

    grant = vendor.ask(consents)
    assert seen == [404, 404, 200]
    assert (grant.access_token, grant.refresh_token, grant.expires_at) == ("acc-1", "ref-1", NOON.timestamp() + 60)
    assert grant.values() == {"access_token": "acc-1", "refresh_token": "ref-1", "lifetime": "60.0", "site": "eu"}
    assert "acc-1" not in repr(grant)
    assert vendor.asked["scope"] == "deals.read deals.write"
    assert vendor.asked["code_challenge_method"] == "S256"
    assert vendor.asked["redirect_uri"].startswith("http://127.0.0.1:")
    (form,) = vendor.forms
    assert (form["grant_type"], form["code"], form["client_id"]) == ("authorization_code", "the-code", "app")


def test_a_person_who_declines_is_heard() -> None:
    def declines(asked: dict[str, str]) -> None:
        visit(f"{asked['redirect_uri']}?error=access_denied&state={asked['state']}")

    with pytest.raises(AuthError, match="the vendor says: access_denied"):
        Vendor().ask(declines)


def test_nobody_who_comes_back_is_not_waited_for_forever() -> None:
    def stays_away(asked: dict[str, str]) -> None:
        visit(f"{asked['redirect_uri']}?code=the-code&state=wrong")

    with pytest.raises(AuthError, match="nobody consented"):
        Vendor().ask(stays_away, patience=0.3)


def test_an_answer_to_another_sign_in_is_named_when_nobody_came_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    came = threading.Event()

    def comes_from_an_old_tab(asked: dict[str, str]) -> None:
        visit(f"{asked['redirect_uri']}?code=the-code&state=wrong")
        came.set()

    def waits_in_vain(self: threading.Event, timeout: float | None = None) -> bool:
        return waits(came if timeout == 0.5 else self, 30 if timeout == 0.5 else timeout)

    waits = threading.Event.wait
    monkeypatch.setattr(threading.Event, "wait", waits_in_vain)
    with pytest.raises(AuthError, match="an answer came that belongs to another sign-in") as caught:
        Vendor().ask(comes_from_an_old_tab, patience=0.5)
    assert "must be among the redirect addresses of your application" in caught.value.hint
    assert "http://127.0.0.1:" in caught.value.hint


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("access_denied", "do the same again, and consent"),
        ("temporarily_unavailable", "do the same again later"),
        ("invalid_scope", "look at your application there: it needs the scopes"),
    ],
)
def test_what_the_vendor_says_instead_of_a_code_has_its_own_way_out(code: str, hint: str) -> None:
    def is_refused(asked: dict[str, str]) -> None:
        visit(f"{asked['redirect_uri']}?error={code}&state={asked['state']}")

    with pytest.raises(AuthError, match=f"the vendor says: {code}") as caught:
        Vendor().ask(is_refused)
    assert hint in caught.value.hint


def test_a_code_that_the_vendor_does_not_take_has_a_way_out() -> None:
    vendor = Vendor()

    def comes_with_another_challenge(asked: dict[str, str]) -> None:
        vendor.asked = {**asked, "code_challenge": "another"}
        visit(f"{asked['redirect_uri']}?code=the-code&state={asked['state']}")

    with pytest.raises(OAuthRefusedError, match="refused: invalid_grant") as caught:
        vendor.ask(comes_with_another_challenge)
    assert caught.value.hint == "the consent was too old, or used before; do the same again"


def test_a_person_who_stops_waiting_leaves_no_door_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def loses_patience(self: threading.Event, timeout: float | None = None) -> bool:
        if timeout == 300.0:
            raise KeyboardInterrupt
        return waits(self, timeout)

    waits = threading.Event.wait
    endpoint = TokenEndpoint(AUTH, token_http("acme"), client_id="a", client_secret="", now=lambda: NOON, settings={"site": "x"})
    before = set(threading.enumerate())
    monkeypatch.setattr(threading.Event, "wait", loses_patience)
    with pytest.raises(KeyboardInterrupt):
        ask_consent(endpoint, show=lambda address: None, provider="acme")
    assert set(threading.enumerate()) <= before


def test_a_port_that_is_taken_is_a_sentence() -> None:
    endpoint = TokenEndpoint(AUTH, token_http("acme"), client_id="a", client_secret="", now=lambda: NOON)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot be had") as caught:
        ask_consent(endpoint, show=lambda address: None, port=taken.getsockname()[1])
    assert "--port" in caught.value.hint


# On another device


class Typed:
    """A vendor that says a list of things to who asks whether the code was typed."""

    def __init__(self, *says: tuple[int, dict[str, Any]], asked: dict[str, Any] | None = None) -> None:
        self.says = list(says)
        self.asked = {"device_code": "dev-s3cret", "user_code": "WDJB-MJHT", "expires_in": 60, "interval": 5} | (
            {"verification_uri": "https://acme.example/device"} if asked is None else asked
        )
        self.at = NOON
        self.naps: list[float] = []
        self.forms: list[dict[str, str]] = []
        self.shown: list[DeviceCode] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        if request.url.path == "/device":
            return httpx2.Response(200, json=self.asked)
        status, body = self.says.pop(0)
        return httpx2.Response(status, json=body)

    def ask(self) -> Grant:
        def sleep(seconds: float) -> None:
            self.naps.append(seconds)
            self.at += timedelta(seconds=seconds)

        auth = replace(AUTH, device_url="https://{site}/device")
        seam = token_http("acme", transport=httpx2.MockTransport(self), now=lambda: self.at, sleep=lambda _: None)
        endpoint = TokenEndpoint(
            auth, seam, client_id="app", client_secret="", now=lambda: self.at, settings={"site": "acme.example"}
        )
        return ask_on_another_device(endpoint, show=self.shown.append, now=lambda: self.at, sleep=sleep, provider="acme")


WAITING = (400, {"error": "authorization_pending"})
GIVEN = (200, {"access_token": "acc-1", "refresh_token": "ref-1", "expires_in": 60})


def test_a_code_typed_on_another_device_gives_a_grant() -> None:
    vendor = Typed(WAITING, (400, {"error": "slow_down"}), WAITING, (502, {}), (502, {}), GIVEN)
    grant = vendor.ask()
    assert (grant.access_token, grant.refresh_token) == ("acc-1", "ref-1")
    assert vendor.naps == [5, 5, 10, 10, 20], "slower when told to, and slower still when nobody answers"
    (shown,) = vendor.shown
    assert (shown.user_code, shown.address) == ("WDJB-MJHT", "https://acme.example/device")
    assert "dev-s3cret" not in repr(shown)
    assert vendor.forms[0] == {"client_id": "app", "scope": "deals.read deals.write"}
    device = "urn:ietf:params:oauth:grant-type:device_code"
    assert vendor.forms[1] == {"grant_type": device, "device_code": "dev-s3cret", "client_id": "app"}


@pytest.mark.parametrize(
    ("says", "message", "hint"),
    [
        ((400, {"error": "access_denied"}), "the person declined", "do the same again, and consent"),
        ((400, {"error": "expired_token"}), "nobody typed the code within 60 s", "it gives a new code"),
        ((400, {"error": "invalid_grant"}), "refused: invalid_grant", "do the same again"),
        ((401, {"error": "invalid_client"}), "refused: invalid_client", "its client id"),
    ],
)
def test_what_ends_the_wait_for_another_device_has_its_own_way_out(
    says: tuple[int, dict[str, Any]], message: str, hint: str
) -> None:
    with pytest.raises(AuthError, match=message) as caught:
        Typed(WAITING, says).ask()
    assert hint in caught.value.hint


def test_a_code_that_nobody_types_is_not_asked_about_for_longer_than_it_lives() -> None:
    vendor = Typed(*[WAITING] * 50)
    with pytest.raises(AuthError, match="nobody typed the code within 60 s"):
        vendor.ask()
    assert sum(vendor.naps) < 60


def test_a_device_address_that_gives_no_code_is_cut_short() -> None:
    with pytest.raises(TruncatedError, match="answered without a code"):
        Typed(asked={}).ask()
    assert Typed(GIVEN, asked={"verification_url": "https://acme.example/d"}).ask().access_token == "acc-1"
