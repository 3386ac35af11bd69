"""The web form over real HTTP: programs and browsers' requests, senders that break off, and a process that is killed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aios_connect_webform import WebForm, serve
from aios_connect_webform.serving import Server

import aios_connect

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
KEY = "key-of-the-website-1"
SITE = "https://www.example.com"
ANN = {"name": "Ann Lee", "email": "ann@example.org", "message": "Two offices, please."}


@pytest.fixture
def form(tmp_path: Path) -> Iterator[WebForm]:
    with aios_connect.connect("webform", relative_to=tmp_path, origins=SITE, thanks=f"{SITE}/thanks", key=KEY) as connection:
        assert isinstance(connection.connector, WebForm)
        yield connection.connector


@pytest.fixture
def server(form: WebForm) -> Iterator[Server]:
    with serve({"/website": form}) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        yield client


def records(form: WebForm) -> list[dict[str, Any]]:
    return [raw for page in form.read("submissions") for raw in page.records]


def raw(server: Server, request: bytes) -> bytes:
    """What is answered to bytes, after which the sender hangs up."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        while part := wire.recv(65536):
            answer += part
    return answer


def test_a_form_a_program_and_a_form_with_a_file_come_in(form: WebForm, client: httpx2.Client) -> None:
    browser = {"origin": SITE, "accept": "text/html", "referer": f"{SITE}/quote?utm_medium=cpc"}
    posted = client.post("/website", data=ANN, headers=browser)
    assert (posted.status_code, posted.headers["location"]) == (303, f"{SITE}/thanks")
    told = client.post("/website", json={**ANN, "rooms": 14}, headers={"authorization": f"Bearer {KEY}"})
    assert told.status_code == 200
    files = {"plan": ("Grundriß.pdf", b"%PDF-1.7", "application/pdf")}
    sent = client.post("/website", data={"message": "see the plan"}, files=files, headers={"origin": SITE, "accept": "*/*"})
    assert sent.headers["access-control-allow-origin"] == SITE
    one, two, three = records(form)
    assert (one["fields"], one["first"]) == (ANN, {"medium": "cpc", "landing": f"{SITE}/quote"})
    assert (two["id"], two["fields"]["rooms"]) == (told.json()["id"], 14)
    assert three["files"] == [{"field": "plan", "name": "Grundriß.pdf", "type": "application/pdf", "size": 8}]


def test_what_is_read_is_mapped_to_an_enquiry(tmp_path: Path) -> None:
    with aios_connect.connect("webform", relative_to=tmp_path, key=KEY) as connection:
        assert isinstance(connection.connector, WebForm)
        with serve({"/website": connection.connector}) as server, httpx2.Client(trust_env=False, timeout=60) as client:
            client.post(f"{server.url}/website", data=ANN, headers={"authorization": f"Bearer {KEY}"})
        (intake,) = connection.read("intake")
        assert (intake.channel, intake.trust, intake.delivery_count) == ("web_form", "verified", 1)
        assert intake.leaves()["custom.email"] == "ann@example.org"
        assert list(connection.read("activity")) == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404),
        (b"POST //[ HTTP/1.1\r\nHost: [\r\nContent-Length: 0\r\n\r\n", 404),
        (b"POST /website HTTP/1.1\r\nHost: [\r\nContent-Length: 0\r\n\r\n", 400),
        (b"GET /website HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"POST /website HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /website HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /website HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST /website HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (b"POST /website HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 401),
        (b"OPTIONS /website HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\n\r\n", 403),
    ],
)
def test_a_request_that_cannot_be_taken_is_answered(server: Server, request_: bytes, status: int) -> None:
    assert raw(server, request_).startswith(b"HTTP/1.1 %d " % status)


def test_who_asks_at_another_address_does_not_learn_which_there_are(server: Server) -> None:
    assert b"website" not in raw(server, b"POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")


