"""Transforms of what people are reached by: phone numbers, e-mail addresses, names. Parsing is slow, so it is remembered."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from aios_connect.model.canonical import JSON, RAW_PREFIX, LeafType

from .transform import Fallible, Form, OnError, Path, Shortcut, Single, named, shown

__all__ = ["Email", "PersonName", "Phone", "Region"]

_MOST: Final = 16_384
_SURELY_SHORT: Final = 64  # then no label of its domain is too long (RFC 1035, 2.3.4)
_USUAL = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9]+(-[A-Za-z0-9]+)*\.)+(com|org|net|[a-z]{2})\Z")
_E164 = re.compile(r"\+[1-9][0-9]{5,14}(;ext=[0-9]{1,11})?\Z")

Region = Annotated[str, Form("[A-Z]{2}", "the code of a country, such as US")]
"""ISO 3166-1 code of a country: ``US``."""


class Phone(Single):
    """A phone number: canonical as E.164 with an extension behind ``;ext=``; what is none is kept as it was typed.

    Numbers are checked for their length, not for having been given out (https://en.wikipedia.org/wiki/E.164, RFC 3966).

    Attributes:
        region: The country that is meant where a number names none.
        style: How numbers are written: ``e164`` (+442079460958), ``international`` (+44 20 7946 0958) or ``national``.
        on_error: As for every field; ``keep`` unless said otherwise.

    Example:
        phones.mobile: {from: [properties.mobilephone, properties.phone], as: phone, region: US}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("phone", "any"))
    gives: ClassVar[LeafType] = "phone"
    keeps: ClassVar[bool] = True

    as_: Literal["phone"] = Field("phone", alias="as")
    region: Region | None = None
    style: Literal["e164", "international", "national"] = "e164"
    on_error: OnError = "keep"

    def shortcut(self) -> Shortcut:
        return Shortcut("$v.__class__ is str and (x := $phones[$v]) is not None", "x", {"phones": _phones(self.region)})

    def get(self, value: Any) -> JSON:
        if value.__class__ is not str:
            raise ValueError(f"{named(value)} is not text")
        found = _phones(self.region)[value]
        if found is None:
            raise ValueError(f"{shown(value)} is not a phone number")
        return found

    def put(self, value: JSON) -> Any:
        if isinstance(value, str):
            if value.startswith(RAW_PREFIX) and value != RAW_PREFIX and self.on_error == "keep":
                return value.removeprefix(RAW_PREFIX)
            if _E164.match(value):
                return _phone_as(value, self.region, self.style)
        raise ValueError(f"{shown(value)} is not a phone number in canonical form")


class Email(Single):
    """An e-mail address: canonical with its domain in lower case; what is none is kept as it was typed.

    The form is checked, not whether anybody receives mail there (RFC 5321, 5322, 6531).

    Attributes:
        on_error: As for every field; ``keep`` unless said otherwise.

    Example:
        emails.work: {from: properties.email, as: email}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("email", "any"))
    gives: ClassVar[LeafType] = "email"
    keeps: ClassVar[bool] = True

    as_: Literal["email"] = Field("email", alias="as")
    on_error: OnError = "keep"

    def shortcut(self) -> Shortcut:
        return Shortcut("$v.__class__ is str and (x := $emails[$v]) is not None", "x", {"emails": _emails})

    def get(self, value: Any) -> JSON:
        if value.__class__ is not str:
            raise ValueError(f"{named(value)} is not text")
        found = _emails[value]
        if found is None:
            raise ValueError(f"{shown(value)} is not an e-mail address")
        return found

    def put(self, value: JSON) -> Any:
        if isinstance(value, str):
            if value.startswith(RAW_PREFIX):
                if value != RAW_PREFIX and self.on_error == "keep":
                    return value.removeprefix(RAW_PREFIX)
            elif _emails[value] == value:
                return value
        raise ValueError(f"{shown(value)} is not an e-mail address in canonical form")


class PersonName(Fallible):
    """One text with the whole name of a person, and its given and family name. Stands at the leaves' common name: ``names``.

    Reading guesses (titles and suffixes are dropped), so it is lossy: use it only where the vendor has but one field.

    Attributes:
        sources: ``from``: the path.
        clear: What this vendor wants written to clear the field.

    Example:
        names: {from: fullname, as: person_name, access: read}
    """

    accepts: ClassVar[frozenset[LeafType]] = frozenset(("text",))
    gives: ClassVar[LeafType] = "text"

    as_: Literal["person_name"] = Field("person_name", alias="as")
    source: Path = Field(alias="from")
    clear: Any = None

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.source,)

    @property
    def loses(self) -> str:
        return "which part of the text is the given name"

    def get(self, value: Any) -> tuple[str | None, str | None]:
        """Given and family name of a text that is not empty.

        Raises:
            ValueError: It is no text.
        """
        if isinstance(value, str):
            return _name(value)
        raise ValueError(f"{named(value)} is not text")

    def put(self, given: JSON, family: JSON) -> str | None:
        """The text for a given and a family name; ``None`` if there is neither.

        Raises:
            ValueError: They are no texts.
        """
        parts = [part for part in (given, family) if part is not None]
        if all(isinstance(part, str) for part in parts):
            return " ".join(str(part) for part in parts) or None
        raise ValueError("the names are not text")


class _Remembered(dict[str, str | None]):
    """The canonical form of a text, or nothing; parsed when it is first asked for. Forgets everything when it is full.

    Args:
        parse: The parser.
    """

    def __init__(self, parse: Callable[[str], str | None]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str) -> str | None:
        found = self._parse(text)
        if len(self) >= _MOST:
            self.clear()
        self[text] = found
        return found


@cache
def _phones(region: str | None) -> _Remembered:
    """The phone numbers of a region. Keyed by the text alone, which is the faster for it."""
    return _Remembered(partial(_phone, region=region))


def _phone(text: str, region: str | None) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension:
        found += f";ext={number.extension}"
    return found if _E164.match(found) else None


@lru_cache(maxsize=_MOST)
def _phone_as(value: str, region: str | None, style: str) -> str:
    import phonenumbers

    text, _, extension = value.partition(";ext=")
    if style != "e164":
        number = phonenumbers.parse(text)
        at_home = region is not None and phonenumbers.country_code_for_region(region) == number.country_code
        form = phonenumbers.PhoneNumberFormat
        text = phonenumbers.format_number(number, form.NATIONAL if style == "national" and at_home else form.INTERNATIONAL)
    if extension:
        text += f" ext. {extension}"
    if _phones(region)[text] != value:
        raise ValueError(f"{value} cannot be written in the style {style!r} so that it is read back")
    return text


def _email(text: str) -> str | None:
    text = text.strip()
    if len(text) > _SURELY_SHORT or _USUAL.match(text) is None:  # most are as usual, and need no library
        from email_validator import EmailNotValidError, validate_email

        try:
            validate_email(text, check_deliverability=False, globally_deliverable=False)
        except EmailNotValidError:
            return None
    name, _, domain = text.rpartition("@")
    return f"{name}@{domain.lower()}"


_emails: Final = _Remembered(_email)


@lru_cache(maxsize=_MOST)
def _name(text: str) -> tuple[str | None, str | None]:
    from nameparser import HumanName

    parts = HumanName(text)
    given = " ".join(part for part in (parts.first, parts.middle) if part)
    return given or None, parts.last or None
