"""A person's consent comes back to this machine, with PKCE, and only the answer that was asked for counts."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import httpx2
import pytest

from aios_connect.connectors.consent import ask_consent
from aios_connect.connectors.oauth import Grant, TokenEndpoint, token_http
from aios_connect.connectors.spec import Auth
from aios_connect.errors import AuthError

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
