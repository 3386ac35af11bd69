"""What surrounds the objects of a fake account: who signs in, what they consented to, limits, batches."""

from __future__ import annotations

import random
import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from aios_connect.sandbox import Answer, Call, RefusedError, Schedule, SimClock, Tokens, Vendor, route

from ._errors import refusal

__all__ = ["ADDRESS", "REFRESH", "TOKEN", "Account", "Hazards"]

TOKEN: Final = "ya29.sandbox-0000"  # noqa: S105  # no secret: everybody may use the sandbox
"""An access token that is always good here."""

REFRESH: Final = "1//sandbox-refresh-token"

ADDRESS: Final = "nora@example.com"
"""Whose account it is."""

_NOWHERE: Final = b"<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title><p>That's an error. That's all we know."
"""What is at no address of an API: googleapis/google-api-php-client#2052."""

_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Hazards:
    """What is hard about Google. All of it is on unless it is turned off.

    Attributes:
        latency: Seconds a call takes; assumed.
        calendar: Calendar requests in any minute (https://developers.google.com/workspace/calendar/api/guides/quota).
        people: Requests for contacts in any minute; assumed, as the numbers are shown in the Cloud console only.
        gmail: Quota units for mail in any minute (https://developers.google.com/workspace/gmail/api/reference/quota).
        short_pages: Pages of events are shorter than asked for, and some are empty (discovery document, ``events.list``, ``maxResults``).
        calendar_tokens: Days until a sync token of Calendar is forgotten; that it happens: developers.google.com/workspace/calendar/api/guides/sync.
        people_tokens: Days until a sync token of contacts is forgotten (discovery document, ``people.connections.list``).
        history: Days until the history of a mailbox is forgotten (https://developers.google.com/workspace/gmail/api/guides/sync).
        lag: Mean seconds, exponential, until changed contacts are told; "several minutes": discovery document, ``people.connections.list``.
        shuffled: Batches answer in another order than asked; assumed, as the worse. The guide promises no order of execution only.
    """

    latency: float = 0.1
    calendar: int = 600
    people: int = 90
    gmail: int = 6_000
    short_pages: bool = True
    calendar_tokens: float = 30.0
    people_tokens: float = 7.0
    history: float = 7.0
    lag: float = 60.0
    shuffled: bool = True

    @classmethod
    def none(cls) -> Hazards:
        """An account as the documentation's examples show it."""
        unlimited = 10**9
        return cls(0.0, unlimited, unlimited, unlimited, False, 10_000.0, 10_000.0, 10_000.0, 0.0, False)


