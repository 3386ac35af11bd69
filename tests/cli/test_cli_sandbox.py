"""A fake HubSpot that anybody can play with: served on this machine, connected to by the line it prints, watched as it is used."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from .conftest import Aios

pytest.importorskip("aios_connect_hubspot")


@contextmanager
def served(folder: Path, *words: str, provider: str = "hubspot") -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The command, and what it says of itself; it is stopped as Ctrl-C stops it."""
    command = [sys.executable, "-m", "aios_connect", "sandbox", provider, "--json", *words]
    started = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert started.stdout is not None
        yield started, json.loads(started.stdout.readline())
    finally:
        started.kill()
        started.communicate()


def test_the_sandbox_is_connected_to_as_it_says_and_shows_what_comes(
    aios: Aios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path) as (started, told):
        assert told["contents"]["companies"] == 8
        assert {"lag", "burst", "html_404"} <= told["hazards"].keys()
        assert all(one["value"] and one["why"] for one in told["hazards"].values())
        assert aios("init").code == 0
        piped, _, rest = told["connect"].partition(" | aios ")
        monkeypatch.setattr(sys, "stdin", io.StringIO(piped.removeprefix("echo ") + "\n"))
        ran = aios(*rest.split())
        assert (ran.code, ran.err) == (0, "")
        assert "hub works: HubSpot" in ran.out
        assert "made: property aios_key on contacts" in ran.out
        companies = aios("read", "hub", "company", "--json").lines
        assert {one["leaves"]["name"] for one in companies} >= {"Northgate Robotics", "Tidewater Yoga"}
        assert {one["leaves"]["type"] for one in aios("read", "hub", "activity", "--json").lines} == {
            "call",
            "email",
            "meeting",
            "note",
        }
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert {"method": "GET", "path": "/account-info/v3/details", "status": 200} in [
        {name: line[name] for name in ("method", "path", "status")} for line in lines
    ]


def test_a_sandbox_that_takes_several_secrets_and_settings_says_all_of_them(
    aios: Aios, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aios_connect_google")
    with served(tmp_path, provider="google") as (_, told):
        assert aios("init").code == 0
        piped, _, rest = told["connect"].partition(" | aios ")
        secrets = piped.removeprefix("printf '%s\\n' ").split()
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{secret}\n" for secret in secrets)))
        ran = aios(*rest.split())
        assert (ran.code, ran.err) == (0, "")
        assert "hub works: Google" in ran.out
        events = aios("read", "hub", "event", "--json").lines
        assert {one["leaves"]["title"] for one in events} >= {"Monday round"}
        assert {one["leaves"]["type"] for one in aios("read", "hub", "activity", "--json").lines} == {"email"}


def test_without_hazards_it_is_as_the_documentation_shows_it(tmp_path: Path) -> None:
    with served(tmp_path, "--quiet", "--seed", "7") as (_, told):
        assert (told["hazards"], told["faults"]) == ({}, 0.0)
        assert told["url"].startswith("http://127.0.0.1:")


def test_what_has_no_known_form_is_answered_and_faults_come_as_often_as_was_asked_for(tmp_path: Path) -> None:
    with served(tmp_path, "--faults", "1") as (started, told):
        assert told["faults"] == 1.0
        for method, path in (("POST", "/crm/v3/objects/contacts/search"), ("GET", "/crm/v3/objects/contacts?limit=many")):
            asked = urllib.request.Request(told["url"] + path, b"[]" if method == "POST" else None, method=method)
            with suppress(OSError, http.client.HTTPException):
                urllib.request.urlopen(asked, timeout=2).close()
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (0, "")
    assert len(out.splitlines()) == 2


def test_a_person_sees_how_to_connect_and_what_is_hard(tmp_path: Path) -> None:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "aios_connect", "sandbox", "hubspot"]
    started = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert started.stdout is not None
        shown = ""
        for line in started.stdout:
            shown += line
            if "Ctrl-C" in line:
                break
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=60)
    finally:
        started.kill()
        started.wait()
    assert started.returncode == 0
    assert "aios connect hub --provider hubspot --set url=http://127.0.0.1:" in shown
    assert "airbytehq/airbyte#69203" in " ".join(shown.split())
    assert "The wire is quiet. With --faults 0.05, one request in twenty goes wrong there: web pages" in " ".join(shown.split())


def test_webhooks_are_sent_where_one_listens(tmp_path: Path) -> None:
    came: list[bytes] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Door) as door:
        address = f"http://127.0.0.1:{door.server_port}/hooks"
        with served(tmp_path, "--webhooks", address) as (_, told):
            ask = (
                "import json,sys,urllib.request as r;u,k=sys.argv[1:];h={'authorization':f'Bearer {k}','content-type':'application/json'};"
                "r.urlopen(r.Request(u+'/crm/v3/objects/contacts',json.dumps({'properties':{'firstname':'Ann'}}).encode(),h))"
            )
            subprocess.run([sys.executable, "-c", ask, told["url"], told["key"]], check=True)
            door.timeout = 60
            door.handle_request()
    assert json.loads(came[0])[0]["subscriptionType"] == "contact.creation"


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (["sandbox", "csv"], "csv has no sandbox", "hubspot"),
        (["sandbox", "hubspt"], "there is no connector 'hubspt'", "did you mean 'hubspot'?"),
        (["sandbox", "hubspot", "--port", "99999"], "port 99999 cannot be had", "free one"),
        (["sandbox", "hubspot", "--faults", "5"], "no share", "from 0 to 1"),
        (["sandbox", "hubspot", "--webhooks", "http://example.com/"], "this machine only", "http://127.0.0.1:8000/hooks"),
    ],
)
def test_a_mistake_is_a_sentence_with_the_way_out(aios: Aios, words: list[str], said: str, hint: str) -> None:
    ran = aios(*words)
    assert (ran.code, ran.out) == (2, "")
    first, _, rest = ran.err.partition("\nhint: ")
    assert said in first
    assert hint in rest
