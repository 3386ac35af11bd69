"""A planted secret is nowhere it can be read: no log, no error, no cassette, no store, no address, though the vendor echoes it."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest

from aios_connect.cassettes import Recorder
from aios_connect.connectors import Auth, Credentials, Http, ProviderError
from aios_connect.connectors.oauth import token_http
from aios_connect.store.engine import Store
from aios_connect.store.keys import Key, Keys
from aios_connect.store.tokens import SealedTokens

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AUTH = Auth("oauth2", "", token_url="https://acme.example/token", rotates=True)
PLANTED = ("pl4nted-client-secret", "pl4nted-refresh-0", "pl4nted-refresh-1", "pl4nted-access-1")


class Parrot:
    """A vendor that repeats whatever it is sent, in bodies, headers and redirects."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.addresses.append(str(request.url))
        sent = f"{request.headers.get('authorization', '')} {request.content.decode()}"
        if request.url.path == "/token":
            used = parse_qs(request.content.decode())["refresh_token"][0]
            if used != "pl4nted-refresh-0":
                return httpx2.Response(400, json={"error": "invalid_grant", "error_description": f"we know {sent}"})
            return httpx2.Response(
                200, json={"access_token": "pl4nted-access-1", "refresh_token": "pl4nted-refresh-1", "expires_in": 60}
            )
        if request.url.path == "/moved":
            return httpx2.Response(302, headers={"location": f"https://acme.example/in?access_token={sent.split()[1]}"})
        status = {"/deals": 200, "/refused": 422, "/busy": 503, "/denied": 401}[request.url.path]
        return httpx2.Response(status, json={"message": f"you sent {sent}", "echo": sent}, headers={"x-request-id": sent})


def test_a_planted_secret_is_nowhere(store: Store, store_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    parrot, tape = Parrot(), tmp_path / "parrot.yaml"
    key = Key.make()
    tokens = SealedTokens(store, Keys({"AIOS_KEY": key.text()}, keyring=None, project="p"), now=lambda: NOON)
    tokens.put("crm", {"client_id": "our-app", "client_secret": PLANTED[0], "refresh_token": PLANTED[1]})
    texts: list[str] = []
    with (
        caplog.at_level(logging.DEBUG),
        Recorder(tape, origin="a vendor made up for this test", inner=httpx2.MockTransport(parrot)) as line,
    ):
        seam = token_http("acme", transport=line, now=lambda: NOON, sleep=lambda _: None)
        crm = Credentials("crm", AUTH, tokens, now=lambda: NOON, sleep=lambda _: None, http=seam)
        http = Http(
            provider="acme",
            base_url="https://acme.example",
            credentials=crm,
            transport=line,
            now=lambda: NOON,
            sleep=lambda _: None,
        )
        assert http.request("GET", "/deals").json()["echo"].startswith("Bearer pl4nted-access-1")
        for path in ("/refused", "/busy", "/moved", "/denied"):
            for method in ("GET", "POST"):
                with pytest.raises(ProviderError) as caught:
                    http.request(method, path, json={"about": PLANTED[0]} if method == "POST" else None)
                error = caught.value
                texts += [str(error), repr(error), error.hint, error.request_id, *traceback.format_exception(error)]
        texts += [repr(http), repr(crm), repr(tokens.get("crm")), repr(key)]
    texts += [caplog.text, tape.read_text(encoding="utf-8"), *parrot.addresses]
    assert len(caplog.records) > 20
    for text in texts:
        for secret in PLANTED:
            assert secret not in text
    if store.dialect == "sqlite":
        for file in tmp_path.glob("store.db*"):
            assert b"pl4nted" not in file.read_bytes()
