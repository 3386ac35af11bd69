"""Access tokens: renewed early, once for all who ask, kept before they are used, and lost only when a person is told."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from aios_connect.connectors.credentials import Credentials, MemoryTokenStore, Secrets
from aios_connect.connectors.oauth import OAuthRefusedError, token_http
from aios_connect.connectors.redaction import redact
from aios_connect.connectors.spec import Auth
from aios_connect.errors import AuthError, BusyError, TruncatedError, UnavailableError
from aios_connect.store.engine import Store
from aios_connect.store.keys import Key, Keys
from aios_connect.store.tokens import SealedTokens

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AUTH = Auth("oauth2", "", token_url="https://acme.example/token", rotates=True, scopes={"deals": "read deals"})


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class TokenServer:
    """Gives tokens, rotates them, and takes every refresh token once; the one before for as long as its grace says."""

    clock: Callable[[], datetime]
    grace: float = 0.0
    lifetime: float = 3600.0
    rotates: bool = True
    number: int = 0
    current: str = "refresh-0"
    used: dict[str, datetime] = field(default_factory=dict)
    revoked: bool = False
    forms: list[dict[str, str]] = field(default_factory=list)
    heads: list[httpx2.Headers] = field(default_factory=list)
    replays: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.forms.append(form)
            if form["grant_type"] == "client_credentials":
                return self._given({})
            given = form["refresh_token"]
            if self.revoked:
                return 400, {"error": "invalid_grant", "error_description": f"token {given} was revoked"}
            if given != self.current:
                used = self.used.get(given)
                if used is None or (self.clock() - used).total_seconds() >= self.grace:
                    self.replays += 1
                    return 400, {"error": "invalid_grant", "error_description": f"token {given} was used before"}
            if not self.rotates:
                return self._given({})
            self.used.setdefault(given, self.clock())
            self.current = f"refresh-{self.number + 1}"
            return self._given({"refresh_token": self.current})

    def _given(self, more: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.number += 1
        return 200, {"access_token": f"access-{self.number}", "token_type": "Bearer", "expires_in": self.lifetime, **more}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.heads.append(request.headers)
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        status, body = self.answer(form)
        return httpx2.Response(status, json=body)


@dataclass
class World:
    clock: Clock
    server: TokenServer
    tokens: MemoryTokenStore

    def credentials(self, auth: Auth = AUTH, **settings: str) -> Credentials:
        clock = self.clock
        seam = token_http("acme", transport=httpx2.MockTransport(self.server), now=clock.now, sleep=clock.sleep)
        return Credentials("crm", auth, self.tokens, now=clock.now, sleep=clock.sleep, http=seam, settings=settings)

    @property
    def kept(self) -> Secrets:
        kept = self.tokens.get("crm")
        assert kept is not None
        return kept


@pytest.fixture
def world() -> World:
    clock = Clock()
    made = World(clock, TokenServer(clock.now), MemoryTokenStore(now=clock.now))
    made.tokens.put("crm", {"client_id": "our-app", "client_secret": "our-s3cret", "refresh_token": "refresh-0"})
    return made


# Renewing


def test_a_token_is_renewed_a_minute_before_it_expires_and_not_sooner(world: World) -> None:
    crm = world.credentials()
    assert crm.headers() == {"Authorization": "Bearer access-1"}
    world.clock.at += timedelta(seconds=3539)
    assert crm.access_token() == "access-1"
    world.clock.at += timedelta(seconds=2)
    assert crm.access_token() == "access-2"
    assert world.kept.values["refresh_token"] == "refresh-2"
    assert world.kept.expires_at == pytest.approx((world.clock.at + timedelta(hours=1)).timestamp())


def test_a_short_lived_token_is_not_renewed_at_every_call(world: World) -> None:
    world.server.lifetime = 30
    crm = world.credentials()
    crm.access_token()
    world.clock.at += timedelta(seconds=26)
    assert crm.access_token() == "access-1"
    world.clock.at += timedelta(seconds=2)
    assert crm.access_token() == "access-2"


def test_a_token_without_an_expiry_is_renewed_when_it_is_rejected(world: World) -> None:
    world.tokens.put("crm", {"client_id": "a", "refresh_token": "refresh-0", "access_token": "access-0"})
    crm = world.credentials()
    rejected = crm.headers()
    assert crm.refresh(rejected)
    assert crm.headers() == {"Authorization": "Bearer access-1"}
    assert crm.refresh(rejected), "somebody else renewed it meanwhile"
    assert world.server.number == 1


def test_a_refresh_asks_for_no_scope_and_proves_the_client_as_the_vendor_wants(world: World) -> None:
    world.credentials().access_token()
    assert world.server.forms[-1] == {"grant_type": "refresh_token", "refresh_token": "refresh-0"}
    assert world.server.heads[-1]["authorization"].startswith("Basic ")
    posted = Auth("oauth2", "", token_url="https://acme.example/token", client_auth="post")
    world.tokens.put("crm", {**world.kept.values, "access_token": ""})
    world.credentials(posted).access_token()
    assert world.server.forms[-1]["client_secret"] == "our-s3cret"
    assert "authorization" not in world.server.heads[-1]


def test_a_refresh_token_that_is_not_rotated_stays(world: World) -> None:
    world.server.rotates = False
    crm = world.credentials()
    crm.access_token()
    world.clock.at += timedelta(hours=1)
    assert crm.access_token() == "access-2"
    assert world.kept.values["refresh_token"] == "refresh-0"
    assert "previous_refresh_token" not in world.kept.values


def test_a_client_that_is_its_own_user_asks_again_when_its_token_ends(world: World) -> None:
    own = Auth("oauth2", "", token_url="https://{site}/token", grant="client", scopes={"deals": "", "people": ""})
    world.tokens.put("crm", {"client_id": "a", "client_secret": "b1b1"})
    crm = world.credentials(own, site="acme.example")
    assert crm.access_token() == "access-1"
    world.clock.at += timedelta(hours=1)
    assert crm.access_token() == "access-2"
    assert world.server.forms[-1] == {"grant_type": "client_credentials", "scope": "deals people"}


def test_threads_that_ask_at_once_share_one_refresh(world: World) -> None:
    crm, barrier, seen = world.credentials(), threading.Barrier(8), []

    def ask() -> None:
        barrier.wait()
        seen.append(crm.access_token())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["access-1"] * 8
    assert world.server.number == 1


def test_who_finds_the_lease_taken_waits_and_uses_what_the_other_got(world: World) -> None:
    assert world.tokens.lease("crm", "somebody", version=world.kept.version, seconds=60)
    naps = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            world.tokens.put("crm", {**world.kept.values, "access_token": "theirs"}, version=world.kept.version)

    crm = Credentials("crm", AUTH, world.tokens, now=world.clock.now, sleep=sleep)
    assert crm.access_token() == "theirs"
    assert world.server.number == 0


def test_a_lease_that_is_never_given_back_is_a_sentence(world: World) -> None:
    class Stuck(MemoryTokenStore):
        def lease(self, connection: str, owner: str, *, version: int, seconds: float) -> bool:
            return False

    stuck = Stuck(now=world.clock.now)
    stuck.put("crm", world.kept.values)
    crm = Credentials("crm", AUTH, stuck, now=world.clock.now, sleep=world.clock.sleep)
    with pytest.raises(BusyError, match="renewing the sign-in of 'crm'"):
        crm.access_token()


# When it goes wrong


def test_a_refresh_token_that_somebody_else_used_is_read_again_once(world: World) -> None:
    crm = world.credentials()
    crm.access_token()
    world.clock.at += timedelta(hours=1)
    known = world.kept

    def raced(request: httpx2.Request) -> httpx2.Response:
        """Another process, whose lease we did not see, is through before us."""
        if world.server.number == 1:
            world.server.answer({"grant_type": "refresh_token", "refresh_token": "refresh-1"})
            world.tokens.put(
                "crm", {**known.values, "access_token": "theirs", "refresh_token": "refresh-2"}, version=known.version
            )
        return world.server(request)

    seam = token_http("acme", transport=httpx2.MockTransport(raced), now=world.clock.now, sleep=world.clock.sleep)
    late = Credentials("crm", AUTH, world.tokens, now=world.clock.now, sleep=world.clock.sleep, http=seam)
    assert late.access_token() == "theirs"
    assert world.kept.values["refresh_token"] == "refresh-2"


def test_a_grant_that_was_revoked_says_reconnect_and_loses_nothing(world: World) -> None:
    world.server.revoked = True
    before = world.kept
    with pytest.raises(AuthError, match="reconnect needed: the sign-in of connection 'crm' is no longer valid") as caught:
        world.credentials().access_token()
    assert caught.value.hint == "aios connect crm"
    assert "refresh-0" not in str(caught.value)
    assert world.kept == before
    assert world.tokens.lease("crm", "next", version=before.version, seconds=1), "the lease was given back"


def test_within_the_grace_the_token_before_still_works(world: World) -> None:
    """The vendor answered with a token that it then forgot: the last write on its side was lost."""
    world.server.grace = 30
    auth = Auth("oauth2", "", token_url="https://acme.example/token", rotates=True, grace=30)
    crm = world.credentials(auth)
    crm.access_token()
    world.server.current = "refresh-elsewhere"
    crm.refresh({"Authorization": "Bearer access-1"})
    assert [form["refresh_token"] for form in world.server.forms] == ["refresh-0", "refresh-1", "refresh-0"]
    assert crm.access_token() == "access-2"
    world.server.current = "refresh-elsewhere"
    world.clock.at += timedelta(seconds=31)
    with pytest.raises(AuthError, match="reconnect needed"):
        crm.refresh({"Authorization": "Bearer access-2"})
    assert len(world.server.forms) == 4, "after the grace the one before is not tried"


def test_our_own_wrong_set_up_is_not_the_users_lost_grant(world: World) -> None:
    def refuses(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(401, json={"error": "invalid_client", "error_description": "secret our-s3cret is wrong"})

    seam = token_http("acme", transport=httpx2.MockTransport(refuses), now=world.clock.now, sleep=world.clock.sleep)
    crm = Credentials("crm", AUTH, world.tokens, now=world.clock.now, sleep=world.clock.sleep, http=seam)
    with pytest.raises(OAuthRefusedError, match=r"refused: .*\[secret\] is wrong") as caught:  # other tests may hide more words
        crm.access_token()
    assert (caught.value.code, caught.value.lost) == ("invalid_client", False)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(200, json={"token_type": "Bearer"}), TruncatedError),
        (httpx2.Response(200, json={"access_token": None}), TruncatedError),
        (httpx2.Response(200, json=["a"]), TruncatedError),
        (httpx2.Response(200, content=b'{"access_tok'), TruncatedError),
        (httpx2.Response(200, content=b"<html>sign in</html>"), UnavailableError),
        (httpx2.Response(200, json={"ok": False, "error": "token_expired"}), AuthError),
        (httpx2.Response(400, json={"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown"}), AuthError),
        (httpx2.Response(502), UnavailableError),
    ],
)
def test_an_answer_without_a_token_is_an_error_and_the_old_one_stays(
    world: World, answer: httpx2.Response, error: type[Exception]
) -> None:
    before = world.kept
    transport = httpx2.MockTransport(lambda request: httpx2.Response(answer.status_code, content=answer.content))
    seam = token_http("acme", transport=transport, now=world.clock.now, sleep=world.clock.sleep)
    crm = Credentials("crm", AUTH, world.tokens, now=world.clock.now, sleep=world.clock.sleep, http=seam)
    with pytest.raises(error):
        crm.access_token()
    assert world.kept == before


def test_a_store_that_is_busy_for_a_moment_loses_no_token(world: World) -> None:
    class Busy(MemoryTokenStore):
        refusals = 3

        def put(self, connection: str, values: Any, *, expires_at: float | None = None, version: int | None = None) -> bool:
            if version is not None and self.refusals:
                self.refusals -= 1
                raise BusyError("busy")
            return super().put(connection, values, expires_at=expires_at, version=version)

    tokens = Busy(now=world.clock.now)
    tokens.put("crm", world.kept.values)
    world.tokens = tokens
    assert world.credentials().access_token() == "access-1"
    assert world.kept.values["refresh_token"] == "refresh-1"


def test_nothing_is_there_yet_is_said_with_the_way_out() -> None:
    clock = Clock()
    empty = MemoryTokenStore(now=clock.now)
    for auth in (AUTH, Auth("password", ""), Auth("key", "")):
        crm = Credentials("crm", auth, empty, now=clock.now, sleep=clock.sleep)
        with pytest.raises(AuthError) as caught:
            crm.access_token() if auth is AUTH else crm.secret("key")
        assert caught.value.hint == "aios connect crm"
    empty.put("crm", {"access_token": "a", "refresh_token": ""}, expires_at=0.0)
    with pytest.raises(AuthError, match="has ended and cannot be renewed"):
        Credentials("crm", AUTH, empty, now=clock.now, sleep=clock.sleep).access_token()


# Other kinds


def test_each_kind_signs_in_its_own_way() -> None:
    clock = Clock()
    tokens = MemoryTokenStore(now=clock.now)
    tokens.put("crm", {"key": "k3y-value", "password": "pässword"})

    def headers(auth: Auth) -> dict[str, str]:
        made = Credentials("crm", auth, tokens, now=clock.now, sleep=clock.sleep, settings={"user": "ada"})
        return dict(made.headers())

    assert headers(Auth("none", "")) == {}
    assert headers(Auth("password", "")) == {}, "the connector signs in by itself"
    assert headers(Auth("key", "")) == {"Authorization": "Bearer k3y-value"}
    assert headers(Auth("key", "", header="X-Api-Key: {token}")) == {"X-Api-Key": "k3y-value"}
    basic = headers(Auth("password", "", header="Authorization: Basic {basic}"))
    assert basic == {"Authorization": "Basic YWRhOnDDpHNzd29yZA=="}
    assert "YWRhOnDDpHNzd29yZA" not in redact(f"sent {basic}")


def test_a_key_that_was_replaced_meanwhile_is_read_again() -> None:
    clock = Clock()
    tokens = MemoryTokenStore(now=clock.now)
    tokens.put("crm", {"key": "old-key"})
    crm = Credentials("crm", Auth("key", ""), tokens, now=clock.now, sleep=clock.sleep)
    rejected = crm.headers()
    assert not crm.refresh(rejected)
    tokens.put("crm", {"key": "new-key"})
    assert crm.refresh(rejected)
    assert crm.secret("key") == "new-key"


def test_saving_and_revoking(world: World) -> None:
    asked: list[httpx2.Request] = []

    def revokes(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200)

    auth = Auth("oauth2", "", token_url="https://acme.example/token", revoke_url="https://acme.example/revoke")
    seam = token_http("acme", transport=httpx2.MockTransport(revokes), now=world.clock.now, sleep=world.clock.sleep)
    crm = Credentials("crm", auth, world.tokens, now=world.clock.now, sleep=world.clock.sleep, http=seam)
    crm.save({"client_id": "a", "access_token": "acc-1", "refresh_token": "ref-1"})
    assert crm.access_token() == "acc-1"
    crm.revoke()
    assert parse_qs(asked[0].content.decode())["token"] == ["ref-1"]
    assert world.tokens.get("crm") is None


def test_what_the_vendor_does_not_take_back_is_forgotten_all_the_same(world: World) -> None:
    auth = Auth("oauth2", "", token_url="https://acme.example/token", revoke_url="https://acme.example/revoke")
    refuses = httpx2.MockTransport(lambda request: httpx2.Response(503))
    seam = token_http("acme", transport=refuses, now=world.clock.now, sleep=world.clock.sleep)
    crm = Credentials("crm", auth, world.tokens, now=world.clock.now, sleep=world.clock.sleep, http=seam)
    with pytest.raises(UnavailableError):
        crm.revoke()
    assert world.tokens.get("crm") is None


# Processes


@contextmanager
def serving(server: TokenServer) -> Iterator[str]:
    class Door(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            status, body = server.answer({name: values[0] for name, values in form.items()})
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *values: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as door:
        thread = threading.Thread(target=door.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.server_port}/token"
        finally:
            door.shutdown()
            thread.join()


class Processes:
    """Processes that each ask for an access token when told to."""

    def __init__(self, store_url: str, token_url: str, key: Key, grace: float) -> None:
        self._command = [sys.executable, str(Path(__file__).with_name("token_process.py"))]
        self._rest = [store_url, token_url, str(grace)]
        self._environment = {**os.environ, "AIOS_KEY": key.text(), "NO_PROXY": "127.0.0.1"}

    def ask(self, *what: str) -> list[str]:
        """Start one for each word, let them go all at once, and bring what each of them got."""
        started = [
            subprocess.Popen(
                [*self._command, word, *self._rest],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self._environment,
            )
            for word in what
        ]
        try:
            for process in started:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in started:
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
            return [process.communicate(timeout=60)[0].strip() for process in started]
        finally:
            for process in started:
                process.kill()
                process.wait()


def seal(store: Store, key: Key) -> SealedTokens:
    sealed = SealedTokens(store, Keys({"AIOS_KEY": key.text()}, keyring=None, project="p"), now=lambda: datetime.now(UTC))
    sealed.put("crm", {"client_id": "our-app", "refresh_token": "refresh-0"})
    return sealed


def test_eight_processes_with_a_single_use_token_make_one_refresh(store: Store, store_url: str) -> None:
    key, server = Key.make(), TokenServer(lambda: datetime.now(UTC))
    sealed = seal(store, key)
    with serving(server) as token_url:
        got = Processes(store_url, token_url, key, 0).ask(*["renew"] * 8)
    assert got == ["access-1"] * 8
    assert (server.number, server.replays) == (1, 0)
    kept = sealed.get("crm")
    assert kept is not None
    assert kept.values["refresh_token"] == "refresh-1"


def test_a_crash_before_the_new_token_is_stored_recovers_where_there_is_a_grace(store: Store, store_url: str) -> None:
    key, server = Key.make(), TokenServer(lambda: datetime.now(UTC), grace=60)
    seal(store, key)
    with serving(server) as token_url:
        processes = Processes(store_url, token_url, key, 60)
        assert processes.ask("die") == [""]
        assert server.number == 1
        assert processes.ask("renew", "renew") == ["access-2", "access-2"]


def test_a_crash_before_the_new_token_is_stored_says_reconnect_where_there_is_none(store: Store, store_url: str) -> None:
    key, server = Key.make(), TokenServer(lambda: datetime.now(UTC))
    sealed = seal(store, key)
    before = sealed.get("crm")
    with serving(server) as token_url:
        processes = Processes(store_url, token_url, key, 0)
        assert processes.ask("die") == [""]
        (said,) = processes.ask("renew")
    assert said.startswith("AuthError: reconnect needed: the sign-in of connection 'crm' is no longer valid")
    assert said.endswith("| aios connect crm")
    assert "refresh-0" not in said
    assert sealed.get("crm") == before
