"""Events: iCalendar (RFC 5545) to records and back.

A resource holds one event, which may be a series with occurrences of its own (RFC 4791, 4.1). The record is the event itself, its
rule under ``recurrence``, occurrences that differ under ``overrides``. A change touches the properties it is about; all others, alarms,
attendees and foreign extensions among them, are written back as they were.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Event, vCategory, vText, vUid, vUri
from icalendar.prop.broken import vBroken

from .formats import NotOursError, Unreadable, UnreadableError, plain
from .lines import escaped
from .times import Moment, instant, moment, parsed, placed, zone
from .zones import define

__all__ = ["Events", "calendars_in", "home_of", "master", "named", "resources", "shown_as", "span"]

_TEXTS: Final = {"summary": "SUMMARY", "description": "DESCRIPTION", "location": "LOCATION", "status": "STATUS", "class": "CLASS"}
_SHOWN: Final = {"FREE": "TRANSPARENT", "TENTATIVE": "OPAQUE", "BUSY": "OPAQUE", "OOF": "OPAQUE", "WORKINGELSEWHERE": "OPAQUE"}
"""Outlook's word for how an event blocks time -> iCalendar's."""
_OUTLOOK: Final = "X-MICROSOFT-CDO-BUSYSTATUS"
_DAY: Final = timedelta(days=1)
_OF_TIMES: Final = {"BYHOUR", "BYMINUTE", "BYSECOND"}
_OF_DAYS: Final = {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS"}
_PRODUCT: Final = "-//aios-connect//calendar//EN"


class Events:
    """The format of events.

    Args:
        home: The zone of times that name none.
    """

    type: Final = "text/calendar; charset=utf-8"
    suffix: Final = ".ics"
    writable: Final = frozenset({*_TEXTS, "url", "categories", "show_as", "start", "end", "timezone", "all_day"})

    def __init__(self, home: tzinfo = UTC) -> None:
        self.home = home

    def read(self, text: str) -> dict[str, Any]:
        """See :class:`~.formats.Format`."""
        records, aside = self.read_all(text)
        if aside:
            raise UnreadableError(aside[0].reason)
        if not records:
            raise NotOursError("it holds no event")
        if len(records) > 1:
            raise UnreadableError(f"it holds {len(records)} events, and a resource holds one")
        return records[0]

    def read_all(self, text: str | bytes) -> tuple[list[dict[str, Any]], list[Unreadable]]:
        """Every event of a file, and what in it could not be read.

        Raises:
            UnreadableError: The file is no iCalendar.
            NotOursError: It is one without an event.
        """
        calendars = calendars_in(text)
        if not any(named(calendar, "VEVENT") for calendar in calendars):
            kinds = sorted({str(part.name) for calendar in calendars for part in calendar.walk()} - {"VCALENDAR"})
            raise NotOursError(f"it holds no event, only {', '.join(kinds) or 'nothing'}")
        records: list[dict[str, Any]] = []
        aside: list[Unreadable] = []
        together = [
            (events, home_of(calendar, self.home)) for calendar in calendars for events in resources(named(calendar, "VEVENT"))
        ]
        for number, (events, home) in enumerate(together, start=1):
            try:
                records.append(_record(events, home))
            except Exception as error:  # see calendars_in
                reason = str(error) if isinstance(error, UnreadableError) else f"it makes no sense: {error!r}"[:200]
                aside.append(Unreadable(f"event {number}", reason, _text(events[0], "UID")))
        return records, aside

    def made(self, uid: str, patch: Mapping[str, Any], now: datetime) -> str:
        """See :class:`~.formats.Format`."""
        if patch.get("start") is None:
            raise ValueError("start: an event begins at some time")
        calendar = Calendar()
        calendar.add("PRODID", _PRODUCT)
        calendar.add("VERSION", "2.0")
        event = Event()
        event.add("UID", uid)
        event.add("DTSTAMP", now)
        event.add("DTSTART", parsed(patch["start"], "start"))
        calendar.add_component(event)
        return self._written(calendar, event, patch, now, new=True)

    def changed(self, text: str, patch: Mapping[str, Any], now: datetime) -> str:
        """See :class:`~.formats.Format`."""
        (calendar, *_) = calendars_in(text)
        event = master(named(calendar, "VEVENT"))
        if _text(event, "RECURRENCE-ID"):
            raise ValueError("it holds only single occurrences of a series that is somewhere else")
        return self._written(calendar, event, patch, now, new=False)

    def _written(self, calendar: Component, event: Component, patch: Mapping[str, Any], now: datetime, *, new: bool) -> str:
        if unknown := sorted(patch.keys() - self.writable):
            raise ValueError(f"{unknown[0]} cannot be written")
        for name, value in patch.items():
            if name in _TEXTS:
                _put(event, _TEXTS[name], None if value is None else vText(plain(value, name)))
            elif name == "url":
                _put(event, "URL", None if value is None else vUri(plain(value, name).replace("\n", "")))
            elif name == "categories":
                _put(event, "CATEGORIES", None)
                if value:
                    event.add("CATEGORIES", [plain(one, name) for one in value])
            elif name == "show_as":
                _put_show_as(event, value)
        if not patch.keys().isdisjoint({"start", "end", "timezone", "all_day"}):
            _put_times(calendar, event, patch, new, home_of(calendar, self.home))
        if not new:
            for name in ("DTSTAMP", "LAST-MODIFIED"):
                _put(event, name, None)
                event.add(name, now)
            sequence = event.pop("SEQUENCE", 0)
            event.add("SEQUENCE", sequence + 1 if isinstance(sequence, int) else 1)
        _escape_rightly(calendar)
        return str(calendar.to_ical(sorted=False), "utf-8")


class _Text(vText):
    """A text that is read back as it was written; icalendar 7 writes the ``\\N`` of ``C:\\New`` as the end of a line."""

    def to_ical(self) -> bytes:
        return escaped(self.replace("\r\n", "\n").replace("\r", "\n")).encode()


def _escape_rightly(calendar: Component) -> None:
    """See :class:`_Text`: all texts, also those nobody changes and those in alarms and in what is not an event."""
    for part in calendar.walk():
        for name, value in part.items():
            part[name] = [_escaping(one) for one in value] if isinstance(value, list) else _escaping(value)


def _escaping(value: Any) -> Any:
    if isinstance(value, vCategory):
        value.cats = [_Text(one) for one in value.cats]
    return _Text(value, params=value.params) if type(value) in (vText, vUid) else value


def _put_times(calendar: Component, event: Component, patch: Mapping[str, Any], new: bool, home: tzinfo) -> None:
    start, end = span(event)
    implied = "DTEND" not in event and "DURATION" not in event
    all_day = start.all_day if patch.get("all_day") is None else bool(patch["all_day"])
    begins = start.at(home) if patch.get("start") is None else parsed(patch["start"], "start")
    ends = end.at(home) if patch.get("end") is None else parsed(patch["end"], "end")
    frame = _frame(start, patch, all_day, new)
    first = _wall(begins, all_day, frame, home)
    if first != start.wall or all_day != start.all_day or "timezone" in patch:
        if "RDATE" in event or "EXDATE" in event or len(named(calendar, "VEVENT")) > 1:
            raise ValueError("start: a series with occurrences of their own cannot be moved here without losing track of them")
        if _bound(_rule(event) or "", start, first, moved=begins != start.at(home)):
            raise ValueError(
                "start: the rule of the series names its days, its times or its end, which cannot be moved here with it"
            )
        _put(event, "DTSTART", None)
        event.add("DTSTART", first)
    if isinstance(frame, ZoneInfo) and frame.key != "UTC" and not all_day and isinstance(calendar, Calendar):
        define(calendar, frame, first.year)
    if implied and patch.get("end") is None:
        return
    last = _wall(ends, all_day, frame, home)
    if last < first or (all_day and last == first):
        raise ValueError("end: it would end before it begins")
    _put(event, "DURATION", None)
    _put(event, "DTEND", None)
    event.add("DTEND", last)


def _bound(rule: str, start: Moment, first: Any, *, moved: bool) -> bool:
    """A rule would mean something else, or nothing, from another start on (RFC 5545, 3.3.10 and 3.8.5.3)."""
    names = {part.partition("=")[0].upper() for part in rule.split(";")}
    day = start.wall.date() if isinstance(start.wall, datetime) else start.wall
    first_day = first.date() if isinstance(first, datetime) else first
    return bool(rule) and (
        isinstance(first, datetime) == start.all_day
        or (moved and "UNTIL" in names)
        or bool(names & _OF_TIMES)
        or (day != first_day and bool(names & _OF_DAYS))
    )


def _frame(start: Moment, patch: Mapping[str, Any], all_day: bool, new: bool) -> tzinfo | None:
    """The zone to write times in: the one asked for, else the one they are in; ``None`` for times that float."""
    if (name := patch.get("timezone")) is not None:
        found = zone(name)
        if found is None:
            raise ValueError(f"timezone: {name!r} is no time zone of the IANA database")
        return found
    if not isinstance(start.wall, datetime):
        return UTC
    if "timezone" in patch and start.zone and not (new or all_day):
        raise ValueError("timezone: a time that is in some zone cannot be in none; UTC is one")
    return start.wall.tzinfo


def _wall(at: datetime, all_day: bool, frame: tzinfo | None, home: tzinfo) -> Any:
    """What stands in the calendar for an instant."""
    if all_day:
        return at.date()
    return at.astimezone(home).replace(tzinfo=None) if frame is None else at.astimezone(frame)


def _record(events: Sequence[Component], home: tzinfo) -> dict[str, Any]:
    event = master(events)
    record = _told(event, home)
    others = [other for other in events if other is not event]
    rule = _rule(event)
    dates, left_out = (
        [instant(at) for at in sorted(one.at(home) for one in _moments(event, name))] for name in ("RDATE", "EXDATE")
    )
    record["uid"] = _text(event, "UID")
    record["recurrence"] = {"rule": rule, "dates": dates, "except": left_out} if rule or dates else None
    record["overrides"] = [
        {"recurrence_id": instant(moment(_one(other, "RECURRENCE-ID"), "RECURRENCE-ID").at(home)), **_told(other, home)}
        for other in others
        if "RECURRENCE-ID" in other
    ]
    record["series"] = record["uid"] if record["recurrence"] or "RECURRENCE-ID" in event else None
    if "RECURRENCE-ID" in event:
        record["recurrence_id"] = instant(moment(_one(event, "RECURRENCE-ID"), "RECURRENCE-ID").at(home))
    return record


def _told(event: Component, home: tzinfo) -> dict[str, Any]:
    start, end = span(event)
    told: dict[str, Any] = {name: _text(event, property) for name, property in _TEXTS.items()}
    told["status"] = (told["status"] or "").upper() or None
    told["url"] = _text(event, "URL")
    told["categories"] = _categories(event)
    told["show_as"] = shown_as(event)
    told["start"], told["end"] = instant(start.at(home)), instant(end.at(home))
    told["timezone"] = start.zone
    told["all_day"] = start.all_day
    told["organizer"] = _address(event.get("ORGANIZER"))
    told["attendees"] = [who for one in _listed(event.get("ATTENDEE")) if (who := _address(one))]
    told["attachments"] = [name for one in _listed(event.get("ATTACH")) if (name := _attachment(one))]
    return told


def span(event: Component) -> tuple[Moment, Moment]:
    """When an event begins and ends (RFC 5545, 3.6.1): an end that is not said is the start, or the end of its day.

    Raises:
        UnreadableError: A time is missing or makes no sense.
    """
    if "DTSTART" not in event:
        raise UnreadableError("it has no DTSTART")
    start = moment(_one(event, "DTSTART"), "DTSTART")
    if "DTEND" in event:
        end = moment(_one(event, "DTEND"), "DTEND")
        if end.all_day != start.all_day:
            raise UnreadableError("it begins on a day and ends at a time, or the other way round")
    elif "DURATION" in event:
        length = getattr(_one(event, "DURATION"), "dt", None)
        if not isinstance(length, timedelta):
            raise UnreadableError(f"DURATION is no length of time: {str(event['DURATION'])[:60]!r}")
        end = start.plus(length)
    else:
        end = start.plus(_DAY) if start.all_day else start
    if end.at(UTC) < start.at(UTC):
        raise UnreadableError("it ends before it begins")
    return start, end


def calendars_in(text: str | bytes) -> list[Calendar]:
    """The calendars in a text.

    Raises:
        UnreadableError: It is no iCalendar.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says when it guesses a zone from a long name; it guesses well
        try:
            calendars = Calendar.from_ical(text, multiple=True)
        except Exception as error:  # whatever hostile input does to a parser, it stays a text that cannot be read
            raise UnreadableError(f"it is no iCalendar: {' '.join(str(error).split())[:150]}") from None
    found = [calendar for calendar in calendars if isinstance(calendar, Component)]
    if not found:
        raise UnreadableError("it is no iCalendar: it has no BEGIN:VCALENDAR")
    return found


