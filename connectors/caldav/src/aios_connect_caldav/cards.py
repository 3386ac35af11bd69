"""Contacts: vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350) to records and back.

A card is a list of lines. A change replaces the lines it is about, and every other line, photos and foreign extensions among them, is
written back byte for byte. Telephone numbers and addresses have places (``tel.cell``, ``email.work``): the first line of a kind has
the place, all lines stand under ``phones``, ``emails`` and ``addresses``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from .formats import NotOursError, Unreadable, UnreadableError, plain
from .lines import Line, escaped, joined, lines_of, parts_of, unescaped

__all__ = ["Cards"]

_NAME: Final = ("family", "given", "middle", "prefix", "suffix")
_ADDRESS: Final = ("po_box", "extended", "street", "city", "region", "postal_code", "country")
_TEXTS: Final = {
    "fn": "FN",
    "nickname": "NICKNAME",
    "title": "TITLE",
    "role": "ROLE",
    "url": "URL",
    "note": "NOTE",
    "birthday": "BDAY",
}
_PHONES: Final = {"fax": ("fax",), "cell": ("cell", "iphone"), "work": ("work",), "home": ("home",)}
"""Place -> the types of a line that has it; the first that fits, so that a fax at work is a fax."""
_PLACES: Final = {"work": ("work",), "home": ("home",)}
_STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"


class Cards:
    """The format of contacts."""

    type: Final = "text/vcard; charset=utf-8"
    suffix: Final = ".vcf"
    writable: Final = frozenset(
        {
            *_TEXTS,
            *(f"name.{part}" for part in _NAME),
            "org",
            "categories",
            *(f"tel.{place}" for place in (*_PHONES, "other")),
            *(f"email.{place}" for place in (*_PLACES, "other")),
            *(f"adr.{place}.{part}" for place in (*_PLACES, "other") for part in _ADDRESS),
        }
    )

    def read(self, text: str) -> dict[str, Any]:
        """See :class:`~.formats.Format`."""
        records, aside = self.read_all(text)
        if aside:
            raise UnreadableError(aside[0].reason)
        if len(records) > 1:
            raise UnreadableError(f"it holds {len(records)} cards, and a resource holds one")
        return records[0]

    def read_all(self, text: str | bytes) -> tuple[list[dict[str, Any]], list[Unreadable]]:
        """Every card of a file, and what in it could not be read.

        Raises:
            UnreadableError: The file holds no vCard.
        """
        records: list[dict[str, Any]] = []
        aside: list[Unreadable] = []
        for number, card in enumerate(_cards(text), start=1):
            try:
                records.append(_record(card))
            except Exception as error:  # whatever hostile input does, it stays a card that cannot be read
                aside.append(Unreadable(f"card {number}", str(error)[:200] or repr(error), _first(card, "UID")))
        return records, aside

    def made(self, uid: str, patch: Mapping[str, Any], now: datetime) -> str:
        """See :class:`~.formats.Format`."""
        card = [Line.of("BEGIN", "VCARD"), Line.of("VERSION", "3.0"), Line.of("UID", escaped(uid)), Line.of("END", "VCARD")]
        return _changed(card, patch, now)

    def changed(self, text: str, patch: Mapping[str, Any], now: datetime) -> str:
        """See :class:`~.formats.Format`."""
        (card, *others) = _cards(text)
        if others:
            raise ValueError("there is more than one card in it")
        return _changed(card, patch, now)


def _cards(text: str | bytes) -> list[list[Line]]:
    """The lines of each card; one within another (``AGENT`` of vCard 2.1) belongs to the outer one."""
    cards: list[list[Line]] = []
    depth = 0
    for line in lines_of(text):
        if line.name == "BEGIN" and line.value.strip().upper() == "VCARD":
            depth += 1
            if depth == 1:
                cards.append([])
        if depth:
            cards[-1].append(line if depth == 1 else Line.opaque(line.text))
        if line.name == "END" and line.value.strip().upper() == "VCARD":
            depth = max(0, depth - 1)
    if not cards:
        raise (
            NotOursError("it holds no vCard")
            if "BEGIN:" in str(text)
            else UnreadableError("it is no vCard: it has no BEGIN:VCARD")
        )
    if depth:
        raise UnreadableError("it is cut off: a vCard has no END:VCARD")
    return cards


def _record(card: Sequence[Line]) -> dict[str, Any]:
    names = [part or None for part in parts_of(_raw(card, "N"), ";")]
    emails = [(_place(line, _PLACES), _text(line)) for line in card if line.name == "EMAIL" and _text(line)]
    phones = [(_place(line, _PHONES), _number(line)) for line in card if line.name == "TEL" and _number(line)]
    addresses = [(_place(line, _PLACES), _address(line)) for line in card if line.name == "ADR" and any(_address(line).values())]
    if not any(names) and not _first(card, "FN") and not emails and not phones and not _first(card, "ORG"):
        raise UnreadableError("it names nobody: it has neither a name nor an address nor a number")
    return {
        "uid": _first(card, "UID"),
        "version": _first(card, "VERSION"),
        "kind": (_first(card, "KIND") or "").lower() or None,
        **{name: _first(card, property) for name, property in _TEXTS.items()},
        "name": dict(zip(_NAME, [*names, *[None] * 5], strict=False)),
        "org": (parts_of(_raw(card, "ORG"), ";") or [""])[0] or None,
        "units": [part for part in parts_of(_raw(card, "ORG"), ";")[1:] if part],
        "categories": [one for line in card if line.name == "CATEGORIES" for one in parts_of(line.decoded, ",") if one],
        "tel": _by_place(phones, (*_PHONES, "other"), None),
        "email": _by_place(emails, (*_PLACES, "other"), None),
        "adr": _by_place(addresses, (*_PLACES, "other"), dict.fromkeys(_ADDRESS)),
        "phones": [{"type": place, "value": value} for place, value in phones],
        "emails": [{"type": place, "value": value} for place, value in emails],
        "addresses": [{"type": place, **value} for place, value in addresses],
        "photo": any(line.name == "PHOTO" for line in card),
    }


def _by_place(found: Sequence[tuple[str, Any]], places: Sequence[str], nothing: Any) -> dict[str, Any]:
    return {place: next((value for at, value in found if at == place), nothing) for place in places}


def _place(line: Line, places: Mapping[str, tuple[str, ...]]) -> str:
    types = line.types
    return next((place for place, names in places.items() if types & set(names)), "other")


def _raw(card: Sequence[Line], name: str) -> str:
    return next((line.decoded for line in card if line.name == name), "")


def _first(card: Sequence[Line], name: str) -> str | None:
    return next((_text(line) for line in card if line.name == name), None)


def _text(line: Line) -> str | None:
    return unescaped(line.decoded).strip() or None


def _number(line: Line) -> str | None:
    """A telephone number; vCard 4.0 may write it as an address, ``tel:+1-555-555-0100`` (RFC 3966)."""
    text = _text(line)
    return text[4:] or None if text and text.lower().startswith("tel:") else text


def _address(line: Line) -> dict[str, str | None]:
    return dict(zip(_ADDRESS, [*(part or None for part in parts_of(line.decoded, ";")), *[None] * 7], strict=False))


def _changed(card: list[Line], patch: Mapping[str, Any], now: datetime) -> str:
    """The card with a patch laid over it, as text."""
    lines = list(card)
    for name, value in patch.items():
        if name == "fn" and not value:
            raise ValueError("fn: a contact is never without a name as written (RFC 6350, 6.2.1)")
        if name in _TEXTS:
            _put(lines, _TEXTS[name], _is(_TEXTS[name]), None if value is None else escaped(plain(value, name)))
        elif name == "name":
            _put(lines, "N", _is("N"), _laid(_raw(lines, "N"), _NAME, value, name))
        elif name == "org":
            units = parts_of(_raw(lines, "ORG"), ";")[1:]
            told = [] if value is None else [plain(value, name), *units]
            _put(lines, "ORG", _is("ORG"), ";".join(map(escaped, told)) or None)
        elif name == "categories":
            lines[:] = [line for line in lines if line.name != "CATEGORIES"]
            _put(lines, "CATEGORIES", _is("CATEGORIES"), ",".join(escaped(plain(one, name)) for one in value or ()) or None)
        elif name in ("tel", "email", "adr") and isinstance(value, Mapping):
            for place, below in value.items():
                _put_at(lines, name.upper(), place, below)
        else:
            raise ValueError(f"{name} cannot be written")
    if "fn" not in patch and ("name" in patch or _first(lines, "FN") is None):
        _put(lines, "FN", _is("FN"), escaped(_formatted(lines)))
    if not _raw(lines, "N"):
        _put(lines, "N", _is("N"), ";;;;")  # vCard 3.0 wants one, be it empty
    _put(lines, "REV", _is("REV"), now.strftime(_STAMP))
    return joined(lines)


def _formatted(lines: Sequence[Line]) -> str:
    """The name as people write it; a card without one is named by its company or address."""
    family, given, middle, prefix, suffix, *_ = [*parts_of(_raw(lines, "N"), ";"), *[""] * 5]
    whole = " ".join(part for part in (prefix, given, middle, family, suffix) if part)
    return whole or (parts_of(_raw(lines, "ORG"), ";") or [""])[0] or _first(lines, "EMAIL") or _first(lines, "TEL") or "?"


def _put_at(lines: list[Line], name: str, place: str, value: Any) -> None:
    """Put a number or an address where it belongs."""
    places = _PHONES if name == "TEL" else _PLACES
    if place != "other" and place not in places:
        raise ValueError(f"{name.lower()}.{place} cannot be written")

    def there(line: Line) -> bool:
        return line.name == name and _place(line, places) == place

    if name == "ADR":
        if not isinstance(value, Mapping):
            raise ValueError(f"adr.{place}: {value!r} is no address")
        value = _laid(next((line.decoded for line in lines if there(line)), ""), _ADDRESS, value, f"adr.{place}")
    elif value is not None:
        value = escaped(plain(value, f"{name.lower()}.{place}"))
    _put(lines, name, there, value, "" if place == "other" else place.upper())


def _laid(before: str, names: Sequence[str], patch: Any, where: str) -> str | None:
    """Some parts of a value of several; nothing is left of it when all are empty."""
    if not isinstance(patch, Mapping):
        raise ValueError(f"{where}: {patch!r} has no parts")
    if unknown := sorted(patch.keys() - set(names)):
        raise ValueError(f"{where}.{unknown[0]} cannot be written")
    told = dict(zip(names, [*parts_of(before, ";"), *[""] * len(names)], strict=False))
    told |= {name: "" if value is None else plain(value, f"{where}.{name}") for name, value in patch.items()}
    return ";".join(escaped(part) for part in told.values()) if any(told.values()) else None


def _is(name: str) -> Callable[[Line], bool]:
    return lambda line: line.name == name


def _put(lines: list[Line], name: str, here: Callable[[Line], bool], value: str | None, kind: str = "") -> None:
    """Replace the first line of a kind, add one before the end, or take all of the kind away."""
    at = next((number for number, line in enumerate(lines) if here(line)), None)
    if value is None:
        lines[:] = [line for line in lines if not here(line)] if at is not None else lines
    elif at is not None:
        lines[at] = lines[at].with_value(value)
    else:
        lines.insert(len(lines) - 1, Line.of(name, value, kind))
