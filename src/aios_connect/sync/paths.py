"""Dotted paths in raw records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from aios_connect.connectors.contract import Raw

__all__ = ["at_path", "instant_at", "leaf_paths", "overlaid", "put_at", "value_at"]


def at_path(path: str) -> Callable[[Raw], Any]:
    """A function that takes the value at a dotted path out of a raw record; ``None`` where there is none."""
    first, *rest = path.split(".")
    if not rest:
        return lambda raw: raw.get(first)

    def take(raw: Raw) -> Any:
        value: Any = raw.get(first)
        for name in rest:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return take


def overlaid(raw: Raw, patch: Mapping[str, Any]) -> Raw:
    """The record with a patch laid over it, nested objects merged; the record itself stays as it was."""
    merged = deepcopy(raw)
    for name, value in patch.items():
        below = merged.get(name)
        merged[name] = overlaid(below, value) if isinstance(value, dict) and isinstance(below, dict) else deepcopy(value)
    return merged


def leaf_paths(patch: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths a patch sets, nested objects followed."""
    paths = []
    for name, value in patch.items():
        paths += leaf_paths(value, (*prefix, name)) if isinstance(value, dict) and value else [(*prefix, name)]
    return paths


def value_at(raw: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path given in parts (a column of a sheet may have a dot in its name); ``None`` where there is none."""
    value: Any = raw
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put_at(raw: Raw, path: tuple[str, ...], value: Any) -> None:
    """Set the value at a path, making the objects on the way."""
    for name in path[:-1]:
        raw = raw.setdefault(name, {})
    raw[path[-1]] = value


def instant_at(value: Any) -> datetime | None:
    """An instant as vendors write it: ISO text of any precision and offset (UTC if it has none), or milliseconds since 1970."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    if isinstance(value, int):
        return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)
    if not isinstance(value, str) or not value:
        return None
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