def named(calendar: Component, name: str) -> list[Component]:
    """All parts of a calendar with this name."""
    return [part for part in calendar.walk() if part.name == name]


def home_of(calendar: Component, otherwise: tzinfo) -> tzinfo:
    """The zone of times that name none: that of the calendar, where it says one (``X-WR-TIMEZONE``, Apple's and everybody's)."""
    return zone(_text(calendar, "X-WR-TIMEZONE")) or otherwise


def resources(found: Sequence[Component]) -> list[list[Component]]:
    """Events with their overrides: what would be a resource each. Of several revisions of one the last counts (RFC 5546, 2.1.5)."""
    together: dict[str, list[Component]] = {}
    for number, event in enumerate(found):
        uid = _text(event, "UID") or f"\0{number}"
        told = together.setdefault(uid, [])
        same = next((other for other in told if _text(other, "RECURRENCE-ID") == _text(event, "RECURRENCE-ID")), None)
        if same is None:
            told.append(event)
        elif _revision(event) > _revision(same):
            told[told.index(same)] = event
        elif _revision(event) == _revision(same):  # two that claim to be the same, and neither is older
            together[f"\0{number}"] = [event]
    return list(together.values())


def _revision(event: Component) -> int:
    sequence = event.get("SEQUENCE")
    return int(sequence) if isinstance(sequence, int) else 0


