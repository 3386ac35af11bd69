"""A real authorization server: who consents is connected, who does not is told the way out, and nobody ever sees a secret."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from aios_connect.connectors.consent import ask_consent
from aios_connect.connectors.credentials import Secrets
from aios_connect.connectors.oauth import Grant, OAuthRefusedError, TokenEndpoint, token_http
from aios_connect.connectors.spec import Auth
from aios_connect.store.engine import Store
from aios_connect.store.keys import Keys
from aios_connect.store.tokens import SealedTokens
from aios_connect.testing.servers.iam import PASSWORD, USER, IamClient, IamServer, iam
from aios_connect.testing.servers.running import free_port
from tests.unit.test_tokens_refresh import Processes

from .consenting import Browser, Terminal, install_club

pytestmark = pytest.mark.live


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IamServer]:
    try:
        running = iam(tmp_path_factory.mktemp("iam"))
        server = running.__enter__()
    except (OSError, RuntimeError) as error:
        (pytest.fail if os.environ.get("AIOS_LIVE") or os.environ.get("CI") else pytest.skip)(f"no server here: {error}")
    yield server
    running.__exit__(None, None, None)


class Desk:
    """A project in which the club is to be connected, an application the server knows, and a person with a browser."""

    def __init__(self, folder: Path, server: IamServer, *, public: bool = False, scope: str = "openid profile email") -> None:
        self.folder = folder / "project"
        self.folder.mkdir(parents=True)
        (self.folder / "aios-connect.toml").write_text("")
        self.environment = install_club(folder / "club") | {"AIOS_KEY_FILE": str(folder / "key")}
        self.server = server
        self.port = free_port()
        self.redirect = f"http://127.0.0.1:{self.port}/callback"
        self.client: IamClient = server.register(redirect=self.redirect, public=public, scope=scope)
        self.browser = Browser()
        self.said: list[str] = []

    def connecting(self, *more: str) -> Terminal:
        """Begin to connect, up to what comes after the client secret."""
        settings = ("--set", f"url={self.server.url}", "--set", f"client_id={self.client.id}")
        terminal = Terminal(
            "connect", "club", "--provider", "club", *settings, *more, folder=self.folder, environment=self.environment
        )
        terminal.wait_for("client secret: ")
        terminal.type(self.client.secret)
        return terminal

    def connect(self, answer: str = "accept") -> tuple[int, str]:
        """Connect with a browser: the exit code, and everything that stood on the terminal."""
        with self.connecting("--port", str(self.port)) as terminal:
            self.consent(address_on(terminal), answer)
            code = terminal.end()
        self.said.append(terminal.seen)
        return code, terminal.seen

    def connected(self) -> None:
        """Connect, and see that it works."""
        code, seen = self.connect()
        assert code == 0, seen

    def consent(self, address: str, answer: str = "accept") -> None:
        """Open the address, sign in if asked to, and answer if asked."""
        self.browser.open(address)
        if self.browser.address.endswith("/login"):
            self.browser.sign_in(USER, PASSWORD)
        if "/oauth/authorize" in self.browser.address:
            self.browser.fill(answer=answer)

    def aios(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command without a terminal."""
        command = [sys.executable, "-m", "aios_connect", *words]
        ran = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        self.said.append(ran.stdout + ran.stderr)
        return ran

    def kept(self) -> Secrets | None:
        """What is in the store."""
        with self._tokens() as tokens:
            return tokens.get("club")

    def keep(self, **values: str) -> None:
        """Put other secrets into the store, in place of what was there; the access token has expired."""
        with self._tokens() as tokens:
            there = tokens.get("club")
            assert there is not None
            tokens.put("club", {**there.values, **values}, expires_at=0.0)

    def knows(self, access_token: str) -> bool:
        """The server still takes an access token."""
        address, signed = f"{self.server.url}/oauth/userinfo", {"Authorization": f"Bearer {access_token}"}
        return httpx2.get(address, headers=signed, trust_env=False, timeout=60).status_code == 200

    def _tokens(self) -> _Opened:
        return _Opened(self.folder / ".aios" / "store.db", self.environment)


class _Opened:
    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        self._store = Store.open(f"sqlite:///{path}")
        self._keys = Keys(environment, keyring=None, project="p")

    def __enter__(self) -> SealedTokens:
        return SealedTokens(self._store, self._keys, now=now)

    def __exit__(self, *error: object) -> None:
        self._store.close()


