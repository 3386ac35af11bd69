"""What a connector is asked to do, so that its conversation can be had again: the steps stand in the cassette."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from aios_connect.connectors.contract import Connector, Identity, Page, Schema
from aios_connect.errors import ConfigError

__all__ = ["Told", "reading", "tell"]


@dataclass(slots=True)
class Told:
    """What came of it.

    Attributes:
        identity: Who we are there, if that was asked.
        schemas: The schemas that were asked for, by object.
        pages: The pages that were read, by object.
    """

    identity: Identity | None = None
    schemas: dict[str, Schema] = field(default_factory=dict)
    pages: dict[str, list[Page]] = field(default_factory=dict)


def reading(objects: Sequence[str], pages: int) -> tuple[str, ...]:
    """The steps of reading: who we are, and of each object its schema and its first pages."""
    return ("check", *(step for object in objects for step in (f"describe {object}", f"read {object} {pages}")))


def tell(connector: Connector, steps: Sequence[str]) -> Told:
    """Do the steps, one after the other.

    Args:
        connector: Who does them.
        steps: ``check``, ``describe OBJECT``, ``read OBJECT PAGES``.

    Raises:
        ConfigError: A step is none of these.
    """
    told = Told()
    for step in steps:
        match step.split(" "):
            case ["check"]:
                told.identity = connector.check()
            case ["describe", object]:
                told.schemas[object] = connector.describe(object)
            case ["read", object, pages] if pages.isdecimal():
                told.pages[object] = list(_first(connector.read(object), int(pages)))
            case _:
                raise ConfigError(f"{step!r} is no step", hint="check, describe OBJECT, read OBJECT PAGES")
    return told


def _first(pages: Iterator[Page], count: int) -> Iterator[Page]:
    yield from islice(pages, count)
    close = getattr(pages, "close", None)
    if close is not None:  # a generator lets go of what it holds
        close()