def test_two_origins_are_no_origin(form: WebForm, server: Server) -> None:
    origins = f"Origin: {SITE}\r\nOrigin: https://evil.example\r\n".encode()
    head = b"POST /website HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n"
    assert raw(server, head + origins + b"\r\nmessage=a").startswith(b"HTTP/1.1 403 ")
    assert records(form) == []


def test_half_a_request_is_not_kept_and_the_next_one_is(form: WebForm, server: Server, client: httpx2.Client) -> None:
    head = f"POST /website HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 200\r\n".encode()
    assert raw(server, head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\nmessage=hal") == b""
    assert client.post("/website", data=ANN, headers={"origin": SITE}).status_code in (200, 303)
    assert [one["fields"] for one in records(form)] == [ANN]


def test_a_sender_that_hangs_up_does_not_stop_the_others(form: WebForm, server: Server, client: httpx2.Client) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    silent = socket.create_connection((host, int(port)), timeout=30)
    try:
        assert client.post("/website", data=ANN, headers={"origin": SITE, "accept": "*/*"}).status_code == 200
    finally:
        silent.close()
    assert len(records(form)) == 1


def test_eight_senders_at_once_are_all_heard_once(form: WebForm, client: httpx2.Client) -> None:
    def send(number: int) -> int:
        headers = {"authorization": f"Bearer {KEY}", "idempotency-key": f"k-{number % 20}"}
        return client.post("/website", data={"message": str(number % 20)}, headers=headers).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(send, range(80))) == {200}
    assert sorted(int(one["fields"]["message"]) for one in records(form)) == list(range(20))
    assert {one["deliveries"] for one in records(form)} == {4}


def test_closing_waits_for_who_is_being_answered(form: WebForm, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, closing = threading.Event(), threading.Event()
    order: list[str] = []
    answer = form.answer
    server = serve({"/website": form})
    stop = server._http.server_close

    def slow(request: Any) -> Any:
        asked.set()
        assert closing.wait(30)
        reply = answer(request)
        order.append("answered")
        return reply

    def closed() -> None:
        closing.set()
        stop()
        order.append("closed")

    monkeypatch.setattr(form, "answer", slow)
    monkeypatch.setattr(server._http, "server_close", closed)
    with ThreadPoolExecutor(2) as threads:
        sent = threads.submit(
            httpx2.post, f"{server.url}/website", data=ANN, headers={"origin": SITE, "accept": "*/*"}, trust_env=False, timeout=30
        )
        assert asked.wait(30)
        threads.submit(server.close).result(30)
        assert sent.result(30).status_code == 200
    assert order == ["answered", "closed"]


@pytest.mark.parametrize("sign", [{"idempotency-key": "k-1"}, {}], ids=["by its key", "by its content"])
@pytest.mark.parametrize("dies", ["die before", "die after"])
def test_a_process_that_is_killed_before_it_answers_is_asked_again_and_there_is_one(
    tmp_path: Path, dies: str, sign: dict[str, str]
) -> None:
    """kill -9, before and after the enquiry is on the disk."""
    headers = {"authorization": f"Bearer {KEY}", **sign}
    process, url = _started(tmp_path, dies)
    with pytest.raises(httpx2.TransportError):
        httpx2.post(f"{url}/website", data=ANN, headers=headers, trust_env=False, timeout=60)
    process.communicate(timeout=60)
    assert process.returncode == -9
    process, url = _started(tmp_path, "live")
    try:
        told = [httpx2.post(f"{url}/website", data=ANN, headers=headers, trust_env=False, timeout=60) for _ in range(2)]
    finally:
        process.communicate(timeout=60)
    assert [one.status_code for one in told] == [200, 200]
    with aios_connect.connect("webform", relative_to=tmp_path, inbox=".aios/inbox/website.db") as connection:
        (page,) = connection.connector.read("submissions")
    (one,) = page.records
    assert one["fields"] == ANN
    assert {json.loads(each.content)["id"] for each in told} == {one["id"]}
    assert one["deliveries"] == (3 if dies == "die after" else 2)


def _started(folder: Path, does: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "tests.connectors.webform_sender", str(folder), does]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()