def master(events: Sequence[Component]) -> Component:
    """The event that is not one occurrence of itself."""
    return next((event for event in events if "RECURRENCE-ID" not in event), events[0])


def _one(event: Component, name: str) -> Any:
    """A property that should be there once; of several the first counts."""
    found = _listed(event[name])[0]
    if isinstance(found, vBroken):
        raise UnreadableError(f"{name} makes no sense: {str(found)[:60]!r}")
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(event: Component, name: str) -> str | None:
    found = _listed(event.get(name))
    return str(found[0]).strip() or None if found else None


def _rule(event: Component) -> str | None:
    rules = [rule for rule in _listed(event.get("RRULE"))]
    if any(name == "RRULE" for name, _ in event.errors):
        raise UnreadableError(f"RRULE makes no sense: {str(event.get('RRULE'))[:80]!r}")
    if len(rules) > 1:
        raise UnreadableError("it has several RRULEs, which RFC 5545 leaves without a meaning")
    try:
        return rules[0].to_ical().decode("utf-8") if rules else None
    except Exception as error:  # see calendars_in
        raise UnreadableError(f"RRULE makes no sense: {error}") from None


def _moments(event: Component, name: str) -> Iterable[Moment]:
    """The dates of an RDATE or EXDATE; of a period its beginning."""
    if any(name == wrong for wrong, _ in event.errors):
        raise UnreadableError(f"{name} makes no sense: {str(event.get(name))[:80]!r}")
    for several in _listed(event.get(name)):
        for one in getattr(several, "dts", []):
            value = one.dt
            if isinstance(value, tuple):
                value = value[0]
            if not isinstance(value, date):
                raise UnreadableError(f"{name} makes no sense: {value!r}")
            yield placed(value, several, name)