@pytest.fixture
def desk(tmp_path: Path, server: IamServer) -> Iterator[Desk]:
    desk = Desk(tmp_path, server)
    yield desk
    desk.browser.__exit__()


def address_on(terminal: Terminal) -> str:
    return terminal.wait_for(r"(http://\S+/oauth/authorize\?\S+)\n")[1]


def secrets_of(*kept: Secrets | None) -> list[str]:
    """What must not be seen anywhere."""
    names = ("access_token", "refresh_token", "previous_refresh_token", "client_secret", "id_token")
    return [one.values[name] for one in kept if one for name in names if one.values.get(name)]


# Consent in a browser


def test_who_consents_is_connected(desk: Desk) -> None:
    code, seen = desk.connect()
    assert (code, f"club works: Club, the club, as {USER}" in seen) == (0, True), seen
    assert "code_challenge_method=S256" in seen
    checked = desk.aios("check")
    assert checked.returncode == 0, checked.stderr
    kept = desk.kept()
    assert kept is not None
    assert kept.expires_at is not None
    assert {"access_token", "refresh_token", "client_secret"} <= kept.values.keys()
    files = b"".join(path.read_bytes() for path in desk.folder.rglob("*") if path.is_file())
    for secret in secrets_of(kept):
        assert secret not in "".join(desk.said)
        assert secret.encode() not in files


def test_an_answer_with_another_state_is_not_taken(desk: Desk) -> None:
    with desk.connecting("--port", str(desk.port)) as terminal:
        address = address_on(terminal)
        strange = httpx2.get(f"{desk.redirect}?code=stolen&state=somebody-elses", trust_env=False, timeout=60)
        assert strange.status_code == 404
        assert "Open the address that aios shows now" in strange.text
        desk.consent(address)
        assert terminal.end() == 0, terminal.seen
    assert f"as {USER}" in terminal.seen


def test_who_declines_is_told_what_to_do(desk: Desk) -> None:
    code, seen = desk.connect("deny")
    assert code == 4
    assert "error: there was no consent; the vendor says: " in seen
    assert "hint: do the same again, and consent" in seen
    assert "Not connected." in desk.browser.text
    assert desk.kept() is None
    desk.connected()


def test_a_person_whose_address_the_server_does_not_know_can_stop_at_once(desk: Desk) -> None:
    with desk.connecting() as terminal:  # on a port that is not registered
        desk.browser.open(address_on(terminal)).sign_in(USER, PASSWORD)
        assert "The request you made is invalid" in desk.browser.text, "the person is told, and nobody is sent back"
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.end() == 130, terminal.seen
    assert "error: stopped" in terminal.seen


