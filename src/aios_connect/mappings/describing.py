"""Transforms in words: what editors show and what the reference page says, both taken from the docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from .spec import TRANSFORMS, Defaults, Example, MappingFile, Written
from .transform import Fallible, Single, Transform

__all__ = ["Described", "described", "transforms_page"]

_OPTION = re.compile(r"(\w+): (.*)")
_OWN_NAME = re.compile(r"``(\w+)``: ")


@dataclass(frozen=True, slots=True)
class Described:
    """A model in words.

    Attributes:
        summary: The first paragraph of its docstring.
        text: The paragraphs after it.
        options: Option, by the name it has in a file -> what it means; those it inherits included.
        own: The options it does not inherit.
        example: Lines of YAML, or an empty string.
    """

    summary: str
    text: str
    options: Mapping[str, str]
    own: tuple[str, ...]
    example: str


def described(model: type[BaseModel]) -> Described:
    """A model in words, from its docstring and those of the classes it inherits options from."""
    options: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            options.update(_options(one))
    text, _, _ = _cut(inspect.cleandoc(model.__doc__ or ""))
    summary, _, rest = text.partition("\n\n")
    return Described(
        _plain(summary), _plain(rest), options, tuple(_options(model)), _cut(inspect.cleandoc(model.__doc__ or ""))[2]
    )


def transforms_page() -> str:
    """The reference page of all transforms, in Markdown."""
    lines = [
        "# Transforms of mapping files",
        "",
        "Made from the docstrings in `aios_connect.mappings`; see [Write a mapping](../how-to/write-a-mapping.md) for how to use them.",
        "",
        "## A file",
        "",
        *_table(described(MappingFile).options),
        "`defaults` fills in options of all fields that have them and do not say otherwise:",
        "",
        *_table(described(Defaults).options),
        "An example is a record and what is to come of it:",
        "",
        *_table(described(Example).options),
        "Its `writes` says:",
        "",
        *_table(described(Written).options),
        "## Options of every field",
        "",
        *_table(_options(Transform)),
        "Fields that may meet a value they cannot read also have:",
        "",
        *_table(_options(Fallible)),
        "Fields that translate one value also have:",
        "",
        *_table(_options(Single)),
    ]
    for transform in TRANSFORMS:
        words = described(transform)
        own = {name: text for name, text in words.options.items() if name in words.own}
        gives = "any type" if len(transform.accepts) > 5 else ", ".join(sorted(transform.accepts - {"any"})) or "custom leaves"
        lines += [f"## {transform.model_fields['as_'].default}", "", words.summary, "", *([words.text, ""] if words.text else [])]
        lines += [f"Stands at leaves of type: {gives}.", "", "```yaml", words.example, "```", "", *_table(own)]
    return "\n".join(lines).rstrip() + "\n"


def _table(options: Mapping[str, str]) -> list[str]:
    rows = [f"| `{name}` | {text} |" for name, text in options.items()]
    return ["| option | meaning |", "|---|---|", *rows, ""] if rows else []


def _options(model: type[BaseModel]) -> dict[str, str]:
    """The options a class itself describes."""
    found: dict[str, str] = {}
    name = ""
    for line in _cut(inspect.cleandoc(model.__dict__.get("__doc__") or ""))[1].splitlines():
        option = _OPTION.match(line)
        if option and not line.startswith(" "):
            name, text = option[1], option[2]
            if own := _OWN_NAME.match(text):
                name, text = own[1], text[own.end() :]
            found[name] = text[:1].upper() + text[1:]
        elif name:
            found[name] += f" {line.strip()}"
    return {name: _plain(text) for name, text in found.items()}


def _cut(doc: str) -> tuple[str, str, str]:
    """A docstring's text, its attributes and its example, indentation taken off."""
    parts = re.split(r"^(Attributes|Example):\n", doc, flags=re.MULTILINE)
    sections = {name: inspect.cleandoc(body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    return parts[0].strip(), sections.get("Attributes", ""), sections.get("Example", "")


def _plain(text: str) -> str:
    """Markdown from the reST of docstrings."""
    text = re.sub(r":\w+:`~?\.?([^`]+)`", r"`\1`", text.replace("``", "`"))
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)
