"""A tap on the line to a server: passes everything on and writes down what was asked. Knows nothing of our code."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Asked", "Tap", "tapped"]


@dataclass(slots=True)
class Asked:
    """One JSON-RPC request.

    Attributes:
        method: Its method.
        params: Its parameters.
        lines: The plan lines it names.
        done: The server did what was asked, whether or not anybody was left to hear it.
    """

    method: str
    params: list[Any]
    lines: tuple[str, ...]
    done: bool = False


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap.

    Attributes:
        url: Where it listens.
        asked: What was asked, in order.
        heard: Set by every request.
        instead: Method and how often it was asked for -> called instead of passing that request on.
        quiet: Waits until everything that was asked so far is over at the server, once those who asked are gone.
    """

    url: str
    asked: list[Asked]
    heard: threading.Event
    instead: dict[tuple[str, int], Callable[[], object]]
    quiet: Callable[[], None]


@contextmanager
def tapped(url: str) -> Iterator[Tap]:
    """Listen on a free port and pass everything on to a server."""
    asked: list[Asked] = []
    heard = threading.Event()
    instead: dict[tuple[str, int], Callable[[], object]] = {}
    host = urlsplit(url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = json.loads(body)
            lines = self.headers.get("aios-plan-line", "")
            asking = Asked(told["method"], told["params"], tuple(lines.split(",")) if lines else ())
            asked.append(asking)
            heard.set()
            if act := instead.pop((asking.method, sum(one.method == asking.method for one in asked)), None):
                act()
                self.close_connection = True
                return
            through = HTTPConnection(host, timeout=60)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "accept-encoding")}
            through.request("POST", self.path, body, kept)
            answer = through.getresponse()
            content = answer.read()
            through.close()
            asking.done = answer.status == 200 and "result" in json.loads(content)
            self.send_response(answer.status)
            for name in ("Content-Type", "Date"):
                self.send_header(name, answer.headers.get(name, ""))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def send_response(self, code: int, message: str | None = None) -> None:
            self.send_response_only(code, message)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # the end waits for what is under way

        def process_request(self, request: Any, client_address: Any) -> None:
            with changed:
                under_way.append(client_address)
            super().process_request(request, client_address)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            super().process_request_thread(request, client_address)
            with changed:
                under_way.remove(client_address)
                changed.notify_all()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever asked is no more."""

    under_way: list[Any] = []
    changed = threading.Condition()
    server = Server(("127.0.0.1", 0), Handler)

    def quiet() -> None:
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=120) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)  # it was their turn before it was ours
        with changed:
            assert changed.wait_for(lambda: not under_way, 120), "somebody still asks"

    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Tap(f"http://127.0.0.1:{server.server_port}", asked, heard, instead, quiet)
    finally:
        server.shutdown()
        thread.join()
        with suppress(OSError):
            server.server_close()
