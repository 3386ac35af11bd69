"""A conversation with a live account made fit to be shown: had once, cleaned, and had again with nothing but what is clean.

The requests in such a cassette are not those of the live account. They are those of a second connector, made with settings and secrets that
mean nothing, which got the cleaned answers and never saw any other. So nothing of the account can be in them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from aios_connect.connectors.response import decode_json
from aios_connect.errors import ConfigError

from .cassette import Exchange
from .pseudonyms import Pseudonyms
from .scrubbing import scrub_body, scrub_headers, scrub_uri, scrub_value
from .steps import Told
from .transports import CassetteError

__all__ = ["BY_HAND", "Heard", "Rehearsal", "Tape", "clean", "compare"]

BY_HAND: Final = "record a story of your own, told to a server with made-up data, with aios_connect.cassettes.Recorder"
"""The way out where an account cannot be recorded."""

_PLAIN: Final = re.compile(r"[\w-]*")
_LINKS: Final = frozenset({"link", "location", "next-page"})
_NAMELESS: Final = frozenset({"content-type", "date", "last-modified", "retry-after"})


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer of the live account, as it came.

    Attributes:
        method: Of the request.
        url: Of the request.
        status: HTTP status.
        headers: Of the answer, by lower-cased name.
        body: Of the answer, decompressed.
    """

    method: str
    url: str
    status: int
    headers: dict[str, str]
    body: bytes


class Tape(httpx2.BaseTransport):
    """Passes requests on and keeps the answers in memory, as they came.

    Args:
        send: The way to the live account.
        ignore: An address whose answers are not kept: where tokens are given out.
    """

    def __init__(self, send: Callable[[httpx2.Request], httpx2.Response], ignore: str = "") -> None:
        self.heard: list[Heard] = []
        self._send = send
        self._ignore = ignore
        self._lock = threading.Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass one request on."""
        response = self._send(request)
        body, url = response.read(), str(request.url)
        gone = ("content-encoding", "content-length", "transfer-encoding")
        kept = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in gone]
        if not self._ignore or url != self._ignore:
            with self._lock:
                self.heard.append(Heard(request.method, url, response.status_code, {n.lower(): v for n, v in kept}, body))
        return httpx2.Response(response.status_code, headers=kept, content=body)


def clean(heard: Heard, pseudonyms: Pseudonyms) -> Heard:
    """An answer with stand-ins, and without secrets.

    Raises:
        ConfigError: Its body is not JSON, so that nobody can tell what is in it.
    """
    place = f"{heard.method} {pseudonyms.text(urlsplit(heard.url).path.rpartition('/')[2]) or '/'}"
    headers = {}
    for name, value in scrub_headers(heard.headers).items():
        if name in _LINKS:
            headers[name] = pseudonyms.link(value)
        else:
            headers[name] = value if name in _NAMELESS else pseudonyms.text(value)
    url = pseudonyms.text(heard.url)
    return replace(heard, url=url, headers=headers, body=_cleaned(heard, pseudonyms, place) if heard.body else b"")


def _cleaned(heard: Heard, pseudonyms: Pseudonyms, place: str) -> bytes:
    import msgspec

    try:
        value = decode_json(heard.body)
    except (ValueError, RecursionError):
        if heard.status >= 400:  # the page of somebody between us and the tool; no word of it is needed
            return pseudonyms.text(heard.body.decode("latin-1"), frozenset()).encode()
        kind = heard.headers.get("content-type", "something without a type")
        raise ConfigError(
            f"{heard.method} {scrub_uri(heard.url)} was answered with {kind}; only JSON can be cleaned of names for certain",
            hint=BY_HAND,
        ) from None
    encoded = msgspec.json.Encoder(decimal_format="number").encode(pseudonyms.clean(value, place))
    return scrub_body(encoded, "application/json")


class Rehearsal(httpx2.BaseTransport):
    """Gives the cleaned answers, one after the other, and keeps what was asked for them.

    Args:
        answers: Cleaned, in their order.
    """

    def __init__(self, answers: list[Heard]) -> None:
        self.exchanges: list[Exchange] = []
        self._answers = answers

    @property
    def left(self) -> int:
        """Answers that nobody asked for yet."""
        return len(self._answers) - len(self.exchanges)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request.

        Raises:
            CassetteError: There is no answer left, or it is one to something else.
        """
        if not self.left or not _like(self._answers[len(self.exchanges)], request):
            raise CassetteError(
                f"with stand-ins for answers the connector asks for something else: {request.method} {scrub_uri(str(request.url))}",
                hint=BY_HAND,
            )
        answer = self._answers[len(self.exchanges)]
        question = request.read()
        self.exchanges.append(
            Exchange(
                method=request.method,
                uri=scrub_uri(str(request.url)),
                sent=scrub_headers(request.headers),
                question=scrub_body(question, request.headers.get("content-type", "")),
                status=answer.status,
                got=answer.headers,
                answer=answer.body,
            )
        )
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.body)


def _like(answer: Heard, request: httpx2.Request) -> bool:
    """An answer is one to this request, as far as its address tells: what has signs in it may be made of several texts."""
    meant, asked = urlsplit(answer.url).path.split("/"), urlsplit(str(request.url)).path.split("/")
    alike = len(meant) == len(asked) and all(
        one == other or not _PLAIN.fullmatch(one) for one, other in zip(meant, asked, strict=True)
    )
    return answer.method == request.method and alike


def _same(live: Any, meant: Any, said: Any, pseudonyms: Pseudonyms, name: str = "") -> bool:
    """Two values are the same; what the provider says as a number, which stays, the connector may say as a text."""
    if meant == said:
        return True
    if isinstance(meant, dict) and isinstance(said, dict):
        keys = meant.keys() == said.keys() and len(live) == len(meant)
        pairs = zip(live.values(), meant, strict=True) if keys else ()
        return keys and all(_same(raw, meant[key], said[key], pseudonyms, key) for raw, key in pairs)
    if isinstance(meant, list) and isinstance(said, list):
        return len(meant) == len(said) and all(_same(*values, pseudonyms, name) for values in zip(live, meant, said, strict=True))
    return said == live and isinstance(said, str) and pseudonyms.is_number_said(said, name)


def compare(live: Told, again: Told, pseudonyms: Pseudonyms) -> None:
    """See that the cleaned conversation says the same as the live one, with stand-ins.

    Raises:
        CassetteError: It does not.
    """
    for object, pages in live.pages.items():
        other = again.pages.get(object, [])
        shape, shape_again = (
            [(len(page.records), page.complete, len(page.tombstones)) for page in told] for told in (pages, other)
        )
        raws, said = ([raw for page in told for raw in page.records] for told in (pages, other))
        meant = [scrub_value(pseudonyms.clean(raw)) for raw in raws]
        if shape != shape_again or not _same(raws, meant, said, pseudonyms):
            raise CassetteError(
                f"with stand-ins the connector reads other {object} than it did from the live account",
                hint=BY_HAND,
            )
