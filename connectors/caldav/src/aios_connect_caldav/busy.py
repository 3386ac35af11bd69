"""Free-busy: when a user is taken, as the server says (RFC 4791, 7.10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal, TypeAlias

from .events import calendars_in, named
from .formats import UnreadableError

__all__ = ["Busy", "busy_in", "merged"]

_Kind: TypeAlias = Literal["busy", "tentative", "unavailable"]
_KINDS: Final[dict[str, _Kind]] = {"BUSY-TENTATIVE": "tentative", "BUSY-UNAVAILABLE": "unavailable"}


@dataclass(frozen=True, slots=True, order=True)
class Busy:
    """A stretch of time that is taken.

    Attributes:
        start: Its first instant, UTC.
        end: The instant after its last.
        kind: ``busy``, ``tentative`` or ``unavailable`` (out of office, outside of working hours).
    """

    start: datetime
    end: datetime
    kind: _Kind = "busy"


def busy_in(text: str) -> list[Busy]:
    """The stretches in the answer to a free-busy question.

    Raises:
        UnreadableError: It is no such answer. It says nothing then, and certainly not that somebody is free.
    """
    answers = [answer for calendar in calendars_in(text) for answer in named(calendar, "VFREEBUSY")]
    if not answers:
        raise UnreadableError("the answer holds no VFREEBUSY")
    found: list[Busy] = []
    for answer in answers:
        if any(name == "FREEBUSY" for name, _ in answer.errors):
            raise UnreadableError("the answer holds a FREEBUSY that makes no sense")
        for period in _periods(answer.get("FREEBUSY")):
            told = str(getattr(period, "params", {}).get("FBTYPE", "BUSY")).upper()
            if told != "FREE":
                found.append(_stretch(period, _KINDS.get(told, "busy")))
    return found


def merged(stretches: Iterable[Busy], start: datetime, end: datetime) -> list[Busy]:
    """Stretches within a time, in order, those of a kind that touch put together."""
    told: list[Busy] = []
    for kind in ("busy", "tentative", "unavailable"):
        last: Busy | None = None
        for one in sorted(one for one in stretches if one.kind == kind and one.start < end and one.end > start):
            begin, until = max(one.start, start), min(one.end, end)
            if last is not None and begin <= last.end:
                last = Busy(last.start, max(last.end, until), kind)
                told[-1] = last
            else:
                last = Busy(begin, until, kind)
                told.append(last)
    return sorted(told)


def _periods(value: Any) -> Iterator[Any]:
    for one in value if isinstance(value, list) else [] if value is None else [value]:
        yield from _periods(one) if isinstance(one, list) else [one]


def _stretch(period: Any, kind: _Kind) -> Busy:
    begin, until = period.dt if isinstance(getattr(period, "dt", None), tuple) else (period.start, period.end)
    start = _instant(begin)
    return Busy(start, start + until if isinstance(until, timedelta) else _instant(until), kind)


def _instant(value: date) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
