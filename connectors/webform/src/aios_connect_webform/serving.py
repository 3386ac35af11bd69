"""A small server for the addresses of one machine, on the standard library: for trying out, and behind a proxy that speaks TLS."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from aios_connect.connectors import Request
from aios_connect.connectors.webhooks import Answers, Reply

__all__ = ["Server", "serve"]

_MOST: Final = 20_000_000
"""Bytes that are read of any body; what a connection takes of them is its own setting."""
_PATIENCE: Final = 15.0
"""Seconds that a sender may be silent in the middle of a request."""


class Server:
    """Addresses that are listened to, in threads of their own; stopped by :meth:`close` or at the end of a ``with`` block.

    Attributes:
        url: Where it is, ``http://127.0.0.1:40123``.
    """

    def __init__(self, doors: Mapping[str, Answers], host: str, port: int) -> None:
        self._http = _Listener((host, port), _handler(doors))
        self.url = f"http://{host}:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, and let the requests that are being answered come to their end. Safe to call twice."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def serve(doors: Mapping[str, Answers], *, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Listen to some addresses.

    It speaks no TLS and knows no rates: what senders elsewhere reach is a proxy before it.

    Args:
        doors: Path -> who answers there: ``{"/enquiries": connection.connector}``.
        host: The network address to listen at.
        port: The port; 0 takes a free one.
    """
    return Server(doors, host, port)


class _Listener(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that hung up is no fault of the server; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(doors: Mapping[str, Answers]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = _PATIENCE

        def _exchange(self) -> None:
            reply = self._replied()
            if reply is not None:
                self._send(reply)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _exchange  # noqa: N815

        def _replied(self) -> Reply | None:
            """The answer; ``None`` for a request that broke off, to which nobody listens any more."""
            door = doors.get(self.path.partition("?")[0])
            if door is None:
                return _refused(404, "there is nothing at this address", "look at the address that you were given")
            length = self.headers.get("content-length", "0")
            if "transfer-encoding" in self.headers or not (length.isascii() and length.isdigit()):
                return _refused(411, "the length of the body is not known", "send Content-Length")
            if len(length) > len(str(_MOST)) or int(length) > _MOST:
                return _refused(413, f"the body has more than {_MOST:,} bytes", "send less")
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                return None
            headers: dict[str, str] = {}
            for name, value in self.headers.items():
                key = name.lower()
                headers[key] = f"{headers[key]}, {value}" if key in headers else value  # RFC 9110, 5.3
            return door.answer(Request(self.command, f"http://{self.headers.get('host', '')}{self.path}", headers, body))

        def _send(self, reply: Reply) -> None:
            self.close_connection = True
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("content-length", str(len(reply.body)))  # RFC 9110, 8.6: not with 204
            self.send_header("connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: what is sent here is personal, down to the address."""

    return Handler


def _refused(status: int, message: str, hint: str) -> Reply:
    return Reply(status, {"content-type": "application/json"}, json.dumps({"error": message, "hint": hint}).encode())
