"""Transforms of dates and instants, in the forms vendors write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from aios_connect.model.canonical import JSON, LeafType, instant_text, parse_date, parse_instant

from .transform import Shortcut, Single, named, shown

__all__ = ["Date", "Instant", "Zone"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_from_iso: Final = datetime.fromisoformat
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|z|[+-][0-9]{2}:?[0-9]{2})?\Z")
_WHOLE = re.compile(r"-?[0-9]{1,17}\Z")
_DIGITS_TO_0: Final = bytes.maketrans(b"123456789", b"000000000")
_IN_MILLISECONDS: Final = b"0000-00-00T00:00:00.000Z"
_IN_SECONDS: Final = b"0000-00-00T00:00:00Z"
_DIRECTIVE = re.compile(r"%(.)")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write one such as Europe/Paris") from None
    return name


def _pattern(known: str, needed: tuple[str, ...]) -> Any:
    """A check that a format is a plain word, or a strptime pattern of known directives that names all it must."""

    def check(value: str) -> str:
        if "%" not in value:
            return value
        used = _DIRECTIVE.findall(value)
        if unknown := sorted({letter for letter in used if letter not in known}):
            raise ValueError(f"%{unknown[0]} cannot stand in a format; use {' '.join('%' + letter for letter in known)}")
        if missing := [letters for letters in needed if not any(letter in used for letter in letters)]:
            raise ValueError(f"the format names no %{missing[0][0]}")
        if len(set(used)) < len(used):
            raise ValueError("the format names something twice")
        return value

    return AfterValidator(check)


Zone = Annotated[str, AfterValidator(_zone)]
"""IANA name of a time zone: ``Europe/Paris``."""


class Date(Single):
    """A calendar date.

    Attributes:
        format: ``iso`` (2026-11-21), ``instant`` (an ISO instant of that day in ``tz``; midnight is written), ``epoch_ms``
            (milliseconds to midnight UTC), or a pattern such as ``"%d/%m/%Y"``.
        tz: The zone whose calendar counts, for ``instant``.
        quoted: This vendor writes numbers as text, for ``epoch_ms``.

    Example:
        expected_close: {from: properties.closedate, as: date, format: instant, tz: America/New_York}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("date", "any"))
    gives: ClassVar[LeafType] = "date"

    as_: Literal["date"] = Field("date", alias="as")
    format: Annotated[
        Literal["iso", "instant", "epoch_ms"] | Annotated[str, Field(pattern="%")], _pattern("Ymdy", ("Yy", "m", "d"))
    ] = "iso"
    tz: Zone | None = None
    quoted: bool = False

    @model_validator(mode="after")
    def _knows_whose_day(self) -> Date:
        if self.format == "instant" and self.tz is None:
            raise ValueError("an instant is a day only somewhere: say tz")
        return self

    @property
    def loses(self) -> str:
        return "the century" if "%y" in self.format else ""

    def get(self, value: Any) -> JSON:
        if self.format == "epoch_ms":
            moment = _since_epoch(value, _MILLISECOND)
            if moment.time() != _EPOCH.time():
                raise ValueError(f"{shown(value)} is not midnight UTC")
            return moment.date().isoformat()
        if not isinstance(value, str):
            raise ValueError(f"{named(value)} is not a date")
        if self.format == "iso":
            if _DAY.match(value):
                return date.fromisoformat(value).isoformat()
            raise ValueError(f"{shown(value)} is not a date such as 2026-11-21")
        if self.format == "instant":
            return _iso(value, self.tz).astimezone(ZoneInfo(self.tz or "UTC")).date().isoformat()
        return _parsed(value, self.format).date().isoformat()

    def put(self, value: JSON) -> Any:
        if not isinstance(value, str):
            raise ValueError(f"{named(value)} is not a date")
        day = parse_date(value)
        match self.format:
            case "iso":
                return value
            case "epoch_ms":
                number = (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // _MILLISECOND
                return str(number) if self.quoted else number
            case "instant":
                return instant_text(_utc(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.tz or "UTC"))))
        return _formatted(datetime(day.year, day.month, day.day, tzinfo=UTC), self.format)


