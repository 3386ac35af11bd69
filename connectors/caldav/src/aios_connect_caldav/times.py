"""Instants, days and zones, between iCalendar and plain JSON.

An instant is UTC text. A day stands as its midnight in UTC, and ``all_day`` says that it is one. A time without a zone ("floating",
RFC 5545, 3.3.5) is taken in the zone that the connection names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar.timezone import tzid_from_dt
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from .formats import UnreadableError

__all__ = ["Moment", "instant", "moment", "parsed", "placed", "zone"]

_DISPLAYED: Final = re.compile(r"\((?:UTC|GMT)(?P<hours>[+-]\d\d):(?P<minutes>\d\d)\) (?P<area>[\w .]+) Time(?: \([^)]*\))?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a calendar says it.

    Attributes:
        wall: The day, or the time on the wall; aware unless it floats.
        zone: IANA name of its zone, if it has one.
    """

    wall: date
    zone: str | None = None

    @property
    def all_day(self) -> bool:
        """It is a day."""
        return not isinstance(self.wall, datetime)

    @property
    def floating(self) -> bool:
        """It is a time in no zone."""
        return isinstance(self.wall, datetime) and self.wall.tzinfo is None

    def at(self, home: tzinfo) -> datetime:
        """As an instant. A time that a change of clocks leaves out is taken with the offset before it (RFC 5545, 3.3.5)."""
        if not isinstance(self.wall, datetime):
            return datetime.combine(self.wall, time(), UTC)
        try:
            return (self.wall if self.wall.tzinfo else self.wall.replace(tzinfo=home)).astimezone(UTC)
        except (OverflowError, ValueError) as error:
            raise UnreadableError(f"{self.wall.isoformat()} is out of all time: {error}") from None

    def plus(self, length: timedelta) -> Moment:
        """Later by so much: days on the calendar, the rest on the clock (RFC 5545, 3.3.6)."""
        try:
            if not isinstance(self.wall, datetime) or self.wall.tzinfo is None:
                return Moment(self.wall + length, self.zone)
            days, rest = timedelta(length.days), timedelta(seconds=length.seconds)
            on = (self.wall + days).astimezone(UTC) + rest
            return Moment(on.astimezone(self.wall.tzinfo), self.zone)
        except (OverflowError, ValueError) as error:
            raise UnreadableError(f"{self.wall.isoformat()} and {length} are out of all time: {error}") from None


def moment(property: Any, name: str) -> Moment:
    """The time in an iCalendar property.

    Raises:
        UnreadableError: It is none, or its zone is not known.
    """
    value = getattr(property, "dt", None)
    if not isinstance(value, date):
        raise UnreadableError(f"{name} is no time: {str(property)[:60]!r}")
    return placed(value, property, name)


def placed(value: date, property: Any, name: str) -> Moment:
    """A time that stands in a property, perhaps among others, in the zone that the property names.

    Raises:
        UnreadableError: Nobody knows the zone.
    """
    if not isinstance(value, datetime):
        return Moment(value)
    named = str(property.params.get("TZID", "")).strip('"')
    if value.tzinfo is None:
        if found := _displayed(named):
            return Moment(value.replace(tzinfo=found), found.key)
        if named:
            raise UnreadableError(f"{name} is in the time zone {named[:60]!r}, which nobody knows")
        return Moment(value)
    known = tzid_from_dt(value) or named
    known = known if zone(known) else WINDOWS_TO_OLSON.get(known, "")
    return Moment(value, known if zone(known) else None)


def _displayed(name: str) -> ZoneInfo | None:
    """The zone of a name as Windows displays it, ``(UTC-05:00) Eastern Time (US & Canada)``, if it and the offset agree."""
    found = _DISPLAYED.fullmatch(name)
    known = zone(WINDOWS_TO_OLSON.get(f"{found['area']} Standard Time")) if found else None
    if not found or known is None:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(f"{found['hours'][0]}{found['minutes']}"))
    return known if datetime(2026, 1, 1, tzinfo=known).utcoffset() == offset else None


@lru_cache(maxsize=256)
def zone(name: str | None) -> ZoneInfo | None:
    """The time zone of an IANA name, or ``None`` if there is no such name."""
    if not name or name.startswith(("/", ".")):
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None


def instant(at: datetime) -> str:
    """An instant as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parsed(value: Any, name: str) -> datetime:
    """The instant in a patch, to the second: iCalendar knows no fractions.

    Raises:
        ValueError: It is none.
    """
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is no instant") from None
    if at.tzinfo is None:
        raise ValueError(f"{name}: {value!r} does not say in which time zone")
    return at.astimezone(UTC).replace(microsecond=0)
