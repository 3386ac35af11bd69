"""Webhooks of a fake vendor on their way: late, some of them twice, in any order, several in one request; tried again when refused."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from aios_connect.connectors.webhooks import Request

from .clock import SimClock

__all__ = ["Delivery", "Outbox", "Target", "at_url"]

Target: TypeAlias = Callable[[Request], int]
"""Who takes a webhook, and answers it with an HTTP status; 0 is no answer."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """How webhooks travel.

    Attributes:
        late: Mean seconds, exponential, until one is sent.
        twice: Share of them that is sent a second time, later.
        shuffled: Those that are due together go out in another order than they happened.
        batch: Most events in one request.
        attempts: How often one is sent again after an answer that is none, or no good.
        again: Mean seconds between two attempts.
    """

    late: float = 2.0
    twice: float = 0.05
    shuffled: bool = True
    batch: int = 100
    attempts: int = 10
    again: float = 600.0

    @classmethod
    def prompt(cls) -> Delivery:
        """At once, in order, each once."""
        return cls(late=0.0, twice=0.0, shuffled=False, again=0.0)


@dataclass(frozen=True, slots=True)
class _Letter:
    due: datetime
    number: int
    event: Mapping[str, Any]
    attempt: int = 0


class Outbox:
    """What is to be sent to one address. The same seed and clock give the same requests. Safe to use from several threads.

    Args:
        clock: The vendor's time.
        target: Who takes them.
        pack: Makes the signed request that carries some events; the second argument is how often each was tried before.
        delivery: How they travel.
        seed: Decides what is late, twice, and in which order.

    Attributes:
        sent: Every request, with what was answered.
        lost: Events that were given up.
    """

    def __init__(
        self,
        clock: SimClock,
        target: Target,
        pack: Callable[[Sequence[Mapping[str, Any]], int], Request],
        *,
        delivery: Delivery = Delivery(),
        seed: int = 0,
    ) -> None:
        self.sent: list[tuple[Request, int]] = []
        self.lost: list[Mapping[str, Any]] = []
        self._clock = clock
        self._target = target
        self._pack = pack
        self._delivery = delivery
        self._random = random.Random(f"{seed}:outbox")  # noqa: S311  # no secret
        self._letters: list[_Letter] = []
        self._lock = threading.Lock()
        self._count = 0

    def __len__(self) -> int:
        """How many are still to be sent."""
        return len(self._letters)

    def post(self, event: Mapping[str, Any]) -> None:
        """Something happened."""
        self._put(event, self._delivery.late)
        if self._random.random() < self._delivery.twice:
            self._put(event, self._delivery.late * 10)

    def deliver(self) -> int:
        """Send what is due now; how many requests that took."""
        now, count = self._clock.now(), len(self.sent)
        with self._lock:  # not while sending: who takes a webhook may ask the vendor something
            due = [letter for letter in self._letters if letter.due <= now]
            self._letters = [letter for letter in self._letters if letter.due > now]
        due.sort(key=lambda letter: (letter.attempt, letter.due, letter.number))
        if self._delivery.shuffled:
            self._random.shuffle(due)
            due.sort(key=lambda letter: letter.attempt)  # one request is one attempt
        while due:
            attempt = due[0].attempt
            part = [letter for letter in due[: self._delivery.batch] if letter.attempt == attempt]
            due = due[len(part) :]
            request = self._pack([letter.event for letter in part], attempt)
            status = self._target(request)
            self.sent.append((request, status))
            if not 200 <= status < 300:
                self._try_again(part)
        return len(self.sent) - count

    def _put(self, event: Mapping[str, Any], mean: float) -> None:
        with self._lock:
            self._count += 1
            self._letters.append(_Letter(self._clock.now() + self._wait(mean), self._count, event))

    def _try_again(self, letters: Sequence[_Letter]) -> None:
        with self._lock:
            for letter in letters:
                if letter.attempt + 1 < self._delivery.attempts:
                    due = self._clock.now() + self._wait(self._delivery.again)
                    self._letters.append(replace(letter, due=due, attempt=letter.attempt + 1))
                else:
                    self.lost.append(letter.event)

    def _wait(self, mean: float) -> timedelta:
        return timedelta(seconds=self._random.expovariate(1 / mean) if mean else 0.0)


def at_url(url: str, *, timeout: float = 5.0) -> Target:
    """Send requests to a server on this machine.

    Args:
        url: Where it listens; another machine is refused, as a fake has no business there.
        timeout: Seconds until no answer is taken for none.

    Raises:
        ValueError: It is not on this machine.
    """
    place = urlsplit(url)
    if place.scheme != "http" or place.hostname not in _LOOPBACK:
        raise ValueError(f"webhooks of a sandbox go to this machine only (http://127.0.0.1:PORT/...), not to {url}")

    def send(request: Request) -> int:
        connection = http.client.HTTPConnection(str(place.hostname), place.port or 80, timeout=timeout)
        path = f"{place.path or '/'}{'?' + place.query if place.query else ''}"
        try:
            connection.request(request.method, path, request.body, dict(request.headers))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    return send
