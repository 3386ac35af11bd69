"""The canonical model: what every connected tool's records are translated into.

A record travels as *leaves*, a flat mapping from dotted names to canonical JSON values; the pydantic classes here are its typed
edge. A field is absent (not in ``model_fields_set``), null (``None``) or a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

from aios_connect.errors import ConfigError

from .activity import Activity, Event, Intake, Task
from .canonical import JSON, LeafType, Leaves
from .leaves import Leaf
from .record import CUSTOM_PREFIX, Kind, Record
from .records import Company, Deal, Person, User
from .values import Consent, ExternalRef, Money, Provenance

__all__ = [
    "CUSTOM_PREFIX",
    "JSON",
    "KINDS",
    "Activity",
    "Company",
    "Consent",
    "Deal",
    "Event",
    "ExternalRef",
    "Intake",
    "Kind",
    "Leaf",
    "LeafType",
    "Leaves",
    "Money",
    "Person",
    "Provenance",
    "Record",
    "Task",
    "User",
    "json_schema",
    "leaf",
    "leaves",
    "record_type",
]

KINDS: Final[Mapping[str, type[Record]]] = MappingProxyType(
    {record.kind: record for record in (Person, Company, Deal, User, Activity, Task, Event, Intake)}
)
"""The canonical record types by slug."""


def record_type(kind: str) -> type[Record]:
    """The record type of a kind, named as in ``Person`` or ``person``.

    Raises:
        ConfigError: There is no such kind.
    """
    found = KINDS.get(kind.lower())
    if found is None:
        near = get_close_matches(kind.lower(), KINDS, n=1)
        raise ConfigError(
            f"there is no kind of record {kind!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"name one of {', '.join(KINDS)}",
        )
    return found


def leaves(kind: str) -> Mapping[str, Leaf]:
    """The leaves of a kind by name; ``custom.<name>`` is allowed beside them, see :func:`leaf`.

    Raises:
        ConfigError: There is no such kind.
    """
    return record_type(kind).layout()


def leaf(kind: str, name: str) -> Leaf:
    """One leaf of a kind, ``custom.<name>`` included (its type is ``any``).

    Raises:
        ConfigError: There is no such kind.
        MappingError: There is no such leaf; the hint names the nearest one.
    """
    return record_type(kind).leaf(name)


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind's typed record.

    Raises:
        ConfigError: There is no such kind.
    """
    return record_type(kind).model_json_schema()
