"""The occurrences of events: what a rule means on the calendar (RFC 5545, 3.8.5).

A rule is followed on the wall clock of the event's own zone, so that nine o'clock stays nine o'clock when the clocks change. Dates
left out are left out, dates of their own added, and an occurrence that was changed takes the place of the one it stands for.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from icalendar import Component

from .events import calendars_in, home_of, master, named, resources, shown_as, span
from .formats import UnreadableError
from .times import Moment, moment, placed

__all__ = ["Occurrence", "occurrences"]

_MOST: Final = 50_000
_OFTEN: Final = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE)
_PICKS: Final = re.compile(r"BY(MONTH|MONTHDAY|YEARDAY|WEEKNO|DAY|SETPOS)=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event as it takes place once.

    Attributes:
        uid: ``UID`` of the event.
        summary: What it is called.
        start: When it begins, UTC; for whole days midnight UTC of the first.
        end: When it ends, UTC.
        all_day: It takes whole days.
        series: It is one of several.
        show_as: ``FREE``, ``TENTATIVE``, ``BUSY``, ``OOF`` or ``WORKINGELSEWHERE``.
        status: ``CONFIRMED``, ``TENTATIVE``, ``CANCELLED`` or nothing.
    """

    uid: str
    summary: str
    start: datetime
    end: datetime
    all_day: bool
    series: bool
    show_as: str
    status: str


def occurrences(text: str | bytes, start: datetime, end: datetime, *, home: tzinfo = UTC) -> list[Occurrence]:
    """What takes place in a stretch of time, in the order in which it begins.

    Args:
        text: iCalendar.
        start: The first instant; what goes on then is in it.
        end: The instant after the last.
        home: The zone of times that name none.

    Raises:
        UnreadableError: It cannot be read, or its rule has no end that could be reached.
    """
    try:
        found = [
            one
            for calendar in calendars_in(text)
            for resource in resources(named(calendar, "VEVENT"))
            for one in _of(resource, end, home_of(calendar, home))
        ]
    except UnreadableError:
        raise
    except Exception as error:  # whatever hostile input does to the libraries, it stays a text that cannot be read
        raise UnreadableError(f"it makes no sense: {' '.join(str(error).split())[:150]}") from None
    inside = [one for one in found if one.start < end and (one.end > start or one.start == one.end >= start)]
    return sorted(inside, key=lambda one: (one.start, one.end, one.uid))


def _of(resource: Sequence[Component], end: datetime, home: tzinfo) -> Iterator[Occurrence]:
    event = master(resource)
    first, last = span(event)
    others = [other for other in resource if other is not event]
    if any(other["RECURRENCE-ID"].params.get("RANGE") for other in others):
        raise UnreadableError(
            "one of its occurrences changes all that follow (RANGE=THISANDFUTURE), which is not worked out here"
        )
    replaced = {moment(other["RECURRENCE-ID"], "RECURRENCE-ID").at(home) for other in others}
    series = "RRULE" in event or "RDATE" in event or "RECURRENCE-ID" in event
    left_out = {one.at(home) for one, _ in _dates(event, "EXDATE", first)} | replaced
    begins: dict[datetime, tuple[Moment, Moment | None]] = {}
    for one in _by_rule(event, first, end, home):
        begins.setdefault(one.at(home), (one, None))
    for one, until in _dates(event, "RDATE", first):
        begins[one.at(home)] = (one, until)
    for at, (one, until) in begins.items():
        if at not in left_out:
            yield _one(event, one, until or _until(one, first, last, home), series, home)
    for other in others:
        begin, until = span(other)
        yield _one(other, begin, until, True, home)


def _one(event: Component, begin: Moment, until: Moment, series: bool, home: tzinfo) -> Occurrence:
    return Occurrence(
        uid=str(event.get("UID", "")),
        summary=str(event.get("SUMMARY", "")),
        start=begin.at(home),
        end=until.at(home),
        all_day=begin.all_day,
        series=series,
        show_as=shown_as(event),
        status=str(event.get("STATUS", "")).upper(),
    )


