"""Mapping files: one YAML file says how a vendor's object translates to a canonical kind and back; compiled once, checked when loaded.

    mapping = load(Path("mappings/hubspot/contacts.yaml"))
    leaves, problems = mapping.get(raw)
    patch = mapping.put({"phones.mobile": "+442079460958"}, leaves, raw)

A file is checked in three steps: by itself when it is loaded (:func:`load`), with its own examples (:func:`run_examples`), and against
the laws and the vendor's live schema (:func:`check`). Every name loads when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import Finding, check
    from .compile import Field, Problem
    from .editor import json_schema
    from .examples import ExampleResult, run_examples
    from .loading import load, loads
    from .mapping import CompiledMapping

__all__ = [
    "CompiledMapping",
    "ExampleResult",
    "Field",
    "Finding",
    "Problem",
    "check",
    "json_schema",
    "load",
    "loads",
    "run_examples",
]

_HOMES = {
    "CompiledMapping": "mapping",
    "ExampleResult": "examples",
    "Field": "compile",
    "Finding": "checks",
    "Problem": "compile",
    "check": "checks",
    "json_schema": "editor",
    "load": "loading",
    "loads": "loading",
    "run_examples": "examples",
}


if not TYPE_CHECKING:  # a type checker is to find misspelt names

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value
