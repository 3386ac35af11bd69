"""YAML files with positions, read into pydantic models: every mistake is one sentence with file, line, column and the way out.

YAML 1.2 (``no``, ``on``, ``12:30`` and ``2026-01-02`` stay text), without tags, aliases and duplicate keys. Keys are always text.
Knows nothing of what the files mean: jobs, mappings and other project files are all read with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yamlcore import CCoreLoader, CoreLoader  # type: ignore[import-untyped]

from aios_connect.errors import ConfigError

__all__ = ["Document", "Place", "Steps", "did_you_mean", "parse_document", "read_document"]

E = TypeVar("E", bound=ConfigError)
M = TypeVar("M", bound=BaseModel)
Steps: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the top of a document to a place in it."""

_LARGEST: Final = 2_000_000
_DEEPEST: Final = 50
_LOADER: Final = CCoreLoader if yaml.__with_libyaml__ else CoreLoader
_CORE: Final = "tag:yaml.org,2002:"
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file.

    Attributes:
        file: The file as it was named, or an empty string.
        line: 1-based.
        column: 1-based.
        excerpt: The source line.
    """

    file: str
    line: int
    column: int
    excerpt: str


@dataclass(slots=True)
class Document:
    """Plain data, and where each piece of it stands.

    Attributes:
        data: What the YAML says: dicts with text keys, lists, text, numbers, booleans, null.
        keys: Path -> where its key stands.
        values: Path -> where its value begins.
    """

    data: Any
    keys: dict[Steps, Place] = field(default_factory=dict)
    values: dict[Steps, Place] = field(default_factory=dict)

    def place(self, path: Steps, *, key: bool = False) -> Place:
        """Where a piece of the document stands; the nearest one around it, if it does not stand there itself."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        while path:
            found = first.get(path) or second.get(path)
            if found is not None:
                return found
            path = path[:-1]
        return self.values.get((), Place("", 0, 0, ""))

    def error(self, message: str, path: Steps = (), *, kind: type[E], hint: str = "", key: bool = False) -> E:
        """An error that points at a piece of the document, or at its key."""
        at = self.place(path, key=key)
        return kind(message, hint=hint, file=at.file, line=at.line, column=at.column, excerpt=at.excerpt)

    def validated(self, model: type[M], *, kind: type[ConfigError] = ConfigError) -> M:
        """The document as a model.

        Args:
            model: What it must look like.
            kind: The error to raise.

        Raises:
            ConfigError: It does not; for the plainest of the mistakes in it.
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            details = min(error.errors(), key=_rank)
            raise self._explained(details, model, kind) from None

    def _explained(self, details: ErrorDetails, model: type[BaseModel], kind: type[ConfigError]) -> ConfigError:
        path, rest = self._path(details["loc"])
        context = details.get("ctx", {})
        where = ".".join(str(step) for step in path)
        match details["type"]:
            case "extra_forbidden":
                known = _keys_at(model, details["loc"][:-1])
                message = f"there is no {path[-1]!r} in {where.rpartition('.')[0] or 'this file'}"
                return self.error(message, path, hint=did_you_mean(str(path[-1]), known), key=True, kind=kind)
            case "missing":
                name = str(rest[-1]) if rest else "something"
                return self.error(f"{where or 'the file'} needs {name!r}", path, hint=f"add {name}:", key=True, kind=kind)
            case "union_tag_invalid":
                tag = next(
                    (key for key in _QUOTED.findall(str(context.get("discriminator", ""))) if (*path, key) in self.values), ""
                )
                path, where = ((*path, tag), f"{where}.{tag}") if (*path, tag) in self.values else (path, where)
                known = _QUOTED.findall(str(context.get("expected_tags", "")))
                message, hint = f"{where}: there is no {context.get('tag')!r}", did_you_mean(str(context.get("tag")), known)
            case "literal_error" | "enum":
                known = _QUOTED.findall(str(context.get("expected", "")))
                message, hint = f"{where}: it cannot be {_shown(details['input'])}", did_you_mean(str(details["input"]), known)
            case "string_type" if isinstance(details["input"], bool | int | float):
                message, hint = f"{where}: {_shown(details['input'])} must be text", "put it in quotes"
            case _:
                said = details["msg"].removeprefix("Value error, ")
                if wanted := _WANTED.get(details["type"]):
                    said = f"{_shown(details['input'])} is not {wanted}"
                elif said.startswith("Input should"):
                    said = f"{_shown(details['input'])} s{said.removeprefix('Input s')}"
                message, hint = f"{where}: {said}" if where else said, ""
        return self.error(
            message, path, hint=hint, key=details["type"] == "value_error" and isinstance(details["input"], dict), kind=kind
        )

    def _path(self, location: tuple[int | str, ...]) -> tuple[Steps, tuple[int | str, ...]]:
        """The longest path of the document that a pydantic location names, and what is left of it.

        A location also holds names of union arms and of validators, which do not stand in the document.
        """
        path: Steps = ()
        rest: tuple[int | str, ...] = ()
        for step in location:
            if (*path, step) in self.values:
                path, rest = (*path, step), ()
            else:
                rest = (*rest, step)
        return path, rest


def read_document(source: Path | str, model: type[M], *, file: str = "", kind: type[ConfigError] = ConfigError) -> M:
    """Read a YAML file, or its text, into a model.

    Args:
        source: A path, or the text itself.
        model: What it must look like.
        file: What errors call the text; a path names itself.
        kind: The error to raise.

    Raises:
        ConfigError: With file, line, column, source line and the way out.
    """
    return parse_document(source, file=file, kind=kind).validated(model, kind=kind)


def parse_document(source: Path | str, *, file: str = "", kind: type[ConfigError] = ConfigError) -> Document:
    """Read a YAML file, or its text, as plain data with positions; arguments and errors as in :func:`read_document`."""
    if isinstance(source, Path):
        file = file or str(source)
        try:
            text = source.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise kind(f"the file is not UTF-8 text (byte {error.start})", hint="save it as UTF-8", file=file) from None
        except OSError as error:
            reason = error.strerror or "it cannot be opened"
            raise kind(f"the file cannot be read: {reason}", hint="check its name and its permissions", file=file) from None
    else:
        text = source
    if len(text) > _LARGEST:
        raise kind(f"the file has more than {_LARGEST} characters", hint="split it", file=file)
    return _Reader(file, text, kind).document()


def did_you_mean(word: str, known: Iterable[str], *, most: int = 12) -> str:
    """A hint: the nearest of the known words, or all of them if there are few."""
    words = list(dict.fromkeys(known))
    near = get_close_matches(word, words, n=1, cutoff=0.6) or [one for one in words if one.lower() == word.lower()]
    if near:
        return f"did you mean {near[0]!r}?"
    more = ", ..." if len(words) > most else ""
    return f"use one of {', '.join(words[:most])}{more}" if words else ""


class _Reader:
    """One pass from YAML nodes to data and positions."""

    def __init__(self, file: str, text: str, kind: type[ConfigError]) -> None:
        self._file = file
        self._text = text
        self._lines = text.split("\n")
        self._kind = kind
        self._seen: set[int] = set()

    def document(self) -> Document:
        try:
            loader = _LOADER(self._text)
            node = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = self._place(mark) if mark else Place(self._file, 0, 0, "")
            raise self._error(f"this is not YAML: {error.problem or error.context}", place, _HINT) from None
        except yaml.YAMLError as error:
            reason = getattr(error, "reason", "") or str(error)
            raise self._error(f"this is not YAML: {reason}", Place(self._file, 0, 0, ""), _HINT) from None
        except RecursionError:
            raise self._error("the file is nested too deeply", Place(self._file, 0, 0, ""), "use fewer levels") from None
        document = Document({})
        document.values[()] = Place(self._file, 1, 1, self._lines[0])
        if node is not None:
            document.data = self._value(loader, node, (), document)
        loader.dispose()
        return document

    def _value(self, loader: Any, node: yaml.Node, path: Steps, document: Document) -> Any:
        place = self._place(node.start_mark)
        document.values[path] = place
        if not isinstance(node, yaml.ScalarNode) or node.value:
            if id(node) in self._seen:
                raise self._error("aliases (*name) are not allowed", document.place(path, key=True), "write the value out again")
            self._seen.add(id(node))
        kind = node.tag.removeprefix(_CORE)
        if kind not in ("str", "int", "float", "bool", "null", "map", "seq"):
            raise self._error(f"the tag {node.tag!r} is not allowed", place, "remove what begins with !")
        if len(path) > _DEEPEST:
            raise self._error("the file is nested too deeply", place, "use fewer levels")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path, document)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, (*path, index), document) for index, item in enumerate(node.value)]
        try:
            value = loader.construct_object(node)
        except (ValueError, OverflowError):
            raise self._error(f"{node.value!r} is no {kind}", place, "put it in quotes") from None
        if isinstance(value, float) and not isfinite(value):
            raise self._error(f"{node.value!r} is no number that JSON knows", place, "put it in quotes")
        return value

    def _mapping(self, loader: Any, node: yaml.MappingNode, path: Steps, document: Document) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            place = self._place(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise self._error("a key must be text", place, "write one word before the colon")
            name = str(key.value)
            if name in result:
                first = document.keys[(*path, name)].line
                raise self._error(f"{name!r} stands here twice (first in line {first})", place, "keep one of the two")
            document.keys[(*path, name)] = place
            result[name] = self._value(loader, value, (*path, name), document)
        return result

    def _place(self, mark: Any) -> Place:
        line = self._lines[mark.line].rstrip("\r") if mark.line < len(self._lines) else ""
        return Place(self._file, mark.line + 1, mark.column + 1, line)

    def _error(self, message: str, place: Place, hint: str) -> ConfigError:
        return self._kind(message, hint=hint, file=place.file, line=place.line, column=place.column, excerpt=place.excerpt)


_WANTED: Final[Mapping[str, str]] = {
    "model_type": "a block of key: value",
    "model_attributes_type": "a block of key: value",
    "dict_type": "a block of key: value",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}

_HINT: Final = "check indentation, brackets, quotes and colons around here"


def _rank(details: ErrorDetails) -> int:
    """A word that is spelt wrong explains a word that is missing: it comes first."""
    return {"extra_forbidden": 0, "missing": 2}.get(details["type"], 1)


def _shown(value: Any) -> str:
    text = {True: "true", False: "false", None: "null"}[value] if isinstance(value, bool | None) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that a model knows at a place, found by walking its JSON Schema along a pydantic location."""
    schema = model.model_json_schema()
    node = _resolved(schema, schema)
    for step in location:
        tags = node.get("discriminator", {}).get("mapping", {})
        below: Any = node.get("properties", {}).get(step)
        if below is None and step in tags:
            below = {"$ref": tags[step]}
        if below is None and isinstance(step, int):
            below = node.get("items")
        if below is None:
            below = node.get("additionalProperties")
        node = _resolved(schema, below) if isinstance(below, dict) else {}
    return list(node.get("properties", {}))


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node or "anyOf" in node or "allOf" in node:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        else:
            arms = [_resolved(schema, arm) for arm in node.get("anyOf") or node["allOf"]]
            node = max(arms, key=lambda arm: len(arm.get("properties", {})) + 100 * ("additionalProperties" in arm))
    return node
