"""The examples inside a mapping file, run as tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from aios_connect.errors import MappingError

from .compile import ABSENT
from .documents import Place
from .mapping import CompiledMapping
from .spec import Example

__all__ = ["ExampleResult", "run_examples"]


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What came of one example.

    Attributes:
        name: The example's name.
        differences: What is not as the example says, one sentence each; empty if all is.
        place: Where the example stands.
    """

    name: str
    differences: tuple[str, ...]
    place: Place

    @property
    def ok(self) -> bool:
        """All is as the example says."""
        return not self.differences

    def error(self) -> MappingError:
        """The differences as an error at the example's place."""
        at = self.place
        message = f"example {self.name!r}: {'; '.join(self.differences)}"
        return MappingError(message, file=at.file, line=at.line, column=at.column, excerpt=at.excerpt)


def run_examples(mapping: CompiledMapping) -> list[ExampleResult]:
    """Run every example of a mapping file, in the file's order."""
    return [
        ExampleResult(example.name, tuple(_differences(mapping, example)), mapping.document.place(("examples", number)))
        for number, example in enumerate(mapping.spec.examples)
    ]


def _differences(mapping: CompiledMapping, example: Example) -> Iterator[str]:
    record = example.record
    leaves, problems = mapping.get(deepcopy(record)) if record is not None else ({}, [])
    for leaf, wanted in example.reads.items():
        if (found := leaves.get(leaf, ABSENT)) != wanted or found.__class__ is not wanted.__class__:
            yield f"{leaf} reads as {_shown(found)}, not {_shown(wanted)}"
    for problem in problems:
        if problem.leaf not in example.problems:
            yield f"{problem.leaf} cannot be read: {problem.reason}"
    for leaf in example.problems:
        if leaf not in [problem.leaf for problem in problems]:
            yield f"{leaf} should be a problem, and reads as {_shown(leaves.get(leaf, ABSENT))}"
    if example.writes is not None:
        try:
            patch = mapping.put(example.writes.set, leaves, record)
        except MappingError as error:
            yield f"it cannot be written: {error.message}"
            return
        if patch != example.writes.patch:
            yield f"{_shown(patch)} is sent, not {_shown(example.writes.patch)}"


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else json.dumps(value, ensure_ascii=False)
