"""The times of events as Calendar checks and shows them, and the instances of a series."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from ._errors import invalid, refusal

__all__ = ["Span", "checked", "instance_id", "instances", "shown", "span", "stamp"]

_STEPS: Final = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
_MOST: Final = 730
"""Instances of a series without an end that are worked out; Calendar's own number is not documented."""

Span = tuple[datetime, datetime]
"""From the first instant to the one after the last."""


def stamp(instant: datetime) -> str:
    """An instant as ``created`` and ``updated`` show it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def checked(values: Mapping[str, Any]) -> None:
    """Refuse an event whose times make no sense.

    Evidence: ``EventDateTime`` in the discovery document; https://developers.google.com/workspace/calendar/api/guides/errors for
    ``timeRangeEmpty``. The words of the other messages are assumed.
    """
    for name in ("start", "end"):
        value = values.get(name)
        if not isinstance(value, dict) or not (value.get("date") or value.get("dateTime")):
            raise refusal(400, "required", f"Missing {name} time.")
        if value.get("date") and value.get("dateTime"):
            raise invalid(f"Invalid {name} time.")
        zone = value.get("timeZone")
        if zone:
            _zone(zone, name)
        if value.get("dateTime") and not zone and not re.search(r"(Z|[+-]\d\d:\d\d)$", value["dateTime"]):
            raise refusal(400, "required", f"Missing time zone definition for {name} time.")
    if ("date" in values["start"]) != ("date" in values["end"]):
        raise invalid("Invalid start time.")
    if values.get("recurrence") and "dateTime" in values["start"] and not values["start"].get("timeZone"):
        raise refusal(400, "required", "Missing time zone definition for start time.")
    start, end = span(values, UTC)
    if end < start or (end == start and "date" in values["start"]):
        raise refusal(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")


def span(values: Mapping[str, Any], home: tzinfo) -> Span:
    """When an event takes place; a whole day begins where the calendar is."""
    start, end = (_instant(values[name], name, home) for name in ("start", "end"))
    return start, end


def shown(value: Mapping[str, Any], home: tzinfo) -> dict[str, Any]:
    """A time as it comes back: in the zone of the calendar, whatever it was sent in."""
    if "dateTime" not in value:
        return {"date": value["date"]}
    at = _instant(value, "start", home).astimezone(home)
    text = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"dateTime": text, "timeZone": value.get("timeZone") or str(home)}


def instance_id(master: str, start: Mapping[str, Any]) -> str:
    """The id of an instance: when it was to begin. Seen in every public export of Calendar; in no page of the documentation."""
    if "date" in start:
        return f"{master}_{start['date'].replace('-', '')}"
    at = datetime.fromisoformat(start["dateTime"]).astimezone(UTC)
    return f"{master}_{at:%Y%m%dT%H%M%SZ}"


def instances(values: Mapping[str, Any], home: tzinfo) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Start and end of every instance of a series: days and weeks with ``COUNT``, ``UNTIL`` and ``INTERVAL``; no other rules."""
    rule = next((line for line in values.get("recurrence") or () if line.startswith("RRULE:")), "")
    parts = dict(one.split("=", 1) for one in rule.removeprefix("RRULE:").split(";") if "=" in one)
    step = _STEPS.get(parts.get("FREQ", ""), timedelta(days=1)) * int(parts.get("INTERVAL", 1))
    until = parts.get("UNTIL", "")
    for number in range(int(parts.get("COUNT", _MOST))):
        start, end = (_moved(values[name], step * number, home) for name in ("start", "end"))
        if until and instance_id("", start).lstrip("_")[: len(until)] > until:
            return
        yield start, end


def _moved(value: Mapping[str, Any], by: timedelta, home: tzinfo) -> dict[str, Any]:
    if "date" in value:
        return {"date": (date.fromisoformat(value["date"]) + by).isoformat()}
    zone = ZoneInfo(value["timeZone"]) if value.get("timeZone") else home
    local = _instant(value, "start", home).astimezone(zone).replace(tzinfo=None) + by
    return {"dateTime": local.replace(tzinfo=zone).astimezone(UTC).isoformat(), "timeZone": str(zone)}


def _instant(value: Mapping[str, Any], name: str, home: tzinfo) -> datetime:
    try:
        if "date" in value:
            return datetime.combine(date.fromisoformat(value["date"]), time(), home)
        at = datetime.fromisoformat(value["dateTime"])
    except (TypeError, ValueError):
        raise invalid(f"Invalid value for: {name}") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=_zone(value.get("timeZone") or "UTC", name))
    return at


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise invalid(f"Invalid time zone definition for {where} time.") from None
