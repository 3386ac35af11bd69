"""What the connector needs of whoever handles one of its objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from aios_connect.connectors import Change, Cursor, Page, Raw, Receipt, ScanPage, Schema

__all__ = ["Keyed", "Resource"]


class Resource(Protocol):
    """One object: the verbs of :class:`aios_connect.connectors.Connector`, without its name. A verb it has not is not called."""

    def account(self) -> str:
        """Whose account it is, an e-mail address or an id, by the cheapest question that the scope for reading permits."""

    def schema(self) -> Schema:
        """What a record holds."""

    def read(self, since: Cursor | None) -> Iterator[Page]:
        """Everything, or what changed since the cursor."""

    def lookup(self, ids: Sequence[str]) -> list[Raw]:
        """The living records among these ids."""

    def scan(self) -> Iterator[ScanPage]:
        """Every id with its version."""

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change, in order."""


@runtime_checkable
class Keyed(Protocol):
    """An object that has a place for our key."""

    def find(self, keys: Sequence[str]) -> dict[str, Raw]:
        """The living records that carry our keys."""
