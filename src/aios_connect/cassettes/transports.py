"""Recording and replaying, as transports of the HTTP seam."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx2

from aios_connect.errors import AiosError

from .cassette import Cassette, Exchange, load, save
from .scrubbing import scrub_body, scrub_headers, scrub_uri

__all__ = ["CassetteError", "Player", "Recorder"]


class CassetteError(AiosError):
    """The conversation is not the one on the cassette."""


class Recorder(httpx2.BaseTransport):
    """Passes requests on and keeps what was said, scrubbed, until it is closed; then writes the cassette.

    Args:
        path: ``cassettes/<slug>/<scenario>.yaml``.
        origin: Who answers, truthfully: ``"live Tryton 8.2, demo data"``, ``"sandbox hubspot"``.
        inner: The way to who answers.
        address: What stands in the file in place of the server's own address, such as ``https://tryton.example``.
        now: The clock.
    """

    def __init__(
        self,
        path: Path,
        *,
        origin: str,
        inner: httpx2.BaseTransport,
        address: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not origin:
            raise ValueError("a cassette says where it was recorded")
        self._path = path
        self._origin = origin
        self._inner = inner
        self._address = address.rstrip("/")
        self._now = now
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass one request on; what fails on the way is not recorded."""
        question = request.read()
        response = self._inner.handle_request(request)
        answer = response.read()
        exchange = _exchange(request, question, response, answer, self._address)
        with self._lock:
            self._exchanges.append(exchange)
        return _response(response.status_code, response.headers, answer)

    def close(self) -> None:
        """Write the cassette."""
        self._inner.close()
        with self._lock:
            cassette = Cassette(self._origin, self._now().date().isoformat(), tuple(self._exchanges))
        save(cassette, self._path)


class Player(httpx2.BaseTransport):
    """Answers from a cassette, and from nowhere else; each exchange once, equal ones in their order. Safe to use from threads.

    Two requests are equal when method, address and body are, after scrubbing; JSON bodies are compared as values. Leaving a ``with``
    block in which not everything was played is an error.

    Args:
        path: The cassette.
    """

    def __init__(self, path: Path) -> None:
        self.cassette = load(path)
        self._path = path
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str, bytes], deque[Exchange]] = defaultdict(deque)
        for exchange in self.cassette.exchanges:
            self._left[_key(exchange)].append(exchange)

    @property
    def left(self) -> int:
        """Exchanges not played yet."""
        return sum(len(queue) for queue in self._left.values())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request.

        Raises:
            CassetteError: It is not on the cassette, or was played already.
        """
        asked = _key(_exchange(request, request.read(), httpx2.Response(200), b"", ""))
        with self._lock:
            queue = self._left.get(asked)
            exchange = queue.popleft() if queue else None
        if exchange is None:
            raise self._unknown(asked, played=queue is not None)
        return _response(exchange.status, httpx2.Headers(dict(exchange.got)), exchange.answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        if error is None and self.left:
            unplayed = next(queue[0] for queue in self._left.values() if queue)
            raise CassetteError(
                f"{self.left} exchanges of {self._path.name} were not played, such as {unplayed.method} {unplayed.uri}",
                hint="the code asks for less than when it was recorded; record it again if that is meant",
            )

    def _unknown(self, asked: tuple[str, str, bytes], played: bool) -> CassetteError:
        method, uri, body = asked
        if played:
            return CassetteError(f"{method} {uri} was played as often as it was recorded on {self._path.name}")
        near = get_close_matches(f"{method} {uri}", [f"{key[0]} {key[1]}" for key in self._left], n=1)
        what = f" with {body[:200].decode('utf-8', 'replace')}" if body else ""
        hint = f"nearest: {near[0]}{' with another body' if near == [f'{method} {uri}'] else ''}" if near else "record it again"
        return CassetteError(f"{self._path.name} has no {method} {uri}{what}", hint=hint)


def _key(exchange: Exchange) -> tuple[str, str, bytes]:
    return exchange.method, exchange.uri, scrub_body(exchange.question, exchange.sent.get("content-type", ""))


def _exchange(request: httpx2.Request, question: bytes, response: httpx2.Response, answer: bytes, address: str) -> Exchange:
    url = str(request.url)
    if address:
        parts = urlsplit(url)
        own = f"{parts.scheme}://{parts.netloc}"
        url = address + url.removeprefix(own)
        answer = answer.replace(own.encode(), address.encode())
    return Exchange(
        method=request.method,
        uri=scrub_uri(url),
        sent=scrub_headers(request.headers),
        question=scrub_body(question, request.headers.get("content-type", "")),
        status=response.status_code,
        got=scrub_headers(response.headers),
        answer=scrub_body(answer, response.headers.get("content-type", "")),
    )


def _response(status: int, headers: httpx2.Headers, body: bytes) -> httpx2.Response:
    """An answer whose body is plain: the headers that spoke of its form on the wire go."""
    gone = ("content-encoding", "content-length", "transfer-encoding")
    kept = [(name, value) for name, value in headers.multi_items() if name.lower() not in gone]
    return httpx2.Response(status, headers=kept, content=body)