class Account(Vendor):
    """One fake Google account, without the routes to its objects.

    Args:
        clock: Its time.
        schedule: What goes wrong on the wire.
        hazards: What is hard about it.
        seed: The same seed gives the same lags and orders.
        scopes: What was consented to; everything, if not given.

    Attributes:
        tokens: Access tokens, of an hour each. Google's refresh tokens do not rotate.
        counted: API -> what was counted against its limit, each request of a batch by itself.
        refused: How many requests met a limit.
    """

    def __init__(
        self,
        clock: SimClock | None = None,
        schedule: Schedule | None = None,
        *,
        hazards: Hazards = Hazards(),
        seed: int = 0,
        scopes: frozenset[str] | None = None,
    ) -> None:
        super().__init__(clock, schedule)
        self.hazards = hazards
        self.seed = seed
        self.random = random.Random(f"{seed}:google")  # noqa: S311  # no secret
        self.scopes = scopes
        self.tokens = Tokens(self.clock, REFRESH, lifetime=3600.0)
        self.counted: Counter[str] = Counter()
        self.refused = 0
        self._windows: dict[str, deque[tuple[datetime, int]]] = {}
        self._used: Counter[str] = Counter()  # what is in each window

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take one request; parameters that come several times are joined by commas."""
        self.clock.sleep(self.hazards.latency)
        answer = super().exchange(method, _joined(url), headers, body)
        if answer.status == 404 and b"no such address" in answer.body:
            answer = Answer(404, _NOWHERE, {"content-type": "text/html; charset=UTF-8"})
        return replace(answer, headers={"date": format_datetime(self.clock.now(), usegmt=True), **answer.headers})

    def enter(self, call: Call, api: str, *scopes: str, cost: int = 1) -> None:
        """Let a call in, if its token is good, one of the scopes consented to, and no limit reached.

        Args:
            call: The request.
            api: ``calendar``, ``people`` or ``gmail``: whose limit it counts against.
            *scopes: The last part of the scopes of which one is enough, such as ``calendar.events``.
            cost: What it counts as.

        Raises:
            RefusedError: 401, 403 or 429.
        """
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if token != TOKEN and not self.tokens.works(token):
            raise refusal(
                401, "authError", "Invalid Credentials", rpc="UNAUTHENTICATED", locationType="header", location="Authorization"
            )
        if self.scopes is not None and not any(f"https://www.googleapis.com/auth/{scope}" in self.scopes for scope in scopes):
            raise refusal(
                403,
                "insufficientPermissions",
                "Request had insufficient authentication scopes.",
                rpc="PERMISSION_DENIED",
                info="ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            )
        self._count(api, cost)

    @route("POST", "/token")
    def token(self, call: Call) -> Any:
        """https://developers.google.com/identity/protocols/oauth2/web-server#offline: no new refresh token comes with it."""
        form = dict(parse_qsl(call.body.decode()))
        fresh = self.tokens.refresh(form.get("refresh_token", ""))
        if fresh is None:
            raise RefusedError(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        del fresh["refresh_token"]
        scope = {} if self.scopes is None else {"scope": " ".join(sorted(self.scopes))}
        return {**fresh, "token_type": "Bearer", **scope}

    @route("POST", "/revoke")
    def revoke(self, call: Call) -> Any:
        """https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke"""
        return {}

    @route("POST", "/batch")
    def batch(self, call: Call) -> Answer:
        """Each part is a request of its own (https://developers.google.com/workspace/calendar/api/guides/batch)."""
        named = re.search(r"boundary=\"?([^\";]+)", call.headers.get("content-type", ""))
        if named is None:
            raise refusal(400, "badRequest", "Failed to parse batch request, error: missing boundary")
        asked = [_part(one, call) for one in _parts(call.body, named[1])]
        if len(asked) > 1000:
            raise refusal(400, "badRequest", "The batch request has too many parts")
        half = len(asked) // 2 if call.fault == "half_done" else len(asked)
        told = []
        for number, (name, inner) in enumerate(asked):
            answer = self._answer(inner) if number < half else _stopped()
            told.append((name, answer))
        if self.hazards.shuffled:
            self.random.shuffle(told)
        content = b"".join(_told(name, answer) for name, answer in told) + b"--batch_fake--\r\n"
        return Answer(200, content, {"content-type": "multipart/mixed; boundary=batch_fake"})

    @route("POST", "/batch/{api}/{version}")
    def batch_of(self, call: Call, api: str, version: str) -> Answer:
        told: Answer = self.batch(call)
        return told

    def _count(self, api: str, cost: int) -> None:
        now, window = self.clock.now(), self._windows.setdefault(api, deque())
        while window and (now - window[0][0]).total_seconds() >= _MINUTE:
            self._used[api] -= window.popleft()[1]
        if self._used[api] + cost > getattr(self.hazards, api):
            self.refused += 1
            raise self._too_many(api)
        window.append((now, cost))
        self._used[api] += cost
        self.counted[api] += cost

    def _too_many(self, api: str) -> RefusedError:
        """Calendar says it with 403 or with 429 (https://developers.google.com/workspace/calendar/api/guides/quota)."""
        if api == "calendar" and self.refused % 2:
            return refusal(403, "rateLimitExceeded", "Rate Limit Exceeded", domain="usageLimits")
        return refusal(
            429, "rateLimitExceeded", "Quota exceeded", domain="usageLimits", rpc="RESOURCE_EXHAUSTED", info="RATE_LIMIT_EXCEEDED"
        )


def _joined(url: str) -> str:
    parts = urlsplit(url)
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    return f"{parts.path}?{urlencode(query)}" if query else parts.path


def _parts(body: bytes, boundary: str) -> list[bytes]:
    content = b"\n" + body.replace(b"\r\n", b"\n")
    return content.split(b"\n--" + boundary.encode())[1:-1]


def _part(part: bytes, call: Call) -> tuple[str, Call]:
    """The name of a part, and the request in it; what the batch as a whole says of itself holds for it too."""
    head, _, inner = part.strip(b"\n").partition(b"\n\n")
    lines, _, body = inner.partition(b"\n\n")
    first, *rest = lines.decode("latin-1").split("\n")
    method, url = first.split(" ")[:2]
    named = re.search(r"^content-id:\s*<?(.*?)>?\s*$", head.decode("latin-1"), re.IGNORECASE | re.MULTILINE)
    parts = urlsplit(_joined(url))
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    outer = {name: value for name, value in call.headers.items() if not name.startswith("content-")}
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    inside = replace(
        call, method=method, path=unquote(parts.path), query=query, headers={**outer, **headers}, body=body, fault=""
    )
    return (named[1] if named else ""), inside


def _told(name: str, answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Told", *(f"{header}: {value}" for header, value in answer.headers.items())]
    lines.append(f"content-length: {len(answer.body)}")
    head = f"--batch_fake\r\nContent-Type: application/http\r\nContent-ID: <response-{name}>\r\n\r\n"
    return head.encode() + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body + b"\r\n"


def _stopped() -> Answer:
    return refusal(503, "backendError", "Backend Error", rpc="UNAVAILABLE").answer
