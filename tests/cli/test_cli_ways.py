"""Ways to sign in: the settings choose one, what it needs is asked for, and what nobody needs is not insisted on."""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from aios_connect_hubspot import HubSpot
from aios_connect_hubspot.sandbox import REFRESH, TOKEN, HubSpotVendor, furnish
from aios_connect_salesforce import Salesforce
from aios_connect_salesforce.sandbox import Hazards as SalesforceHazards
from aios_connect_salesforce.sandbox import SalesforceVendor

from aios_connect.cli.screen import Screen
from aios_connect.connectors import Auth, AuthError, Identity, ProviderError, RejectedError, UnavailableError, registry
from aios_connect.sandbox import Answer, Call, RefusedError, route, serve

from .conftest import Aios, Desk, Ran

OURS = {"client_id": "our-app", "client_secret": "our-s3cret"}


class Consenting(HubSpotVendor):
    """The fake HubSpot, where a person consents in a browser (RFC 6749, 4.1, with PKCE, RFC 7636)."""

    challenge = ""

    @route("GET", "/oauth/authorize")
    def authorize(self, call: Call) -> Any:
        if not call.query["redirect_uri"].startswith(("https://", "http://localhost:")):  # see HubSpot.spec
            raise RefusedError(400, {"status": "error", "message": "redirect URL must use https"})
        self.challenge = call.query["code_challenge"]
        back = urlencode({"code": "the-code", "state": call.query["state"]})
        return Answer(302, b"", {"location": f"{call.query['redirect_uri']}?{back}"})

    @route("POST", "/oauth/v3/token")
    def token(self, call: Call) -> Any:
        form = dict(parse_qsl(call.body.decode()))
        if any(form.get(name) != value for name, value in OURS.items()):
            raise RefusedError(400, {"status": "BAD_CLIENT_ID", "message": "missing or unknown client"})
        if form["grant_type"] == "authorization_code":
            proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
            assert (form["code"], proof) == ("the-code", self.challenge)
            return self.tokens.refresh(REFRESH)
        return super().token(call)


class Near(HubSpot):
    """HubSpot, signed in to where its settings say."""

    spec = replace(
        HubSpot.spec,
        auth=(
            HubSpot.spec.auth[0],
            replace(
                HubSpot.spec.auth[1],
                authorize_url="{url}/oauth/authorize",
                token_url="{url}/oauth/2026-03/token",
                revoke_url="{url}/oauth/2026-03/token/revoke",
            ),
        ),
    )


