"""What stands between a connector and its provider in the suite: it notes every request, and lets things go wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import httpx2

from aios_connect.sandbox import FAULTS, Answer, Fault, NoAnswerError, SimClock

if TYPE_CHECKING:
    from .issuer import Issuer

__all__ = ["BODIES", "LOST", "Sent", "Trouble", "Wire", "echoing", "saying", "saying_besides", "too_many"]


def _hollow(body: bytes) -> bytes:
    """A page whose lists are there and all the rest is null; only what stands at the top of it is looked at."""
    try:
        page = json.loads(body)
    except ValueError:
        return body
    return (
        json.dumps({name: value if isinstance(value, list) else None for name, value in page.items()}).encode()
        if isinstance(page, dict)
        else body
    )


def _body(name: str, evidence: str, change: Callable[[bytes], bytes], **headers: str) -> Fault:
    """A page comes with status 200 and another body."""

    def answer(true: Answer, now: datetime) -> Answer:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return replace(true, body=change(true.body), headers={**true.headers, **named})

    return Fault(name, evidence, "after", answer)


BODIES: Final[Mapping[str, Fault]] = {
    **{name: FAULTS[name] for name in ("error_in_200", "web_page", "cut_off")},
    "an empty body": _body("an empty body", "RFC 9112, 6.3: a body that is closed before it begins", lambda body: b""),
    "an empty object": _body("an empty object", "three of three frameworks took it for the last page", lambda body: b"{}"),
    "null": _body("null", "a cache that lost the value", lambda body: b"null"),
    "a hollow page": _body("a hollow page", "a serialiser that lost what it does not know", _hollow),
    "a list": _body("a list", "another version of the API", lambda body: b"[]"),
    "a bad compression": _body("a bad compression", "RFC 9110, 8.4", lambda body: b"\x1f\x8b\x08junk", content_encoding="gzip"),
}
"""Answers with status 200 that are no page."""

LOST: Final = tuple(FAULTS[name] for name in ("timeout_after", "reset_after", "bad_gateway", "cut_off"))
"""Ways to lose the answer to a request that was carried out."""


def saying(answer: Answer, name: str = "an answer") -> Fault:
    """The same answer, whatever was asked."""
    return Fault(name, "the suite's own", "instead", lambda _, now: answer)


def saying_besides(**headers: str) -> Fault:
    """The true answer, with more headers."""
    return Fault("more headers", "the suite's own", "after", lambda true, now: replace(true, headers={**true.headers, **headers}))


def too_many(name: str, status: int = 429, **headers: str) -> Fault:
    """An answer that asks to come later."""
    return saying(Answer.json({"status": "error", "message": "too many requests"}, status, **headers), name)


def echoing(wire: Wire, status: int) -> Fault:
    """An answer that repeats all that was sent, secrets and all."""

    def answer(_: Answer, now: datetime) -> Answer:
        sent = wire.log[-1]
        signature = sent.headers.get("authorization", "")
        words = f"{signature.rpartition(' ')[2]} is not known here; sent was {signature}"
        told = {"status": "error", "message": words, "headers": dict(sent.headers)}
        return Answer.json({**told, "body": sent.body.decode("utf-8", "replace")}, status)

    return Fault("echo", "gateways print what they were sent", "instead", answer)


@dataclass(slots=True)
class Sent:
    """One request and what became of it.

    Attributes:
        method: Upper case.
        url: Whole, with its query.
        path: Without the query.
        headers: With names in lower case.
        body: As sent.
        at: When.
        status: Of the answer; 0 if none came.
        answer: Body of the answer.
    """

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    status: int = 0
    answer: bytes = b""


@dataclass(slots=True)
class Trouble:
    """Something that goes wrong with some requests.

    Attributes:
        fault: What.
        at: Which requests it may befall.
        skip: So many of them pass before.
        times: So many of them it befalls; for ever, if not given.
    """

    fault: Fault
    at: Callable[[Sent], bool]
    skip: int = 0
    times: int | None = None
    met: int = field(default=0, init=False)

    def befalls(self, sent: Sent) -> bool:
        """Count a request, and say whether it is hit."""
        if not self.at(sent):
            return False
        self.met += 1
        return self.met > self.skip and (self.times is None or self.met <= self.skip + self.times)


class Wire(httpx2.BaseTransport):
    """Takes requests to the provider.

    Args:
        inner: The way there.
        clock: Time goes on while a client waits for an answer that does not come.

    Attributes:
        log: Every request, in order.
        troubles: What goes wrong; the first that befalls a request counts.
        issuer: Who signs in here instead of the provider, for tests of OAuth.
        rewrite: What is done to the body of every answer.
        most: Requests in one test. Who asks more often goes round in a circle.
    """

    def __init__(self, inner: httpx2.BaseTransport, clock: SimClock) -> None:
        self.log: list[Sent] = []
        self.troubles: list[Trouble] = []
        self.issuer: Issuer | None = None
        self.rewrite: Callable[[Sent, bytes], bytes] = lambda sent, body: body
        self.most = 4000
        self._inner = inner
        self._clock = clock

    def trouble(
        self, fault: Fault, at: Callable[[Sent], bool] = lambda sent: True, *, skip: int = 0, times: int | None = None
    ) -> Trouble:
        """From now on, let this go wrong."""
        made = Trouble(fault, at, skip, times)
        self.troubles.append(made)
        return made

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.troubles.clear()

    def since(self, start: int, at: Callable[[Sent], bool] = lambda sent: True) -> list[Sent]:
        """The requests from the ``start``-th on that fit."""
        return [sent for sent in self.log[start:] if at(sent)]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Take one request."""
        sent = Sent(
            request.method,
            str(request.url),
            request.url.path,
            {name.lower(): value for name, value in request.headers.items()},
            request.read(),
            self._clock.now(),
        )
        self.log.append(sent)
        if len(self.log) > self.most:
            raise AssertionError(f"more than {self.most} requests: this does not end")
        try:
            answer = self._answer(request, sent)
        except NoAnswerError as broken:
            raise self._broken(request, broken) from None
        sent.status, sent.answer = answer.status, answer.body
        return httpx2.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)

    def _answer(self, request: httpx2.Request, sent: Sent) -> Answer:
        if self.issuer is not None:
            if self.issuer.is_asked(sent):
                return self.issuer.answer(sent)
            refused = self.issuer.admit(request, sent)
            if refused is not None:
                return refused
        fault = next((trouble.fault for trouble in self.troubles if trouble.befalls(sent)), None)
        if fault is not None and fault.stage == "instead":
            return fault.play(Answer(), self._clock.now())
        response = self._inner.handle_request(request)
        body = self.rewrite(sent, response.read())
        headers = {name: value for name, value in response.headers.items() if not re.match("content-(length|encoding)", name)}
        answer = Answer(response.status_code, body, headers)
        return answer if fault is None else fault.play(answer, self._clock.now())

    def _broken(self, request: httpx2.Request, broken: NoAnswerError) -> httpx2.TransportError:
        match broken.how:
            case "refused":
                return httpx2.ConnectError("connection refused", request=request)
            case "reset":
                return httpx2.ReadError("connection reset by peer", request=request)
            case "timeout":
                self._clock.sleep(request.extensions.get("timeout", {}).get("read") or 0.0)
                return httpx2.ReadTimeout("timed out", request=request)
