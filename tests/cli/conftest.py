"""A command line in this process, at 80 columns without colours; two sheets to keep in step; a tool that asks for a password."""

from __future__ import annotations

import base64
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from aios_connect.cli import main
from aios_connect.connectors import Auth, Connector, ConnectorSpec, Identity, ObjectSpec, Page, Schema, Setting, registry

OFFICE = """\
Ref,First name,Last name,Email,Mobile,Job title,Notes
P-1,Ann,Lee,ann@example.org,+1 503-555-0142,Owner,keys at the desk
P-2,Bo,Ray,bo@example.org,,Roofer,
"""
FIELD = """\
Ref,First name,Last name,Email,Mobile,Job title,Notes
7,Ann,Lee,ann@example.org,,Director,
"""
SETTINGS = """\
[connections.office]
provider = "csv"
folder = "office"
key = "Ref"

[connections.field]
provider = "csv"
folder = "field"
key = "Ref"
"""
JOB = """\
job: two-sheets
connections: [office, field]
kinds:
  person: {create: [office, field]}
"""


@dataclass(frozen=True)
class Ran:
    """What a command line ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


Aios: TypeAlias = Callable[..., Ran]


@pytest.fixture
def aios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Aios:
    """Runs a command line in the folder of this test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("AIOS_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.delenv("AIOS_DEBUG", raising=False)

    def run(*words: str) -> Ran:
        capfd.readouterr()
        code = main(words)
        return Ran(code, *capfd.readouterr())

    return run


@pytest.fixture
def sheets(tmp_path: Path, _sqlite_template: Path) -> Path:
    """A project with two sheets of people, a job that keeps them in step, and a store that knows nothing yet."""
    (tmp_path / ".aios").mkdir()
    shutil.copy(_sqlite_template, tmp_path / ".aios" / "store.db")
    for name, text in (("office/people.csv", OFFICE), ("field/people.csv", FIELD)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "aios-connect.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "sync" / "jobs").mkdir(parents=True)
    (tmp_path / "sync" / "jobs" / "two-sheets.yaml").write_text(JOB, encoding="utf-8")
    return tmp_path


class Desk(Connector):
    """A tool behind a password that counts on one scope."""

    spec = ConnectorSpec(
        provider="desk",
        title="Desk",
        docs="https://desk.example",
        auth=(Auth("password", "The password of your desk.", header="Authorization: Basic {basic}"),),
        settings=(Setting("url", "Where it is.", required=True), Setting("user", "Who you are.", required=True)),
        objects={"folk": ObjectSpec("Folk", frozenset({"read"}))},
        proof="nothing",
    )

    def check(self) -> Identity:
        answer = self.context.http.request("GET", "/me").json()
        return Identity("desk", answer["user"], missing={"write folk": "scope folk.write"} if answer["reader"] else {})

    def describe(self, object: str) -> Schema:
        return Schema(object, {}, open=True)

    def read(self, object: str, since: Any = None) -> Iterator[Page]:
        yield Page([], {}, True)

    def lookup(self, object: str, ids: Any) -> list[Any]:
        return []

    def provision(self) -> list[str]:
        return ["a field for our key on folk"]


class Club(Desk):
    """The same tool, signed in to by consent in a browser."""

    spec = replace(
        Desk.spec,
        provider="club",
        title="Club",
        auth=(
            Auth(
                "oauth2",
                "The club asks you to consent.",
                authorize_url="{url}/authorize",
                token_url="{url}/token",
                client_auth="none",
                scopes={"folk.read": "read folk"},
            ),
        ),
        settings=(Setting("url", "Where it is.", required=True),),
    )


class _DeskServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/authorize":
            asked = parse_qs(address.query)
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri'][0]}?{urlencode({'code': 'c', 'state': asked['state'][0]})}")
            self.end_headers()
        elif self.headers.get("Authorization") == "Bearer at-1":
            self._say(200, {"user": "consenting", "reader": False})
        else:
            self._password()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(200, {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, "token_type": "Bearer"})

    def _password(self) -> None:
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ") or b":").decode()
        user, _, password = given.partition(":")
        status, body = (200, {"user": user, "reader": user == "reader"}) if password == "open sesame" else (401, {"error": "no"})
        self._say(status, body)

    def _say(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a tool that is running, with its connector installed and a project to connect it in."""
    load, available = registry.load, registry.available
    made = {"desk": Desk, "club": Club}
    monkeypatch.setattr(registry, "load", lambda provider: made[provider] if provider in made else load(provider))
    monkeypatch.setattr(registry, "available", lambda: (*available(), *made))
    (tmp_path / "aios-connect.toml").write_text("", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _DeskServer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