class Open(Desk):
    """A desk that may be looked at without signing in."""

    spec = replace(Desk.spec, provider="open", title="Open", auth=(*Desk.spec.auth, Auth("none", "Anybody may look.")))

    def check(self) -> Identity:
        return Identity("desk", "somebody" if self.context.credentials.headers() else "nobody")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Consenting, str]]:
    """A fake account, its address, and a project to connect it in."""
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda provider: Near if provider == "hubspot" else load(provider))
    (tmp_path / "aios-connect.toml").write_text("", encoding="utf-8")
    vendor = Consenting()
    furnish(vendor)
    with serve(vendor) as server:
        yield vendor, server.url


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, *lines: str, secret: str = "") -> None:
    monkeypatch.setattr(Screen, "interactive", True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    monkeypatch.setattr("getpass.getpass", lambda label, stream: secret)


def test_hubspot_is_connected_by_consent_and_its_sign_in_renewed(
    aios: Aios, hub: tuple[Consenting, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vendor, url = hub
    visits: list[threading.Thread] = []

    def browser(address: str) -> bool:
        visits.append(threading.Thread(target=lambda: urllib.request.urlopen(address).close()))
        visits[0].start()
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    at_a_terminal(monkeypatch, "our-app", secret="our-s3cret")
    ran = aios("connect", "hub", "--provider", "hubspot", "--set", f"url={url}", "--set", "sign_in=oauth2")
    assert ran.code == 0, ran.err
    visits[0].join()
    assert "client_id (Id of your application" in ran.err
    assert 'another way: sign_in = "key"' in ran.err
    said = (tmp_path / "aios-connect.toml").read_text(encoding="utf-8")
    assert 'sign_in = "oauth2"\nclient_id = "our-app"\n' in said
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(secret in kept for secret in (b"our-s3cret", REFRESH.encode(), b"access-1"))
    monkeypatch.setattr(Screen, "interactive", False)
    vendor.clock.sleep(3600)  # the access token has ended
    read = aios("read", "hub", "company", "--json")
    assert read.code == 0, read.err
    assert len(read.lines) > 5
    assert vendor.log[-1].call.headers["authorization"] == "Bearer access-2"
    assert aios("connect", "hub").code == 0  # what is there will do
    checked = aios("check", "--json")
    assert any(one["message"].endswith(", signed in to by oauth2") for one in checked.json["findings"])


def test_hubspot_is_connected_with_a_refresh_token_from_stdin_and_takes_it_back(
    aios: Aios, hub: tuple[Consenting, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, url = hub
    words = ("connect", "hub", "--provider", "hubspot", "--set", f"url={url}", "--set", "sign_in=oauth2")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"our-s3cret\n{REFRESH}\n"))
    assert aios(*words, "--set", "client_id=our-app", "--password-stdin").code == 0
    assert aios("read", "hub", "company", "--limit", "1").code == 0
    forgot = aios("connect", "hub", "--forget")
    assert (forgot.code, "the provider took the consent back" in forgot.out) == (0, True), forgot.out + forgot.err
    told = vendor.log[-1].call
    assert (told.path, parse_qsl(told.body.decode())[0]) == ("/oauth/v3/token/revoke", ("token", REFRESH))
    assert vendor.tokens.refresh(REFRESH) is None
    assert not any(REFRESH in entry.call.path for entry in vendor.log)


def test_secrets_of_another_way_are_not_enough(
    aios: Aios, hub: tuple[Consenting, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, url = hub
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TOKEN}\n"))
    assert aios("connect", "hub", "--provider", "hubspot", "--set", f"url={url}", "--password-stdin").code == 0
    with (tmp_path / "aios-connect.toml").open("a", encoding="utf-8") as file:
        file.write('sign_in = "oauth2"\n')
    ran = aios("connect", "hub")
    assert (ran.code, "has no client secret and no refresh token" in ran.err) == (2, True), ran.err
    assert "AIOS_HUB_REFRESH_TOKEN" in ran.err
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"our-s3cret\n{REFRESH}\n"))
    ran = aios("connect", "hub", "--password-stdin")
    assert (ran.code, "HubSpot needs client_id" in ran.err) == (2, True), ran.err
    assert "AIOS_HUB_CLIENT_ID" in ran.err


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        ('sign_in = "oauth"', "sign_in: HubSpot is not signed in to by 'oauth'", "did you mean 'oauth2'?"),
        ('client_id = "us"', "client_id is for oauth2, and this is signed in to by key", 'write sign_in = "oauth2"'),
        ('sing_in = "oauth2"', "HubSpot has no setting 'sing_in'", "did you mean 'sign_in'?"),
    ],
)
def test_a_wrong_word_is_said_with_its_line(aios: Aios, tmp_path: Path, lines: str, said: str, hint: str) -> None:
    (tmp_path / "aios-connect.toml").write_text(f'[connections.hub]\nprovider = "hubspot"\n{lines}\n', encoding="utf-8")
    ran = aios("check", "--offline")
    assert ran.code == 2
    shown = " ".join((ran.out + ran.err).split())
    assert f"aios-connect.toml:3:1: {said}" in shown
    assert hint in shown


def test_a_wrong_word_is_not_written(aios: Aios, tmp_path: Path) -> None:
    (tmp_path / "aios-connect.toml").write_text("", encoding="utf-8")
    ran = aios("connect", "hub", "--provider", "hubspot", "--set", "sign_in=oauth")
    assert (ran.code, "did you mean 'oauth2'?" in ran.err) == (2, True)
    assert (tmp_path / "aios-connect.toml").read_text(encoding="utf-8") == ""


def test_the_ways_are_shown(aios: Aios, sheets: Path) -> None:
    assert " ".join(aios("connectors").out.split()).count("key or oauth2") == 1
    described = aios("describe", "hubspot").out
    assert "sign-in: key (unless said otherwise). " in described
    assert 'sign-in: oauth2 (sign_in = "oauth2"). ' in described
    assert "client_id" in described
    told = aios("describe", "hubspot", "--json").json
    assert [way["kind"] for way in told["sign_in"]] == ["key", "oauth2"]
    (choice,) = (one for one in told["settings"] if one["name"] == "sign_in")
    assert choice["default"] == "key"


