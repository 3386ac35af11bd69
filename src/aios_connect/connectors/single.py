"""One change sent by itself, and what became of it: the same for every provider that takes its writes one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aios_connect.errors import AmbiguousWriteError, ConflictError, NotFoundError, ProviderError, RejectedError, TruncatedError

from .contract import Change, Raw, Receipt
from .spec import ObjectSpec

__all__ = ["carried_out"]


def carried_out(
    change: Change, spec: ObjectSpec, *, send: Callable[[Change], Raw | None], look: Callable[[Change], Raw | None]
) -> Receipt:
    """Send one change and say what became of it. What may have been sent is looked for, and never sent again.

    Args:
        change: What to write.
        spec: What may be done with such a record, and where its id and its version stand.
        send: Sends the change, under its condition, and returns the record as the provider shows it then; ``None`` where it
            shows none of a change or a delete.
        look: The record as it is now: by its id, a new one by our key. ``None`` if it is not there or cannot be told.

    Raises:
        ProviderError: Nothing was written: nobody answered, the credentials are wrong, a limit is reached.
    """
    if change.action not in spec.verbs:
        return Receipt("rejected", change.id, reason=f"{spec.title}: this connector has no {change.action}")
    try:
        raw = send(change)
    except RejectedError as error:
        return Receipt("rejected", change.id, reason=error.message)
    except NotFoundError as error:
        return Receipt("unchanged" if change.action == "delete" else "conflict", change.id, reason=error.message)
    except ConflictError as error:
        there = _seen(change, look)
        if change.action == "create" and isinstance(there, Mapping) and _holds(there, change.patch):
            return replace(_written(change, spec, dict(there)), found=True)  # under our key: an earlier attempt made it
        return Receipt("conflict", change.id, current=there or None, reason=error.message)
    except (AmbiguousWriteError, TruncatedError) as error:
        return _found(change, spec, look, error.message)
    named = (raw is None and change.action != "create") or _at(raw, spec.id) not in (None, "")
    if not named and change.action != "delete":
        return _found(change, spec, look, "the answer to a write is no record")
    return _written(change, spec, raw)


def _found(change: Change, spec: ObjectSpec, look: Callable[[Change], Raw | None], why: str) -> Receipt:
    """No answer came: what can be seen of it now."""
    there = _seen(change, look)
    if change.action == "delete" and there is None:
        return Receipt("written", change.id)
    if change.action != "delete" and there and _holds(there, change.patch):
        return replace(_written(change, spec, there), found=change.action == "create")
    return Receipt("ambiguous", change.id, reason=why)


def _seen(change: Change, look: Callable[[Change], Raw | None]) -> Raw | None:
    """The record as it is now; ``None`` if it is not there, and an empty one if one cannot look."""
    try:
        return look(change)
    except ProviderError:
        return {}


def _written(change: Change, spec: ObjectSpec, raw: Raw | None) -> Receipt:
    if raw is None or change.action == "delete":
        return Receipt("written", change.id)
    version = _at(raw, spec.version) if spec.version else None
    return Receipt("written", str(_at(raw, spec.id)), None if version is None else str(version), raw)


def _at(raw: Any, path: str) -> Any:
    for name in path.split("."):
        raw = raw.get(name) if isinstance(raw, Mapping) else None
    return raw


def _holds(there: Any, values: Mapping[str, Any]) -> bool:
    """A record holds these values; what it does not name is empty there."""
    return isinstance(there, Mapping) and all(
        _holds(there.get(name), value) if isinstance(value, Mapping) and value else there.get(name) == value
        for name, value in values.items()
    )
