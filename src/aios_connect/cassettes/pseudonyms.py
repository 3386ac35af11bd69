"""Stand-ins for everything in an answer that might say who somebody is.

What may stay is listed, and all other text goes. Fields and choices of the live schema stay; texts that stand in the connector's own
source; numbers, instants, random ids; the ids of records where they are numbers, or of the shape that the connector's spec names. In a
field that the schema calls text no word stays for being known, in one of that name elsewhere none for standing in the source.

A word has the same stand-in wherever it comes, in a name, an e-mail address or a link, so that what belonged together still does. Which
stand-in it is, is drawn by lot and written down nowhere.
"""

from __future__ import annotations

import ast
import re
import secrets
import string
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from aios_connect.connectors.contract import Connector, Page, Schema
from aios_connect.connectors.spec import ObjectSpec

__all__ = ["Known", "Pseudonyms", "known_ids", "known_words"]

_SHAPES: Final = re.compile(
    r"\d{1,2}|-?\d+\.\d+|true|false"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
)
_ID: Final = re.compile(r"\d+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_CODED: Final = re.compile(r"currency|country|locale|language|time_?zone", re.IGNORECASE)
_CODE: Final = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z]{2,4})?|[A-Za-z]+/[A-Za-z_/]+")
_NUMBERED: Final = re.compile(r"phone|mobile|cell|fax|\btel|zip|post_?(?:al)?_?code|house|street", re.IGNORECASE)
_DECIMAL: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_NUMBER: Final = re.compile(r"(?<=[a-z])\d{1,2}$")  # what a connector counts: part0, part1
_ADDRESS: Final = re.compile(r"(?:https?://|/)\S*")
_PARTS: Final = re.compile(r"(?P<mail>[^\s@<>\"(),:;]+@(?P<domain>[\w.-]+))|(?P<phone>\d[\d ().-]{5,}\d)|[^\W\d_]+|\d{3,}")
_JOINED: Final = re.compile(r"[^\W\d_]+|\d{3,}")
_VOWELS: Final = "aeiou"
_CONSONANTS: Final = "bcdfghjklmnpqrstvwxz"
_FOREIGN: Final = "éèüöäñçøåšž"
_TRIES: Final = 50
_NOBODYS: Final = "1555"
"""How stand-ins for long numbers begin: read as a phone number, an area code that nobody has."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the connector and the provider call things: a text that is one of these says nothing about a person.

    Attributes:
        schema: Objects, fields and choices, of the live schema and of the mappings.
        source: Texts in the connector's source.
        free: Dotted paths of the fields in which people write what they like.
        ids: Regular expression of the provider's ids (:attr:`ConnectorSpec.ids`); empty if there are none that stay for their form.
    """

    schema: frozenset[str] = frozenset()
    source: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    ids: str = ""