def test_a_form_that_needs_no_key_is_connected_without_one(aios: Aios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aios-connect.toml").write_text("", encoding="utf-8")
    words = ("connect", "form", "--provider", "webform", "--set", "origins=https://www.example.com")
    ran = aios(*words, "--json")
    assert (ran.code, ran.json["stored"]) == (0, False), ran.err
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    ran = aios("connect", "form", "--password-stdin")
    assert (ran.code, "stdin did not have the key" in ran.err) == (2, True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("a-key-that-nobody-guesses\n"))
    ran = aios("connect", "form", "--password-stdin", "--json")
    assert (ran.code, ran.json["stored"]) == (0, True), ran.err


def test_a_form_without_key_and_sites_says_what_it_lacks(aios: Aios, tmp_path: Path) -> None:
    (tmp_path / "aios-connect.toml").write_text("", encoding="utf-8")
    ran = aios("connect", "form", "--provider", "webform")
    assert (ran.code, "cannot receive: it needs a key" in ran.out) == (4, True), ran.err


def test_at_a_terminal_a_key_may_be_left_out(aios: Aios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aios-connect.toml").write_text("", encoding="utf-8")
    at_a_terminal(monkeypatch)
    ran = aios("connect", "form", "--provider", "webform", "--set", "origins=https://www.example.com")
    assert ran.code == 0, ran.err


def test_one_of_the_ways_may_be_to_sign_in_as_nobody(aios: Aios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda provider: Open if provider == "open" else load(provider))
    (tmp_path / "aios-connect.toml").write_text("", encoding="utf-8")
    more = ("--provider", "open", "--set", "url=http://127.0.0.1:1", "--set", "user=ann")
    ran = aios("connect", "ours", *more)
    assert (ran.code, "has no password" in ran.err) == (2, True), ran.err
    ran = aios("connect", "theirs", *more, "--set", "sign_in=none")
    assert (ran.code, "as nobody" in ran.out) == (0, True), ran.err


@pytest.fixture
def office(aios: Aios, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SalesforceVendor, Callable[[], Ran]]]:
    """A Salesforce whose grants can be used once, and the command that connects it with the first one."""
    assert aios("init").code == 0
    vendor = SalesforceVendor(hazards=SalesforceHazards.none())
    with serve(vendor) as server:
        settings = f"--set url={server.url} --set client_id=sandbox --set currency=USD"
        words = f"connect office --provider salesforce {settings} --password-stdin".split()

        def connect() -> Ran:
            monkeypatch.setattr(sys, "stdin", io.StringIO("sandbox-client-secret\nsandbox-refresh-token\n"))
            return aios(*words)

        yield vendor, connect


@pytest.fixture
def keyless(aios: Aios, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no key to seal secrets with, and nowhere to keep one."""
    monkeypatch.delenv("AIOS_KEY_FILE")
    monkeypatch.setattr("aios_connect.store.keys.desktop_keyring", lambda: None)


@pytest.mark.usefixtures("keyless")
def test_a_grant_that_works_once_is_not_used_while_there_is_no_key_to_keep_the_next_one(
    office: tuple[SalesforceVendor, Callable[[], Ran]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vendor, connect = office
    ran = connect()
    assert (ran.code, "no key to seal secrets with" in ran.err) == (2, True)
    assert not vendor.log
    monkeypatch.setenv("AIOS_KEY_FILE", str(tmp_path / "key"))
    assert connect().code == 0


@pytest.mark.parametrize(
    ("step", "error", "said"),
    [
        ("provision", RejectedError("no more fields of your own"), "no more fields"),
        ("check", AuthError("not yours", status=403), "its successor was kept"),
        ("check", UnavailableError("not today", status=503), "not today"),
    ],
)
def test_what_a_used_grant_was_exchanged_for_is_kept_although_the_tool_fails_then(
    aios: Aios,
    office: tuple[SalesforceVendor, Callable[[], Ran]],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    error: ProviderError,
    said: str,
) -> None:
    _, connect = office

    def fails(self: Salesforce) -> Any:
        self.context.http.request("GET", "services/data/v61.0/")
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Salesforce, step, fails)
        ran = connect()
    assert (ran.code, said in " ".join(ran.err.split())) == (4, True)
    assert aios("connect", "office").code == 0


@pytest.mark.usefixtures("keyless")
def test_who_leaves_out_what_may_be_left_out_needs_no_key(aios: Aios, monkeypatch: pytest.MonkeyPatch) -> None:
    aios("init")
    at_a_terminal(monkeypatch)
    ran = aios("connect", "site", "--provider", "webform", "--set", "origins=https://www.example.com")
    assert ran.code == 0, ran.err
