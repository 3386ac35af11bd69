"""The command that lays down something new to work on: new."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from rich.console import Console

from aios_connect.errors import ConfigError

from .phrases import paragraph
from .screen import Answer
from .words import Common

__all__ = ["new"]

_PLACES: Final[Mapping[str, str]] = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "init.py": "src/{package}/__init__.py",
    "connector.py": "src/{package}/connector.py",
    "sandbox.py": "src/{package}/sandbox.py",
    "contacts.yaml": "mappings/{slug}/contacts.yaml",
    "cassettes.md": "cassettes/{slug}/README.md",
    "test_conformance.py": "tests/test_conformance.py",
}
"""Template -> the file made of it."""


def new(what: Literal["connector"], name: str, folder: Path | None = None, /, *, common: Common = Common()) -> Answer:
    """Lay down a connector of your own, with its tests.

    They are green as they lie there: it speaks to a small API that its
    sandbox plays. Make both what the provider says; the tests tell what is
    still missing.

    Args:
        what: What to lay down: connector.
        name: Its provider in one word, such as acme.
        folder: Where; aios-connect-NAME here, if not given.
        common: What every command takes.
    """
    words = _words(name)
    target = (folder or Path(f"aios-connect-{name}")).absolute()
    if target.exists() and any(target.iterdir() if target.is_dir() else [target]):
        raise ConfigError(f"there is something in {target} already", hint="name a folder that is not there yet")
    made = []
    for template, place in _PLACES.items():
        text = files(__package__).joinpath("templates", what, f"{template}.txt").read_text("utf-8")
        for word, value in words.items():
            text = text.replace("{{" + word + "}}", value)
        made.append(target / place.format(**words))
        made[-1].parent.mkdir(parents=True, exist_ok=True)
        made[-1].write_text(text, "utf-8")
    typed = target / f"src/{words['package']}/py.typed"
    typed.touch()
    return NewAnswer(target, [*made, typed])


def _words(name: str) -> dict[str, str]:
    """What stands in the templates for a provider's name."""
    if not (name.isascii() and name.isidentifier() and name.islower()) or keyword.iskeyword(name) or "__" in name:
        raise ConfigError(
            f"{name!r} is no name for a connector", hint="one word of small letters, digits and _, such as acme or big_crm"
        )
    parts = [part for part in name.split("_") if part]
    return {
        "slug": name,
        "package": f"aios_connect_{name}",
        "class": "".join(part.capitalize() for part in parts),
        "title": " ".join(part.capitalize() for part in parts),
        "version": version("aios-connect"),
    }


class NewAnswer(Answer):
    """What was laid down."""

    def __init__(self, folder: Path, made: Sequence[Path]) -> None:
        self.folder = folder
        self.made = list(made)

    def document(self) -> Any:
        """The files that were made."""
        return {"folder": str(self.folder), "made": [str(path) for path in self.made]}

    def show(self, console: Console) -> None:
        """The files, and what to do next."""
        for path in self.made:
            console.print(f"made {path}", soft_wrap=True)
        console.print()
        paragraph(console, f"next: cd {self.folder}; pip install -e '.[test]'; pytest")
        paragraph(console, "It is green as it lies there. README.md says what to make your own, and in which order.")