def _until(one: Moment, first: Moment, last: Moment, home: tzinfo) -> Moment:
    """The end of an occurrence: as long after its beginning as the first one's; whole days on the calendar, times on the clock."""
    if first.all_day:
        return Moment(one.wall + (last.wall - first.wall))
    length = last.at(home) - first.at(home)
    return Moment(one.at(home) + length)


def _by_rule(event: Component, first: Moment, end: datetime, home: tzinfo) -> Iterator[Moment]:
    """When the rule has it begin, up to an instant; without a rule once."""
    yield first
    rule = event.get("RRULE")
    if rule is None:
        return
    if isinstance(rule, list):
        raise UnreadableError("it has several RRULEs, which RFC 5545 leaves without a meaning")
    text = rule.to_ical().decode("utf-8")
    if _OFTEN.search(text) and _PICKS.search(text):
        raise UnreadableError(f"its rule would have to be tried second by second: {text[:80]!r}")
    if _never(text):
        raise UnreadableError(f"its rule names a day that never comes: {text[:80]!r}")
    wall = first.wall if isinstance(first.wall, datetime) else datetime.combine(first.wall, time())
    frame = wall.tzinfo or home
    try:
        stops = rrulestr(_on_the_wall(text, frame, first.all_day), dtstart=wall.replace(tzinfo=None))
        for count, at in enumerate(stops):
            if count >= _MOST:
                raise UnreadableError(f"its rule has more than {_MOST} occurrences before then: {text[:80]!r}")
            one = Moment(at.date()) if first.all_day else Moment(at.replace(tzinfo=wall.tzinfo), first.zone)
            if one.at(home) >= end:
                return
            yield one
    except UnreadableError:
        raise
    except Exception as error:  # see occurrences
        raise UnreadableError(f"its rule makes no sense: {text[:80]!r}, {error}") from None


def _never(rule: str) -> bool:
    """No day fits the rule. Trying out all days until the year 9999 would show it too, some ten seconds later."""
    parts = {name.upper(): value for name, _, value in (part.partition("=") for part in rule.split(";"))}

    def numbers(name: str) -> list[int]:
        return [int(one) for one in parts.get(name, "").split(",") if one.lstrip("+-").isdecimal()]

    lengths = [monthrange(2024, month)[1] for month in numbers("BYMONTH") or range(1, 13) if 1 <= month <= 12]
    days = [abs(day) for day in numbers("BYMONTHDAY")] or [1]
    places = [abs(place) for place in numbers("BYSETPOS")] or [1]
    return not lengths or min(days) > max(lengths) or (parts.get("FREQ", "").upper() == "DAILY" and min(places) > 1)


def _on_the_wall(rule: str, frame: tzinfo, all_day: bool) -> str:
    """The rule with its UNTIL on the wall clock: there it stands in UTC, as an instant, or as a day that counts to its end."""

    def local(found: re.Match[str]) -> str:
        digits, utc = found[1], found[2]
        if len(digits) == 8:
            return f"UNTIL={digits}T235959"
        if not utc or all_day:
            return f"UNTIL={digits}"
        at = datetime.strptime(digits, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return f"UNTIL={at.astimezone(frame):%Y%m%dT%H%M%S}"

    return re.sub(r"UNTIL=(\d{8}(?:T\d{6})?)(Z?)", local, rule, flags=re.IGNORECASE)


def _dates(event: Component, name: str, first: Moment) -> Iterator[tuple[Moment, Moment | None]]:
    """The dates of a list, with their ends where they are periods."""
    several: Any = event.get(name)
    for part in several if isinstance(several, list) else [] if several is None else [several]:
        for one in getattr(part, "dts", []):
            value = one.dt
            if isinstance(value, tuple):
                begin, until = placed(value[0], part, name), value[1]
                yield begin, begin.plus(until) if isinstance(until, timedelta) else placed(until, part, name)
            elif isinstance(value, datetime) and first.all_day:
                yield Moment(value.date()), None
            elif isinstance(value, date):
                yield placed(value, part, name), None
            else:
                raise UnreadableError(f"{name} makes no sense: {value!r}")