class Pseudonyms:
    """One conversation's stand-ins.

    Args:
        known: What stays; see :func:`known_words`.
        ids: Numbers that stay; see :func:`known_ids`.
        own: The server's own address, without a path, and what stands for it.
        hidden: Texts that do not stay for their form: an account's own id may look like any other.

    Attributes:
        kept: Place in the answers -> the texts that stayed there because the connector or the schema knows them.
        replaced: Place -> how many texts got a stand-in.
    """

    def __init__(self, known: Known, ids: Iterable[str], own: tuple[str, str], hidden: Iterable[str] = ()) -> None:
        self.kept: dict[str, set[str]] = defaultdict(set)
        self.replaced: dict[str, int] = defaultdict(int)
        self._known = known
        self._ids = frozenset(ids)
        self._free = frozenset(path.rpartition(".")[2] for path in known.free)  # a connector may give records another shape
        self._words_of_all = known.schema | known.source
        self._shapes = re.compile(f"{_SHAPES.pattern}|{known.ids}") if known.ids else _SHAPES
        self._own = own
        self._hidden = frozenset(hidden)
        self._stand_ins: dict[str, str] = {}
        self._taken: set[str] = set()
        self._numbers: set[Decimal] = set()

    def clean(self, value: Any, place: str = "", trail: tuple[str, ...] = ()) -> Any:
        """A JSON value with stand-ins in it.

        Args:
            value: Decoded JSON.
            place: Where it stands, for a person.
            trail: The keys above it.
        """
        if isinstance(value, dict):
            return {
                self.text(key): self.clean(item, f"{place}.{key if self._stays(key) else '*'}", (*trail, key))
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.clean(item, f"{place}[]", trail) for item in value]
        if isinstance(value, str):
            return self._seen(value, place, trail)
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            if trail and _NUMBERED.search(trail[-1]):
                return type(value)(self._words(f"{value:f}" if isinstance(value, Decimal) else str(value)))
            self._numbers.add(Decimal(value))
        return value

    def text(self, text: str, words: frozenset[str] | None = None) -> str:
        """A text with stand-ins in it.

        Args:
            text: The text.
            words: Words that stay where it stands, if not all that are known.
        """
        if self._stays(text, words):
            return text
        return self._address(text) if _ADDRESS.fullmatch(text) else self._words(text)

    def link(self, text: str) -> str:
        """A header that has addresses in it: ``Link``, ``Location``."""
        return re.sub(r"https?://[^\s<>\"]+|^/\S*", lambda found: self._address(found[0]), text)

    def _seen(self, text: str, place: str, trail: tuple[str, ...]) -> str:
        coded = bool(trail and _CODED.search(trail[-1]) and _CODE.fullmatch(text))
        cleaned = text if coded else self.text(text, self._words_at(trail))
        if cleaned != text:
            self.replaced[place] += 1
        elif text and not self._shapes.fullmatch(text) and text not in self._ids:
            self.kept[place].add(text)
        return cleaned

    def is_number_said(self, text: str, name: str) -> bool:
        """True if a text may be a number that stayed, said as text by the connector: not where people write, and no phone number."""
        free = name in self._free or _NUMBERED.search(name)
        return not free and _DECIMAL.fullmatch(text) is not None and Decimal(text) in self._numbers

    def _words_at(self, trail: tuple[str, ...]) -> frozenset[str] | None:
        """The words that stay in a place; ``None`` for all that are known."""
        if any(".".join(trail[start:]) in self._known.free for start in range(len(trail))):
            return frozenset()
        return self._known.schema if trail and trail[-1] in self._free else None

    def _stays(self, text: str, words: frozenset[str] | None = None) -> bool:
        if text in (self._words_of_all if words is None else words):
            return True
        if words is None and _NUMBER.sub("", text) in self._known.source:
            return True
        return text not in self._hidden and (text in self._ids or self._shapes.fullmatch(text) is not None)

    def _address(self, address: str) -> str:
        try:
            parts = urlsplit(address)
        except ValueError:  # it only begins like one
            return self._words(address)
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        told = (
            self._own[1] if origin == self._own[0] else f"{parts.scheme}://{self._domain(parts.hostname or '')}" if origin else ""
        )
        path = "/".join(quote(self._piece(unquote(piece)), safe=":@,") for piece in parts.path.split("/"))
        pairs = [(self._piece(name), self._piece(value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
        return f"{told}{path}{'?' if pairs else ''}{urlencode(pairs)}"

    def _piece(self, text: str) -> str:
        return text if self._stays(text) else self._words(text)

    def _words(self, text: str) -> str:
        return _PARTS.sub(self._part, text)

    def _part(self, found: re.Match[str]) -> str:
        if found["mail"]:
            local = found["mail"].partition("@")[0]
            return f"{_JOINED.sub(lambda part: self._part_of(part[0]), local)}@{self._domain(found['domain'])}"
        if found["phone"] and found[0] not in self._ids:
            digits = iter(self._part_of(re.sub(r"\D", "", found[0])))
            return re.sub(r"\d", lambda _: next(digits), found[0]) + "".join(digits)
        return self._part_of(found[0])

    def _domain(self, name: str) -> str:
        """A domain that nobody can own (RFC 2606), whatever it was."""
        return f"{_JOINED.sub(lambda part: self._part_of(part[0]), name.rpartition('.')[0] or name)}.example"

    def _part_of(self, part: str) -> str:
        if part in self._ids or (part.isdecimal() and len(part) < 3):
            return part
        low = part.lower()
        if low not in self._stand_ins:
            self._stand_ins[low] = self._drawn(low)
        drawn = self._stand_ins[low]
        cased = [letter.upper() if sign.isupper() else letter for letter, sign in zip(drawn, part, strict=False)]
        return "".join(cased) + drawn[len(part) :]

    def _drawn(self, word: str) -> str:
        for attempt in range(_TRIES * 2):
            longer = word + ("0" if word.isdecimal() else "a") * max(0, attempt - _TRIES)  # short words run out of others
            drawn = "".join(map(_another, longer))
            if longer.isdecimal() and len(longer) >= len(_NOBODYS) + 3:
                drawn = _NOBODYS + drawn[len(_NOBODYS) :]
            if drawn not in self._taken and drawn != word:
                break
        self._taken.add(drawn)
        return drawn


def _another(letter: str) -> str:
    if letter.isdecimal():
        return secrets.choice(string.digits[1:])
    if letter in _VOWELS:
        return secrets.choice(_VOWELS)
    return secrets.choice(_CONSONANTS if letter.isascii() else _FOREIGN)


def known_words(connector: Connector, schemas: Mapping[str, Schema], mapped: Iterable[str] = ()) -> Known:
    """What may stay, as the connector's source, the live schema and the mappings say.

    Args:
        connector: Its source is looked through, but for its sandbox, which has people in it.
        schemas: Of the objects that were read.
        mapped: Dotted paths of the fields that mappings name.
    """
    source: set[str] = set()
    for file in _sources(connector):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg:
                source.add(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                source.add(node.value)
                if not re.search(r"\s", node.value):
                    source.update(re.split(r"[^\w-]+", node.value))
    fields = [info for schema in schemas.values() for info in schema.fields.values()]
    objects = connector.spec.objects
    paths = {info.path for info in fields} | set(mapped)
    for spec in objects.values():
        paths |= {spec.id, spec.version, spec.modified, spec.key, *spec.references}
    schema = {part for path in paths for part in re.split(r"[^\w$-]+", path)} | {
        code for info in fields for code, _ in info.choices
    }
    free = {info.path for info in fields if info.type == "text"}
    words, texts = (frozenset(word for word in found if word and "@" not in word) for found in ({*objects, *schema}, source))
    return Known(words, texts, frozenset(free), connector.spec.ids)


def known_ids(specs: Mapping[str, ObjectSpec], pages: Mapping[str, Iterable[Page]]) -> set[str]:
    """The numbers by which records and positions are known: ids, versions, references, cursors. An id with letters is not among them."""
    ids: set[str] = set()
    for object, told in pages.items():
        spec = specs[object]
        paths = [path for path in (spec.id, spec.version, spec.modified, *spec.references) if path]
        for page in told:
            found = [_at(raw, path) for raw in page.records for path in paths]
            found += [stone.id for stone in page.tombstones] + list(_scalars(page.cursor))
            ids.update(str(value) for value in found if value is not None)
    return {id for id in ids if _ID.fullmatch(id)}


def _sources(connector: Connector) -> list[Path]:
    """The files of the package that the connector is in; its own file, if it is in none."""
    module = sys.modules[type(connector).__module__]
    package = sys.modules.get(module.__package__ or "")
    if package is None or package.__file__ is None:
        return [Path(str(module.__file__))]
    home = Path(package.__file__).parent
    return [path for path in home.rglob("*.py") if not any("sandbox" in part for part in path.relative_to(home).parts)]


def _at(raw: Any, path: str) -> Any:
    for part in path.split("."):
        raw = raw.get(part) if isinstance(raw, Mapping) else None
    return None if isinstance(raw, (Mapping, list)) else raw


def _scalars(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _scalars(item)
    else:
        yield value
