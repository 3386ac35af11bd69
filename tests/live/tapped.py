"""A wire to a real server that can be tapped and cut."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

__all__ = ["Tapped"]


class Tapped(httpx2.BaseTransport):
    """Lets requests through to the server, and writes them down.

    Attributes:
        calls: Method and path of each request, in order.
        sent: The requests.
        before: Method -> called once before a request of that method goes out.
        lose: Method whose next answer is lost on the way back.
        drop: Method whose next request is lost on the way there.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.sent: list[httpx2.Request] = []
        self.before: dict[str, Callable[[], object]] = {}
        self.lose = ""
        self.drop = ""
        self._through = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.calls.append(f"{request.method} {request.url.path}")
        self.sent.append(request)
        if act := self.before.pop(request.method, None):
            act()
        if request.method == self.drop:
            self.drop = ""
            raise httpx2.ReadTimeout("nobody answered")
        response = self._through.handle_request(request)
        if request.method == self.lose:
            self.lose = ""
            response.read()
            response.close()
            raise httpx2.ReadTimeout("nobody answered")
        return response

    def close(self) -> None:
        self._through.close()
