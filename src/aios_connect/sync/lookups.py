"""Sent, but what became of it? Asked of the vendor, never guessed: creates by our unique key, the rest by comparing."""

from __future__ import annotations

from collections.abc import Sequence

from aios_connect.connection import Connection
from aios_connect.connectors.contract import Change, Raw, Receipt

from .paths import at_path, leaf_paths, value_at

__all__ = ["holds", "look_up"]


def look_up(connection: Connection, object: str, changes: Sequence[Change]) -> list[Receipt | None]:
    """What became of changes that may or may not have been written, in their order.

    Returns:
        A receipt where the vendor shows what happened; ``None`` where it certainly did not happen. A create on an object that has
        no place for our key stays ``ambiguous``.
    """
    spec = connection.connector.spec.objects[object]
    keys = [change.key for change in changes if change.action == "create" and change.key]
    made: dict[str, Raw] = {}
    for start in range(0, len(keys), spec.lookup_size):
        made.update(connection.connector.find(object, keys[start : start + spec.lookup_size]))
    ids = [change.id for change in changes if change.action != "create" and change.id]
    there: dict[str, Raw] = {}
    identify = at_path(spec.id)
    for start in range(0, len(ids), spec.lookup_size):
        there.update(
            {str(identify(found)): found for found in connection.connector.lookup(object, ids[start : start + spec.lookup_size])}
        )
    version = at_path(spec.version) if spec.version else None
    receipts: list[Receipt | None] = []
    for change in changes:
        raw = made.get(change.key or "") if change.action == "create" else there.get(change.id or "")
        token = str(version(raw) or "") if version and raw is not None else None
        if change.action == "create":
            if not change.key:
                receipts.append(Receipt("ambiguous", reason="it was sent, and there is no key to look it up by"))
            else:
                receipts.append(None if raw is None else Receipt("written", str(identify(raw)), token, raw))
        elif change.action == "delete":
            receipts.append(Receipt("written", change.id) if raw is None else None)
        elif raw is None:
            receipts.append(Receipt("conflict", change.id, reason="it is not there any more"))
        elif holds(raw, change.patch):
            receipts.append(Receipt("written", change.id, token, raw))
        elif change.version and token and token != change.version:
            receipts.append(
                Receipt("ambiguous", change.id, reason="somebody changed it, and nobody can tell whether ours came before")
            )
        else:
            receipts.append(None)  # the connector compares again before it writes
    return receipts


def holds(raw: Raw, values: Raw) -> bool:
    """True if a record has these values at these places; nothing and empty text are the same here, as they are to the vendors."""
    return all((value_at(raw, path) or None) == (value_at(values, path) or None) for path in leaf_paths(values))