def test_a_port_that_is_taken_is_a_sentence(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", desk.port))
        taken.listen()
        with desk.connecting("--port", str(desk.port)) as terminal:
            assert terminal.end() == 2
    assert f"error: port {desk.port} cannot be had" in terminal.seen


def test_a_wrong_client_secret_is_the_applications_matter(desk: Desk) -> None:
    desk.client = IamClient(desk.client.id, "not-the-secret-9Xq")
    code, seen = desk.connect()
    assert code == 4
    assert "the token address of club refused" in seen
    assert "hint: look at your application there: its client id" in seen
    assert "not-the-secret-9Xq" not in seen


def test_a_scope_that_the_application_may_not_have_is_said(tmp_path: Path, server: IamServer) -> None:
    desk = Desk(tmp_path, server, scope="profile")  # who somebody is needs openid
    with desk.browser:
        code, seen = desk.connect()
    assert code == 4
    assert "club does not permit this (403)" in seen
    assert "nothing was kept; grant what is missing there" in " ".join(seen.split())
    assert desk.kept() is None


def test_a_code_that_is_too_old_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with iam(tmp_path / "iam", code_lifetime=-1) as slow:
        desk = Desk(tmp_path, slow)
        with desk.browser:
            code, seen = desk.connect()
    assert code == 4
    assert "the token address of club refused" in seen
    assert "hint: the consent was too old, or used before; do the same again" in seen


class Fumbling(TokenEndpoint):
    """Sends something else than it should."""

    how = ""

    def from_code(self, code: str, *, redirect_uri: str, verifier: str) -> Grant:
        if self.how == "twice":
            super().from_code(code, redirect_uri=redirect_uri, verifier=verifier)
        if self.how == "wrong verifier":
            verifier = "n" * 64
        if self.how == "wrong redirect":
            redirect_uri += "/elsewhere"
        return super().from_code(code, redirect_uri=redirect_uri, verifier=verifier)


@pytest.mark.parametrize("how", ["twice", "wrong verifier", "wrong redirect"])
def test_a_code_counts_once_and_for_who_asked_for_it(desk: Desk, how: str) -> None:
    auth = Auth("oauth2", "", authorize_url="{url}/oauth/authorize", token_url="{url}/oauth/token", scopes={"profile": ""})
    with desk.browser:
        http = token_http("club", now=now)
        ours = {"client_id": desk.client.id, "client_secret": desk.client.secret}
        endpoint = Fumbling(auth, http, **ours, settings={"url": desk.server.url}, now=now)
        endpoint.how = how
        people: list[threading.Thread] = []

        def show(address: str) -> None:
            people.append(threading.Thread(target=desk.consent, args=(address,)))
            people[0].start()

        try:
            with pytest.raises(OAuthRefusedError, match="the token address of club refused") as caught:
                ask_consent(endpoint, show=show, port=desk.port, provider="club")
        finally:
            people[0].join()
            http.close()
    assert caught.value.code == "invalid_grant"
    assert caught.value.hint == "the consent was too old, or used before; do the same again"


# Renewing


def test_a_sign_in_is_renewed_and_the_token_before_is_worth_nothing(desk: Desk) -> None:
    desk.connected()
    first = desk.kept()
    desk.keep()
    before = desk.server.requests("/oauth/token")
    assert desk.aios("check").returncode == 0
    assert desk.server.requests("/oauth/token") == before + 1
    second = desk.kept()
    assert first is not None
    assert second is not None
    assert second.values["refresh_token"] != first.values["refresh_token"]
    assert second.values["access_token"] != first.values["access_token"]
    desk.keep(refresh_token=first.values["refresh_token"])
    refused = desk.aios("check")
    assert refused.returncode == 4
    assert "reconnect needed: the sign-in of connection 'club' is no longer valid" in " ".join(refused.stdout.split())
    assert "hint: aios connect club" in refused.stdout
    for secret in secrets_of(first, second):
        assert secret not in "".join(desk.said)


def test_tokens_of_one_second_are_not_the_same(desk: Desk) -> None:
    desk.connected()
    kept = desk.kept()
    assert kept is not None
    auth = Auth("oauth2", "", token_url="{url}/oauth/token")
    with closing(token_http("club", now=now)) as http:
        ours = {"client_id": desk.client.id, "client_secret": desk.client.secret}
        endpoint = TokenEndpoint(auth, http, **ours, settings={"url": desk.server.url}, now=now)
        renewed = [endpoint.refresh(kept.values["refresh_token"])]
        for _ in range(15):
            renewed.append(endpoint.refresh(renewed[-1].refresh_token))
    assert len({grant.access_token for grant in renewed}) == 16
    assert [desk.knows(grant.access_token) for grant in renewed] == [False] * 15 + [True]


def test_a_consent_that_the_person_took_back_is_asked_for_again(desk: Desk) -> None:
    desk.connected()
    for address in desk.browser.open(f"{desk.server.url}/consent/").links("/consent/revoke/"):
        desk.browser.open(address)
    refused = desk.aios("check")
    assert refused.returncode == 4
    assert "reconnect needed" in " ".join(refused.stdout.split())
    assert "hint: aios connect club" in refused.stdout
    desk.connected()
    assert desk.aios("check").returncode == 0


def test_eight_processes_renew_one_token_with_one_request(desk: Desk, store_url: str) -> None:
    desk.connected()
    kept = desk.kept()
    assert kept is not None
    keys = Keys({"AIOS_KEY_FILE": desk.environment["AIOS_KEY_FILE"]}, keyring=None, project="p")
    key = keys.find()
    assert key is not None
    with closing(Store.open(store_url)) as store:
        sealed = SealedTokens(store, keys, now=now)
        sealed.put("crm", {**kept.values, "client_id": desk.client.id}, expires_at=0.0)
        before = desk.server.requests("/oauth/token")
        got = Processes(store_url, f"{desk.server.url}/oauth/token", key, 0).ask(*["renew"] * 8)
        assert desk.server.requests("/oauth/token") == before + 1
        renewed = sealed.get("crm")
    assert renewed is not None
    assert got == [renewed.values["access_token"]] * 8
    assert desk.knows(got[0])


def test_a_renewal_is_not_on_a_cassette_that_is_recorded_meanwhile(desk: Desk) -> None:
    desk.connected()
    desk.keep()
    before = desk.server.requests("/oauth/token")
    ran = desk.aios("record", "club", "members", "--into", "members.yaml", "--origin", f"live {desk.server.title}", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert desk.server.requests("/oauth/token") == before + 1
    text = (desk.folder / "members.yaml").read_text()
    assert "/oauth/userinfo" in text
    for word in ("/oauth/token", USER, "lidell", "127.0.0.1", "authorization", desk.client.id, *secrets_of(desk.kept())):
        assert word not in text.lower()


# Giving back


def test_what_is_forgotten_is_given_back(desk: Desk) -> None:
    desk.connected()
    kept = desk.kept()
    assert kept is not None
    assert desk.knows(kept.values["access_token"])
    forgot = desk.aios("connect", "club", "--forget")
    assert forgot.returncode == 0, forgot.stderr
    assert forgot.stdout == "club its secrets are forgotten, its settings stay; the provider took the consent back\n"
    assert desk.kept() is None
    assert not desk.knows(kept.values["access_token"])
    with pytest.raises(OAuthRefusedError, match="refused"):
        refresh(desk, kept)
    checked = desk.aios("check")
    assert checked.returncode == 4
    assert "hint: aios connect club" in checked.stdout
    desk.connected()


def test_what_the_server_does_not_take_back_is_forgotten_here_and_said(tmp_path: Path, server: IamServer) -> None:
    """Canaille takes nothing back from an application without a secret."""
    desk = Desk(tmp_path, server, public=True)
    with desk.browser:
        desk.connected()
    desk.keep()
    assert desk.aios("check").returncode == 0, "it is renewed without a secret, too"
    kept = desk.kept()
    assert kept is not None
    forgot = desk.aios("connect", "club", "--forget")
    assert forgot.returncode == 4
    assert "! Club did not take the grant back" in forgot.stdout
    assert "take it away in its own settings" in forgot.stdout
    assert desk.kept() is None
    assert desk.knows(kept.values["access_token"]), "as was said"
    for secret in secrets_of(kept):
        assert secret not in "".join(desk.said)


def refresh(desk: Desk, kept: Secrets) -> None:
    auth = Auth("oauth2", "", token_url="{url}/oauth/token")
    http = token_http("club", now=now)
    ours = {"client_id": desk.client.id, "client_secret": desk.client.secret}
    try:
        TokenEndpoint(auth, http, **ours, settings={"url": desk.server.url}, now=now).refresh(kept.values["refresh_token"])
    finally:
        http.close()


# Another device: the server part is Authlib's


def code_on(terminal: Terminal) -> str:
    return terminal.wait_for(r"type (\S+) there:\n(\S+/device)\n")[1]


def test_who_types_the_code_on_another_device_is_connected(desk: Desk) -> None:
    with desk.connecting("--device") as terminal:
        code = code_on(terminal)
        desk.browser.open(f"{desk.server.url}/device").sign_in(USER, PASSWORD).fill(user_code=code, answer="accept")
        assert terminal.end() == 0, terminal.seen
    assert f"club works: Club, the club, as {USER}" in terminal.seen
    desk.keep()
    assert desk.aios("check").returncode == 0, "it is renewed as any other"
    for secret in secrets_of(desk.kept()):
        assert secret not in "".join([terminal.seen, *desk.said])


def test_who_declines_on_another_device_is_told_what_to_do(desk: Desk) -> None:
    with desk.connecting("--device") as terminal:
        code = code_on(terminal)
        desk.browser.open(f"{desk.server.url}/device").sign_in(USER, PASSWORD).fill(user_code=code, answer="deny")
        assert terminal.end() == 4
    assert "error: there was no consent; the person declined" in terminal.seen
    assert "hint: do the same again, and consent" in terminal.seen
    assert desk.kept() is None
