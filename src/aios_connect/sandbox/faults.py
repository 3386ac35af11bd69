"""What can go wrong between a vendor and its client, each with its evidence, and the schedules that say when."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

__all__ = ["FAULTS", "Answer", "Call", "Fault", "NoAnswerError", "Schedule"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it reaches a fake vendor.

    Attributes:
        index: Its number since the vendor was started, from 0.
        method: Upper case.
        path: Without the query, decoded.
        query: The query parameters; of one that comes twice the last.
        headers: With names in lower case.
        body: As sent.
        fault: Name of an *inside* fault that the vendor itself must play, or an empty string.
    """

    index: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    fault: str = ""

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a fake vendor."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Answer:
        """An answer with a JSON body; ``retry_after="3"`` becomes the header ``retry-after``.

        Half a character (a lone surrogate) goes out as an escape, as RFC 8259, 8.2 allows: UTF-8 has none.
        """
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        try:
            body = json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            body = json.dumps(value).encode()
        return cls(status, body, {"content-type": "application/json", **named})


class NoAnswerError(Exception):
    """No answer arrives: the connection is ``refused``, ``reset``, or silent until a ``timeout``."""

    def __init__(self, how: Literal["refused", "reset", "timeout"]) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True, slots=True)
class Fault:
    """One named way in which a request goes wrong.

    Attributes:
        name: Its name in logs and seeds.
        evidence: Where such behaviour is documented or was met.
        stage: ``instead`` (the vendor never sees the request), ``after`` (it was processed, then this) or ``inside`` (the vendor
            plays it, where it makes sense for the request).
        answer: For ``instead`` and ``after``: what comes back, made of the true answer (``after``) and the present instant.
        broken: For ``instead`` and ``after``: no answer comes back at all.
    """

    name: str
    evidence: str
    stage: Literal["instead", "after", "inside"]
    answer: Callable[[Answer, datetime], Answer] | None = None
    broken: Literal["", "refused", "reset", "timeout"] = ""

    def play(self, answer: Answer, now: datetime) -> Answer:
        """What comes back in place of the true answer.

        Raises:
            NoAnswerError: Nothing does.
        """
        if self.broken:
            raise NoAnswerError(self.broken)
        return answer if self.answer is None else self.answer(answer, now)


_PAGE = b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body>We will be back soon.</body></html>"


def _too_many(_: Answer, now: datetime) -> Answer:
    return Answer.json({"status": "error", "message": "rate limit reached"}, 429, retry_after="2")


def _too_many_until(_: Answer, now: datetime) -> Answer:
    until = format_datetime(now + timedelta(seconds=4), usegmt=True)
    return Answer.json(
        {"status": "error", "message": "rate limit reached"}, 429, retry_after=until, date=format_datetime(now, usegmt=True)
    )


def _cut(answer: Answer, now: datetime) -> Answer:
    return replace(answer, body=answer.body[: max(1, len(answer.body) * 2 // 3)])


def _catalogue(*faults: Fault) -> dict[str, Fault]:
    return {fault.name: fault for fault in faults}


FAULTS: Mapping[str, Fault] = _catalogue(
    Fault("too_many", "RFC 6585, 4; RFC 9110, 10.2.3: Retry-After in seconds", "instead", _too_many),
    Fault("too_many_until", "RFC 6585, 4; RFC 9110, 10.2.3: Retry-After as an HTTP date", "instead", _too_many_until),
    Fault(
        "unavailable",
        "RFC 9110, 15.6.4: overload or maintenance",
        "instead",
        lambda _, now: Answer.json({"status": "error", "message": "try later"}, 503),
    ),
    Fault(
        "bad_gateway", "RFC 9110, 15.6.3; the proxy gave up while the server worked on", "after", lambda _, now: Answer(502, b"")
    ),
    Fault("refused", "RFC 9293, 3.5.2: nobody listens", "instead", broken="refused"),
    Fault("reset_before", "RFC 9293, 3.5.2: the server died before it read the request", "instead", broken="reset"),
    Fault("reset_after", "RFC 9293, 3.5.2: the server died after it committed", "after", broken="reset"),
    Fault("timeout_before", "the request is stuck in a queue and dropped there", "instead", broken="timeout"),
    Fault(
        "timeout_after", "the work took longer than the client's patience and was done all the same", "after", broken="timeout"
    ),
    Fault(
        "error_in_200",
        "Tryton answers errors with status 200; three of three connector frameworks took such a body for the last page",
        "instead",
        lambda _, now: Answer.json({"status": "error", "message": "internal error"}),
    ),
    Fault(
        "web_page",
        "maintenance pages and sign-in pages of proxies come with status 200",
        "instead",
        lambda _, now: Answer(200, _PAGE, {"content-type": "text/html"}),
    ),
    Fault("cut_off", "a proxy's buffer or a dying worker ends the body early with status 200", "after", _cut),
    Fault(
        "expired",
        "RFC 6750, 3.1: the access token expired before its announced time",
        "instead",
        lambda _, now: Answer.json({"status": "error", "message": "token expired"}, 401),
    ),
    Fault("empty_page", "a page whose records were all filtered out after paging has a cursor and no records", "inside"),
    Fault("same_cursor", "airbytehq/airbyte#43317: the cursor for the next page is that of this page, for ever", "inside"),
    Fault("cursor_gone", "RFC 9110, 15.5.11; sync tokens of calendars expire with 410", "inside"),
    Fault("half_done", "a batch stops in the middle; its results say which, in another order than asked", "inside"),
    Fault("all_or_nothing", "airbytehq/airbyte#76340: one bad record refuses the whole batch", "inside"),
)
"""Every fault there is, by name."""


class Schedule:
    """Which request meets which fault: a function of the seed and the request's number, whatever else happens.

    Args:
        seed: The same seed gives the same faults.
        faults: What may happen; everything in :data:`FAULTS` if not given.
        rate: Share of the requests that meet a fault.
        outages: How many longer outages there are, each of 8 to 40 requests with one fault.
        span: Outages begin within so many requests.
        only: Fixed faults by request number; nothing else happens then.
    """

    def __init__(
        self,
        seed: int = 0,
        faults: Iterable[Fault] | None = None,
        *,
        rate: float = 0.0,
        outages: int = 0,
        span: int = 200,
        only: Mapping[int, Fault] | None = None,
    ) -> None:
        self.seed = seed
        self._faults = tuple(FAULTS.values() if faults is None else faults)
        self._rate = rate
        self._only = only
        draw = random.Random(f"{seed}:outages")  # noqa: S311  # no secret
        self._outages = [
            (start, start + draw.randint(8, 40), draw.choice(self._faults))
            for start in (draw.randrange(span) for _ in range(outages))
        ]

    @classmethod
    def quiet(cls) -> Schedule:
        """Nothing goes wrong."""
        return cls(only={})

    def fault(self, index: int) -> Fault | None:
        """What request ``index`` meets."""
        if self._only is not None:
            return self._only.get(index)
        for start, end, fault in self._outages:
            if start <= index < end:
                return fault
        draw = random.Random(f"{self.seed}:{index}")  # noqa: S311  # no secret
        return draw.choice(self._faults) if self._faults and draw.random() < self._rate else None