class Instant(Single):
    """A point in time.

    Attributes:
        format: ``iso`` (ISO 8601; UTC is written), ``epoch_s`` or ``epoch_ms`` (seconds or milliseconds since 1970), ``local`` (ISO
            without a zone, in ``tz``), or a pattern such as ``"%m/%d/%Y %H:%M"`` in ``tz``.
        tz: The zone that is meant where the text names none.
        digits: Digits after the seconds that this vendor keeps: 0, 3 or 6.
        quoted: This vendor writes numbers as text.

    Example:
        last_inbound_at: {from: properties.notes_last_contacted, as: instant, format: epoch_ms, access: read}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("instant", "any"))
    gives: ClassVar[LeafType] = "instant"

    as_: Literal["instant"] = Field("instant", alias="as")
    format: Annotated[
        Literal["iso", "epoch_s", "epoch_ms", "local"] | Annotated[str, Field(pattern="%")],
        _pattern("YmdHMSfz", ("Y", "m", "d", "H", "M")),
    ] = "iso"
    tz: Zone | None = None
    digits: Literal[0, 3, 6] = 6
    quoted: bool = False

    def shortcut(self) -> Shortcut | None:
        return (
            Shortcut("$v.__class__ is str and (x := $utc($v)) is not None", "x", {"utc": _plain_utc})
            if self.format == "iso"
            else None
        )

    @model_validator(mode="after")
    def _knows_where(self) -> Instant:
        if self.tz is None and (self.format == "local" or ("%" in self.format and "%z" not in self.format)):
            raise ValueError("the text names no time zone: say tz")
        return self

    @property
    def loses(self) -> str:
        lost = []
        kept = {"epoch_s": 0, "epoch_ms": 3}.get(self.format, self.digits)
        if "%" in self.format:
            kept = self.digits if "%f" in self.format else 0
            if "%S" not in self.format:
                lost.append("seconds")
        if kept < 6:
            lost.append("fractions of a second" if kept == 0 else "fractions of a millisecond")
        if self._local and not _always_utc(self.tz or ""):
            lost.append("which of the two hours is meant when clocks go back")
        return " and ".join(lost)

    @property
    def _local(self) -> bool:
        return self.format == "local" or ("%" in self.format and "%z" not in self.format)

    def get(self, value: Any) -> JSON:
        if self.format == "epoch_s" or self.format == "epoch_ms":
            return instant_text(_since_epoch(value, _SECOND if self.format == "epoch_s" else _MILLISECOND))
        if value.__class__ is not str:
            raise ValueError(f"{named(value)} is not an instant")
        if "%" in self.format:
            moment = _parsed(value, self.format)
            return instant_text(_utc(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.tz or "UTC"))))
        return instant_text(_iso(value, self.tz))

    def put(self, value: JSON) -> Any:
        if not isinstance(value, str):
            raise ValueError(f"{named(value)} is not an instant")
        moment = parse_instant(value)
        match self.format:
            case "iso":
                return _cut(moment, self.digits).isoformat()[:-6] + "Z" if self.digits < 6 and moment.microsecond else value
            case "epoch_s" | "epoch_ms":
                number = (moment - _EPOCH) // (_SECOND if self.format == "epoch_s" else _MILLISECOND)
                return str(number) if self.quoted else number
            case "local":
                return _cut(moment, self.digits).astimezone(ZoneInfo(self.tz or "UTC")).replace(tzinfo=None).isoformat()
        return _formatted(_cut(moment, self.digits).astimezone(ZoneInfo(self.tz or "UTC")), self.format)


def _plain_utc(text: str) -> str | None:
    """The canonical form of an instant that is nearly in it: UTC, with no fraction or one in milliseconds."""
    try:
        form = text.encode().translate(_DIGITS_TO_0)
        if form == _IN_MILLISECONDS:
            _from_iso(text)
            return f"{text[:19]}Z" if text[-2] == "0" and text[20:] == "000Z" else text.replace("Z", "000Z")
        if form == _IN_SECONDS:
            _from_iso(text)
            return text
    except ValueError:
        pass
    return None


def _iso(text: str, zone: str | None) -> datetime:
    if not _ISO.match(text):
        raise ValueError(f"{shown(text)} is not an instant in ISO 8601")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{shown(text)} names no time zone; say tz")
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return _utc(moment)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment.isoformat()} lies outside the years 1 to 9999 in UTC") from None


def _since_epoch(value: Any, unit: timedelta) -> datetime:
    if isinstance(value, str) and _WHOLE.match(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{shown(value)} is not a number of {'seconds' if unit == _SECOND else 'milliseconds'}")
    try:
        return _EPOCH + value * unit
    except OverflowError:
        raise ValueError(f"{value} lies outside the years 1 to 9999") from None


def _cut(moment: datetime, digits: int) -> datetime:
    step = 10 ** (6 - digits)
    return moment.replace(microsecond=moment.microsecond // step * step)


@lru_cache(maxsize=4096)
def _parsed(text: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone comes from the mapping
    except ValueError:
        raise ValueError(f"{shown(text)} is not of the form {pattern!r}") from None


def _formatted(moment: datetime, pattern: str) -> str:
    # strftime writes the year 850 as "850" on some systems
    return moment.strftime(pattern.replace("%Y", f"{moment.year:04d}"))


@lru_cache
def _always_utc(zone: str) -> bool:
    return all(
        datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() == timedelta(0)
        for year in (1950, 2000, 2026)
        for month in (1, 7)
    )
