"""Time zones as a calendar carries them along (``VTIMEZONE``, RFC 5545, 3.6.5).

Clients know the zones of the IANA database by name, and take what stands in the file for all others; still a file must define each
zone it names. Changes of clocks are written as yearly rules. Lists of dates would say the same, but are not understood everywhere:
Radicale 3.9 keeps the first date of a list and then gives wrong free-busy times for the whole zone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Timezone, TimezoneDaylight, TimezoneStandard

__all__ = ["define", "definition"]

_YEARS = 6
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def define(calendar: Calendar, zone: ZoneInfo, year: int) -> None:
    """Put the definition of a zone into a calendar that lacks it.

    Args:
        calendar: The calendar.
        zone: The zone.
        year: The year from which on it is used.
    """
    if not any(str(known.get("TZID")) == zone.key for known in calendar.walk("VTIMEZONE")):
        calendar.subcomponents.insert(0, definition(zone.key, year))


def definition(name: str, year: int) -> Timezone:
    """The definition of a zone from a year on; of one without a yearly rule (Morocco, Gaza) for five years.

    Args:
        name: Its IANA name.
        year: The first year that it must be right in.
    """
    zone = ZoneInfo(name)
    told = Timezone()
    told.add("TZID", name)
    changes = _changes(zone, year - 1, year + _YEARS)
    by_rule = {at: rule for at, rule in ((at, _rule(zone, at)) for at in changes[:2]) if rule}
    if len(by_rule) == 2 and changes == _foretold(zone, by_rule, year - 1, year + _YEARS):
        for at, rule in by_rule.items():
            told.add_component(_observance(zone, at, rule))
    else:
        for at in [datetime(year - 1, 1, 1, tzinfo=UTC), *changes]:
            told.add_component(_observance(zone, at, ""))
    return told


def _observance(zone: ZoneInfo, at: datetime, rule: str) -> TimezoneStandard | TimezoneDaylight:
    """What the clocks show from an instant on."""
    before, after = (at - timedelta(seconds=1)).astimezone(zone), at.astimezone(zone)
    told = TimezoneDaylight() if after.dst() else TimezoneStandard()
    told.add("DTSTART", (at + (before.utcoffset() or timedelta())).replace(tzinfo=None))
    told.add("TZOFFSETFROM", before.utcoffset())
    told.add("TZOFFSETTO", after.utcoffset())
    told.add("TZNAME", after.tzname())
    if rule:
        month, nth, day = rule.split()
        told.add("RRULE", {"FREQ": "YEARLY", "BYMONTH": int(month), "BYDAY": f"{nth}{day}"})
    return told


@lru_cache(maxsize=64)
def _changes(zone: ZoneInfo, first: int, last: int) -> list[datetime]:
    """The instants at which the offset changes, from one year to the one before another."""
    found = []
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC)
    while at < end:
        following = at + timedelta(days=1)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            found.append(_between(zone, at, following))
        at = following
    return found


def _between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant of a change, to the minute."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(minutes=1):
        middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def _rule(zone: ZoneInfo, at: datetime) -> str:
    """The rule of a change, ``"10 -1 SU"``: month, which of its weekdays, weekday; by the clock before the change."""
    local = at + ((at - timedelta(seconds=1)).astimezone(zone).utcoffset() or timedelta())
    last = (local + timedelta(days=7)).month != local.month
    return f"{local.month} {-1 if last else (local.day - 1) // 7 + 1} {_DAYS[local.weekday()]}"


def _foretold(zone: ZoneInfo, rules: dict[datetime, str], first: int, last: int) -> list[datetime]:
    """The changes that the rules would make."""
    found = []
    for at, rule in rules.items():
        offset = (at - timedelta(seconds=1)).astimezone(zone).utcoffset() or timedelta()
        clock = at + offset
        for year in range(first, last):
            found.append(_day(rule, year).replace(hour=clock.hour, minute=clock.minute) - offset)
    return sorted(found)


def _day(rule: str, year: int) -> datetime:
    month, nth, day = rule.split()
    weekday = _DAYS.index(day)
    if int(nth) > 0:
        first = datetime(year, int(month), 1, tzinfo=UTC)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (int(nth) - 1))
    end = datetime(year + int(month) // 12, int(month) % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1)
    return end - timedelta(days=(end.weekday() - weekday) % 7)
