"""A fake vendor: routes to its methods, a log of what was asked, and a schedule of what goes wrong."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from .clock import SimClock
from .faults import Answer, Call, Fault, NoAnswerError, Schedule

__all__ = ["Entry", "RefusedError", "Vendor", "route"]


class RefusedError(Exception):
    """Raised inside a route to answer with an error.

    Args:
        status: HTTP status.
        body: JSON of the answer.
    """

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.answer = Answer.json(body, status)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a vendor's request log.

    Attributes:
        call: The request.
        at: When it came.
        fault: Name of what it met, or an empty string.
        status: What was answered; 0 if nothing was.
        processed: The vendor saw it, whatever the client did.
    """

    call: Call
    at: datetime
    fault: str
    status: int
    processed: bool


_Route = Callable[..., Any]


def route(method: str, path: str) -> Callable[[_Route], _Route]:
    """Mark a method of a :class:`Vendor` as the one that answers, ``@route("GET", "/people/{id}")``.

    It is called with the :class:`Call` and the named parts of the path, and returns an :class:`Answer` or the JSON of one.
    """

    def mark(function: _Route) -> _Route:
        function.__dict__["route"] = (method, path)
        return function

    return mark


class Vendor:
    """A fake provider. Subclass it, keep state in :class:`~aios_connect.sandbox.Shelf` s, mark methods with :func:`route`.

    Args:
        clock: Its time; one of its own if not given.
        schedule: What goes wrong; nothing if not given. May be replaced at any time.

    Attributes:
        log: Every request, in order.
        before: Called before a request is looked at.
        after: Called after it was processed and before anything is answered.
        patient: A request of no form that a route expects is answered with 400; else the route's error is raised, to be found.
    """

    _routes: ClassVar[tuple[tuple[str, re.Pattern[str], str], ...]] = ()

    def __init__(self, clock: SimClock | None = None, schedule: Schedule | None = None) -> None:
        self.clock = clock or SimClock()
        self.schedule = schedule or Schedule.quiet()
        self.log: list[Entry] = []
        self.before: Callable[[Call], None] = lambda call: None
        self.after: Callable[[Call], None] = lambda call: None
        self.patient = False
        self._lock = threading.RLock()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        found = []
        for name in dir(cls):
            marked = getattr(getattr(cls, name), "__dict__", {}).get("route")
            if marked:
                pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", marked[1])
                found.append((marked[0], re.compile(pattern), name))
        # Fixed words before parts that match anything.
        cls._routes = tuple(sorted(found, key=lambda item: (item[1].pattern.count("(?P"), item[1].pattern)))

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take one request, with whatever the schedule has for it.

        Args:
            method: HTTP method.
            url: Path and query; scheme and host, if there, are not looked at.
            headers: Of the request.
            body: Of the request.

        Raises:
            NoAnswerError: The client gets no answer.
        """
        with self._lock:
            parts = urlsplit(url)
            named = {name.lower(): value for name, value in headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            call = Call(len(self.log), method.upper(), unquote(parts.path), query, named, body)
            fault = self.schedule.fault(call.index)
            self.before(call)
            try:
                answer = self._play(call, fault)
            except NoAnswerError:
                self._note(call, fault, 0)
                raise
            self._note(call, fault, answer.status)
            return answer

    def _play(self, call: Call, fault: Fault | None) -> Answer:
        now = self.clock.now()
        if fault is not None and fault.stage == "instead":
            return fault.play(Answer(), now)
        answer = self._answer(call if fault is None or fault.stage == "after" else replace(call, fault=fault.name))
        self.after(call)
        return answer if fault is None or fault.stage == "inside" else fault.play(answer, now)

    def _answer(self, call: Call) -> Answer:
        for method, pattern, name in self._routes:
            match = pattern.fullmatch(call.path)
            if match and method == call.method:
                try:
                    answer = getattr(self, name)(call, **match.groupdict())
                except RefusedError as refused:
                    return refused.answer
                except json.JSONDecodeError as error:
                    return Answer.json({"status": "error", "message": f"not JSON: {error}"}, 400)
                except (AttributeError, LookupError, TypeError, ValueError) as error:
                    if not self.patient:
                        raise
                    return Answer.json({"status": "error", "message": f"a request of no known form: {error!r}"}, 400)
                return answer if isinstance(answer, Answer) else Answer.json(answer)
        return Answer.json({"status": "error", "message": f"no such address: {call.method} {call.path}"}, 404)

    def _note(self, call: Call, fault: Fault | None, status: int) -> None:
        processed = fault is None or fault.stage != "instead"
        self.log.append(Entry(call, self.clock.now(), fault.name if fault else "", status, processed))