def _categories(event: Component) -> list[str]:
    return [
        str(name).strip()
        for several in _listed(event.get("CATEGORIES"))
        for name in getattr(several, "cats", [])
        if str(name).strip()
    ]


def shown_as(event: Component) -> str:
    """How it blocks time, in Outlook's words, which are finer than iCalendar's."""
    outlook = (_text(event, _OUTLOOK) or "").upper()
    if outlook in _SHOWN:
        return outlook
    return "FREE" if (_text(event, "TRANSP") or "").upper() == "TRANSPARENT" else "BUSY"


def _put_show_as(event: Component, value: Any) -> None:
    if value is not None and value not in _SHOWN:
        raise ValueError(f"show_as: {value!r} is none of {', '.join(_SHOWN)}")
    _put(event, "TRANSP", vText(_SHOWN[value]) if value else None)
    plain = value in ("FREE", "BUSY", None)
    _put(event, _OUTLOOK, vText(value) if value and (not plain or _OUTLOOK in event) else None)


def _address(value: Any) -> dict[str, Any] | None:
    """An organizer or attendee."""
    if value is None:
        return None
    address, told = str(value).strip(), getattr(value, "params", {})
    scheme, _, rest = address.partition(":")
    return {
        "email": rest or None if scheme.lower() == "mailto" else address if "@" in address else None,
        "name": str(told["CN"]).strip() or None if "CN" in told else None,
        "status": str(told["PARTSTAT"]).upper() if "PARTSTAT" in told else None,
    }


def _attachment(value: Any) -> str | None:
    """The name of an attachment, or its address; what is inside stays where it is."""
    told = getattr(value, "params", {})
    named = str(told.get("FILENAME") or told.get("X-FILENAME") or told.get("X-APPLE-FILENAME") or "")
    return named or (None if told.get("VALUE") == "BINARY" else str(value)[:500] or None)


def _put(event: Component, name: str, value: Any) -> None:
    event.pop(name, None)
    if value is not None:
        event.add(name, value)
