"""What the judges of two vendors have in common: openapi-core's words, and what is the same to a spec."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Answered", "Asked", "form", "specs"]


@dataclass
class Asked:
    """What openapi-core wants to know of a request."""

    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes | None
    parameters: Any


@dataclass
class Answered:
    """And of an answer."""

    status_code: int
    content_type: str
    headers: dict[str, str]
    data: bytes


def specs(vendor: str) -> Path:
    """The folder of a vendor's specs, which need not be there."""
    return Path(os.environ.get("AIOS_SPECS", "")) / vendor


def form(body: bytes) -> Any:
    """A body without its values: names, and what kind of value stands where. Bodies of one form are alike to a schema but for its
    patterns and choices."""
    try:
        return _form(json.loads(body))
    except ValueError:
        return body and type(body)


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return frozenset((name, _form(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return (list, frozenset(_form(inner) for inner in value))
    return type(value)
