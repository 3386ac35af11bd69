"""The two ways to a fake vendor: as an httpx2 transport in this process, or on a loopback port for anybody."""

from __future__ import annotations

import select
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .faults import NoAnswerError
from .vendor import Vendor

if TYPE_CHECKING:
    import httpx2

__all__ = ["Server", "serve", "transport"]


def transport(vendor: Vendor) -> httpx2.BaseTransport:
    """A transport that takes every request to the vendor, whatever its host, without a network.

    A timeout lets the vendor's clock run on for as long as the client's patience lasts.
    """
    import httpx2

    def answer(request: httpx2.Request) -> httpx2.Response:
        try:
            answer = vendor.exchange(request.method, str(request.url), dict(request.headers), request.read())
        except NoAnswerError as broken:
            if broken.how == "refused":
                raise httpx2.ConnectError("connection refused", request=request) from None
            if broken.how == "reset":
                raise httpx2.ReadError("connection reset by peer", request=request) from None
            vendor.clock.sleep(request.extensions.get("timeout", {}).get("read") or 0.0)
            raise httpx2.ReadTimeout("timed out", request=request) from None
        return httpx2.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)

    return httpx2.MockTransport(answer)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up, or was killed, is no fault of the server; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Server:
    """A vendor on a loopback port, in a thread of its own; stopped by :meth:`close` or at the end of a ``with`` block.

    Attributes:
        url: Where it is, ``http://127.0.0.1:40123``.
    """

    def __init__(self, vendor: Vendor, port: int = 0) -> None:
        self._http = _Listener(("127.0.0.1", port), _handler(vendor))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def wait(self) -> None:
        """Serve until the process is stopped."""
        self._thread.join()

    def close(self) -> None:
        """Stop serving. Safe to call twice."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def serve(vendor: Vendor, port: int = 0) -> Server:
    """Put a vendor on a loopback port; 0 takes a free one.

    A refused connection shows as one that is closed unanswered, since somebody must listen to refuse.
    """
    return Server(vendor, port)


def _handler(vendor: Vendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _exchange(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                answer = vendor.exchange(self.command, self.path, dict(self.headers.items()), body)
            except NoAnswerError as broken:
                self._break(broken.how)
                return
            try:
                self.send_response_only(answer.status)  # the time is the vendor's own, and told by itself if at all
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except ConnectionError:  # the client is not there any more
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _exchange  # noqa: N815

        def _break(self, how: str) -> None:
            self.close_connection = True
            if how == "timeout":
                select.select([self.connection], [], [])  # until the client has lost its patience and hangs up
            else:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
